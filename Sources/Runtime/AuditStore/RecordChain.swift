import AuditTrail
import OpenSSLBindings

/// A line of the chain: its number, and the hash that the next line carries.
struct ChainPosition: Hashable, Sendable {
    /// 0 before the first line.
    var sequence: UInt64
    /// 64 lower-case hexadecimal digits.
    var hash: [UInt8]

    /// Before the first line: 64 zeros stand for its hash.
    static let beginning = ChainPosition(sequence: 0, hash: [UInt8](repeating: UInt8(ascii: "0"), count: 64))

    /// `sha256:` and the digits, as records write it.
    var hashText: String { "sha256:" + String(decoding: hash, as: UTF8.self) }
}

/// Numbers records and ties each line to the one before.
struct RecordChain: ~Copyable {
    /// Where it has come to.
    private(set) var position: ChainPosition
    private var clock = RecordClock()

    /// Goes on after this position.
    init(after position: ChainPosition) {
        self.position = position
    }

    /// Goes back to where it was, because what was appended since never reached a file.
    mutating func goBack(to position: ChainPosition) {
        self.position = position
    }

    /// Appends a record's line, with its newline, to `buffer`.
    mutating func append(_ record: AuditRecord, to buffer: inout [UInt8]) {
        let start = buffer.count
        position.sequence += 1
        buffer.append(lineOf: record, sequence: position.sequence, previous: position.hash, &clock)
        // The hash is that of the line's bytes without the newline.
        SHA256Digest.writeHexadecimal(of: buffer.span.extracting(start...), over: &position.hash)
        buffer.append(UInt8(ascii: "\n"))
    }

    /// 64 lower-case digits.
    static func hexadecimalHash(of bytes: borrowing Span<UInt8>) -> [UInt8] {
        SHA256Digest(of: bytes).hexadecimal
    }
}
