/// A coding of content that can be undone (RFC 9110, section 8.4.1; RFC 7932, RFC 8878).
package enum ContentCoding: Hashable, Sendable {
    case gzip
    case deflate
    case brotli
    case zstd
}

/// Why the codings of a message cannot be undone.
package enum ContentCodingViolation: Error, Hashable, Sendable {
    /// A coding that is not known, or what is no coding at all.
    case unknown
    /// More of them, one over the other, than are undone.
    case tooMany
}

extension ContentCoding {
    /// Reads the values of all Content-Encoding fields of a message, in the order in which the codings were applied.
    ///
    /// `identity` is left out, and so are empty members.
    package static func list(
        _ values: [ArraySlice<UInt8>],
        most: Int
    ) throws(ContentCodingViolation) -> [ContentCoding] {
        var codings: [ContentCoding] = []
        for value in values {
            for member in value.split(separator: UInt8(ascii: ",")) {
                let name = Array(member)
                let range = trimmed(0..<name.count, in: name.span)
                guard !range.isEmpty, !isText("identity", in: range, of: name.span) else { continue }
                guard let coding = ContentCoding(range, in: name.span) else { throw .unknown }
                guard codings.count < most else { throw .tooMany }
                codings.append(coding)
            }
        }
        return codings
    }

    /// Recognises a name, whatever its case; `x-gzip` is `gzip` (RFC 9110, section 8.4.1.3).
    private init?(_ name: Range<Int>, in bytes: Span<UInt8>) {
        if isText("gzip", in: name, of: bytes) || isText("x-gzip", in: name, of: bytes) {
            self = .gzip
        } else if isText("deflate", in: name, of: bytes) {
            self = .deflate
        } else if isText("br", in: name, of: bytes) {
            self = .brotli
        } else if isText("zstd", in: name, of: bytes) {
            self = .zstd
        } else {
            return nil
        }
    }
}

extension HTTP1FieldSection {
    /// The codings of the content that these fields are of, in the order in which they were applied.
    package func contentCodings(most: Int) throws(ContentCodingViolation) -> [ContentCoding] {
        try ContentCoding.list(values(of: "content-encoding"), most: most)
    }

    /// Whether Content-Type says that the content is a stream of server-sent events, whatever parameters it has.
    package var isEventStream: Bool {
        values(of: "content-type").contains { value in
            let type = Array(value.prefix { $0 != UInt8(ascii: ";") })
            return isText("text/event-stream", in: trimmed(0..<type.count, in: type.span), of: type.span)
        }
    }
}
