/// Reads the line before a chunk, octet by octet: its size, and extensions, which are dropped (RFC 9112, section 7.1).
///
/// White space behind the size is read past in answers, which some servers write so. In a request it is refused: another reader may
/// take it otherwise.
struct HTTP1ChunkLine: Sendable {
    /// In octets.
    private(set) var size: UInt64 = 0
    private(set) var isComplete = false
    private var digits = 0
    private var length = 0
    private var part = Part.size
    private let isOfAnswer: Bool

    private enum Part: Sendable {
        case size
        /// Behind white space that follows the size.
        case blank
        /// Behind a semicolon.
        case extensions
        /// Behind the carriage return.
        case end
    }

    init(ofAnswer isOfAnswer: Bool) {
        self.isOfAnswer = isOfAnswer
    }

    /// The chunk that ends the body.
    var isLast: Bool { size == 0 }

    /// Reads to the end of the line or of the bytes, and says how many octets that were.
    mutating func read(_ bytes: Span<UInt8>, most: Int) throws(HTTP1Violation) -> Int {
        var index = 0
        while index < bytes.count, !isComplete {
            guard length < most else { throw .chunkLineTooLong }
            try read(bytes[index])
            length += 1
            index += 1
        }
        return index
    }

    private mutating func read(_ octet: UInt8) throws(HTTP1Violation) {
        switch part {
        case .size: try readSize(octet)
        case .blank: try readBehindSize(octet)
        case .extensions: try readExtension(octet)
        case .end:
            guard octet == UInt8(ascii: "\n") else { throw .bareCarriageReturn }
            isComplete = true
        }
    }

    private mutating func readSize(_ octet: UInt8) throws(HTTP1Violation) {
        if let digit = hexadecimalValue(octet) {
            // More digits than the greatest size has are leading zeros that nobody needs.
            guard digits < 16, size <= HTTP1Framing.longest >> 4 else { throw .chunkSize }
            size = size << 4 | UInt64(digit)
            digits += 1
            return
        }
        guard octet != UInt8(ascii: "\n") else { throw .bareLineFeed }
        guard digits > 0 else { throw .chunkSize }
        try readBehindSize(octet)
    }

    private mutating func readBehindSize(_ octet: UInt8) throws(HTTP1Violation) {
        switch octet {
        case UInt8(ascii: "\r"): part = .end
        case UInt8(ascii: "\n"): throw .bareLineFeed
        case UInt8(ascii: ";"): part = .extensions
        case UInt8(ascii: " "), UInt8(ascii: "\t"):
            guard isOfAnswer else { throw .chunkSize }
            part = .blank
        default: throw .chunkSize
        }
    }

    private mutating func readExtension(_ octet: UInt8) throws(HTTP1Violation) {
        switch octet {
        case UInt8(ascii: "\r"): part = .end
        case UInt8(ascii: "\n"): throw .bareLineFeed
        case UInt8(ascii: "\t"), 0x20...0x7e, 0x80...0xff: break
        default: throw .controlOctet
        }
    }
}
