import AuditTrail
import OpenSSLBindings

/// Numbers records and ties each line to the one before.
struct RecordChain: ~Copyable {
    /// What stands for the hash of a line before the first: 64 zeros.
    static let noLine = [UInt8](repeating: UInt8(ascii: "0"), count: 64)

    /// The number of the last line.
    private var sequence: UInt64
    /// The hash of the last line, in hexadecimal digits.
    private var previous: [UInt8]

    /// Goes on after the line with this number; `lastLine` are its bytes, without the newline, if there is one.
    init(after sequence: UInt64, lastLine: [UInt8]?) {
        self.sequence = sequence
        previous = lastLine.map { Self.hexadecimalHash(of: $0.span) } ?? Self.noLine
    }

    /// Appends a record's line, with its newline, to `buffer`.
    mutating func append(_ record: AuditRecord, to buffer: inout [UInt8]) {
        let start = buffer.count
        sequence += 1
        buffer.append(lineOf: record, sequence: sequence, previous: previous)
        // The hash is that of the line's bytes without the newline.
        previous = Self.hexadecimalHash(of: buffer.span.extracting(start...))
        buffer.append(UInt8(ascii: "\n"))
    }

    /// 64 lower-case digits.
    static func hexadecimalHash(of bytes: borrowing Span<UInt8>) -> [UInt8] {
        SHA256Digest(of: bytes).hexadecimal
    }
}
