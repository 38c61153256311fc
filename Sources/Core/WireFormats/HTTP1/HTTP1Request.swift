/// The head of an HTTP/1 request: its octets, held once, and what they mean.
///
/// It is made by `HTTP1RequestReader` alone, so it breaks none of the rules that `HTTP1Violation` names.
package struct HTTP1Request: Sendable {
    /// The fields, over all octets of the head; the length of the head is `fields.bytes.count`.
    package let fields: HTTP1FieldSection
    package let form: TargetForm
    /// The effective authority: the target's where it has one, else Host's; `absent` only in HTTP/1.0.
    ///
    /// It is never `malformed`.
    package let host: HTTPHost
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    package let minorVersion: Int
    /// `none`, `length` or `chunked`.
    package let framing: HTTP1Framing
    /// The client may send another request on this connection.
    package let keepsAlive: Bool
    /// The client waits for 100 before it sends the body (RFC 9110, section 10.1.1); never in HTTP/1.0.
    package let expectsContinue: Bool
    /// Connection and Upgrade ask to change the protocol; never in HTTP/1.0.
    package let asksUpgrade: Bool
    /// Some Upgrade field names h2c, whether Connection says so or not.
    package let namesH2C: Bool
    let methodRange: Range<Int>
    let targetRange: Range<Int>
    /// The path of the target as sent; empty where a whole URI has none.
    let pathRange: Range<Int>
    /// What stands behind the question mark.
    let queryRange: Range<Int>?
    let acceptsTrailers: Bool

    /// The forms of a target (RFC 9112, section 3.2).
    package enum TargetForm: Hashable, Sendable {
        /// A path, and perhaps a query.
        case origin
        /// A whole URI, as sent to a proxy.
        case absolute(Scheme)
        /// A host and a port, of CONNECT only.
        case authority
        /// `*`, of OPTIONS only.
        case asterisk
    }

    /// The schemes of a whole URI.
    package enum Scheme: Hashable, Sendable {
        case http
        case https
    }
}

extension HTTP1Request {
    /// The length of the head, the empty line at its end among it.
    package var headBytes: Int { fields.bytes.count }
    /// The method as sent; methods are case-sensitive (RFC 9110, section 9.1).
    package var method: String { text(of: fields.bytes.span.extracting(methodRange)) }
    /// The octets of the method.
    package var methodBytes: ArraySlice<UInt8> { fields.bytes[methodRange] }
    /// The target as received, in whatever form.
    package var target: ArraySlice<UInt8> { fields.bytes[targetRange] }
    /// The path as sent, not decoded: `/` where a whole URI has none, empty in asterisk and authority form.
    package var path: ArraySlice<UInt8> {
        switch form {
        case .absolute where pathRange.isEmpty && !targetsWholeServer: [UInt8(ascii: "/")]
        case .origin, .absolute, .authority, .asterisk: fields.bytes[pathRange]
        }
    }
    /// OPTIONS of the server and not of a resource: `*`, or a whole URI without path and query (RFC 9112, section 3.2.4).
    package var targetsWholeServer: Bool {
        switch form {
        case .asterisk: true
        case .origin, .authority: false
        case .absolute:
            pathRange.isEmpty && queryRange == nil && isExactly("OPTIONS", methodRange, in: fields.bytes.span)
        }
    }
    /// The query as sent, without its question mark; `nil` where there is no question mark.
    package var query: ArraySlice<UInt8>? { queryRange.map { fields.bytes[$0] } }
    /// What the reader of the answer must know of this request.
    package var answering: HTTP1Answering {
        let span = fields.bytes.span
        let kind: HTTP1Answering.Method =
            form == .authority ? .connect : isExactly("HEAD", methodRange, in: span) ? .head : .other
        return HTTP1Answering(method: kind, upgradeNames: upgradeNames)
    }
    /// The protocols that Upgrade asks for, in lower case, in order; empty where `asksUpgrade` is false.
    package var upgradeNames: [String] { asksUpgrade ? fields.upgradeNames : [] }
}
