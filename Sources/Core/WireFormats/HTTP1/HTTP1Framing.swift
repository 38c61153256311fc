/// Where the body of a message ends (RFC 9112, section 6.3).
package enum HTTP1Framing: Hashable, Sendable {
    /// There is no body.
    case none
    /// So many octets follow the head; at most 2^63 - 1.
    case length(UInt64)
    case chunked
    /// The body of an answer that lasts until its sender closes.
    case untilClose
}

extension HTTP1Framing {
    /// The longest body or chunk, 2^63 - 1: what every peer can count.
    static let longest = UInt64(Int64.max)

    /// Whether octets of a body may follow.
    var mayFollow: Bool { self != .none && self != .length(0) }

    /// Reads what the fields say, `none` where they say nothing; what could be read in two ways is refused.
    ///
    /// An answer may say the same length in several lines: it is written once (RFC 9110, section 8.6).
    init(
        _ lines: ContiguousArray<HTTP1FieldLine>,
        in bytes: Span<UInt8>,
        minorVersion: Int,
        isResponse: Bool = false
    ) throws(HTTP1Violation) {
        self = .none
        for line in lines where line.known == .contentLength || line.known == .transferEncoding {
            let isLength = line.known == .contentLength
            switch self {
            case .none:
                self =
                    isLength
                    ? .length(try contentLength(line.value, in: bytes))
                    : try Self.transferEncoding(line.value, in: bytes, minorVersion: minorVersion)
            case .length:
                guard isLength else { throw .contentLengthWithTransferEncoding }
                let again = HTTP1Framing.length(try contentLength(line.value, in: bytes))
                guard isResponse, self == again else { throw .contentLengthDuplicated }
            case .chunked, .untilClose:
                throw isLength ? .contentLengthWithTransferEncoding : .transferEncodingDuplicated
            }
        }
    }

    private static func transferEncoding(
        _ value: Range<Int>,
        in bytes: Span<UInt8>,
        minorVersion: Int
    ) throws(HTTP1Violation) -> HTTP1Framing {
        guard minorVersion == 1 else { throw .transferEncodingInHTTP10 }
        guard isText("chunked", in: value, of: bytes) else { throw .transferEncodingUnknown }
        return .chunked
    }
}

/// Reads the digits of a Content-Length, and nothing else.
private func contentLength(_ value: Range<Int>, in bytes: Span<UInt8>) throws(HTTP1Violation) -> UInt64 {
    var length: UInt64 = 0
    for index in value {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) else {
            throw bytes[index] == UInt8(ascii: ",") ? .contentLengthDuplicated : .contentLengthInvalid
        }
        let digit = UInt64(bytes[index] - UInt8(ascii: "0"))
        guard length <= (HTTP1Framing.longest - digit) / 10 else { throw .contentLengthInvalid }
        length = length * 10 + digit
    }
    guard !value.isEmpty else { throw .contentLengthInvalid }
    return length
}
