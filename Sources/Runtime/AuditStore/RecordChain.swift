import AuditTrail
import OpenSSLBindings

/// Numbers records and ties each line to the one before.
struct RecordChain: ~Copyable {
    /// What stands for the hash of a line before the first: 64 zeros.
    static let noLine = [UInt8](repeating: UInt8(ascii: "0"), count: 64)

    private var hasher: SHA256Hasher
    /// The number of the last line.
    private var sequence: UInt64
    /// The hash of the last line, in hexadecimal digits.
    private var previous: [UInt8]

    /// Goes on after the line with this number; `lastLine` are its bytes, without the newline, if there is one.
    static func continuing(after sequence: UInt64, lastLine: [UInt8]?) throws(AuditError) -> RecordChain {
        do throws(OpenSSLError) {
            var hasher = try SHA256Hasher()
            let previous = if let lastLine { try hasher.hash(lastLine.span).hexadecimal } else { noLine }
            return RecordChain(hasher: hasher, sequence: sequence, previous: previous)
        } catch {
            throw .notHashed(error)
        }
    }

    private init(hasher: consuming SHA256Hasher, sequence: UInt64, previous: [UInt8]) {
        self.hasher = hasher
        self.sequence = sequence
        self.previous = previous
    }

    /// Appends a record's line, with its newline, to `buffer`.
    mutating func append(_ record: AuditRecord, to buffer: inout [UInt8]) throws(AuditError) {
        let start = buffer.count
        sequence += 1
        buffer.append(lineOf: record, sequence: sequence, previous: previous)
        // The hash is that of the line's bytes without the newline.
        previous = try hexadecimalHash(of: buffer.span.extracting(start...))
        buffer.append(UInt8(ascii: "\n"))
    }

    /// 64 lower-case digits.
    mutating func hexadecimalHash(of bytes: borrowing Span<UInt8>) throws(AuditError) -> [UInt8] {
        do throws(OpenSSLError) {
            return try hasher.hash(bytes).hexadecimal
        } catch {
            throw .notHashed(error)
        }
    }
}
