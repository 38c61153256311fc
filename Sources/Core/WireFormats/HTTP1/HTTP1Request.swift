/// The head of an HTTP/1 request: its octets, held once, and what they mean.
///
/// It is made by `HTTP1RequestReader` alone, so it breaks none of the rules that `HTTP1Violation` names. It is one reference:
/// a request is handed from one step to the next many times.
package struct HTTP1Request: Sendable {
    let content: Content

    /// The fields, over all octets of the head; the length of the head is `fields.bytes.count`.
    package var fields: HTTP1FieldSection { content.fields }
    package var form: TargetForm { content.form }
    /// The effective authority: the target's where it has one, else Host's; `absent` only in HTTP/1.0.
    ///
    /// It is never `malformed`.
    package var host: HTTPHost { content.host }
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    package var minorVersion: Int { content.minorVersion }
    /// `none`, `length` or `chunked`.
    package var framing: HTTP1Framing { content.framing }
    /// The client may send another request on this connection.
    package var keepsAlive: Bool { content.keepsAlive }
    /// The client waits for 100 before it sends the body (RFC 9110, section 10.1.1); never in HTTP/1.0.
    package var expectsContinue: Bool { content.expectsContinue }
    /// Connection and Upgrade ask to change the protocol; never in HTTP/1.0.
    ///
    /// Not to h2c alone: that is as if it were not asked for, since a server may pass over it (RFC 9110, section 7.8).
    package var asksUpgrade: Bool { content.asksUpgrade }
    /// Upgrade names h2c beside another protocol, whether Connection says so or not.
    package var offersH2C: Bool { content.offersH2C }
    var methodRange: Range<Int> { content.methodRange }
    var targetRange: Range<Int> { content.targetRange }
    /// The path of the target as sent; empty where a whole URI has none.
    var pathRange: Range<Int> { content.pathRange }
    /// What stands behind the question mark.
    var queryRange: Range<Int>? { content.queryRange }
    var acceptsTrailers: Bool { content.acceptsTrailers }

    /// What is the same for all copies.
    final class Content: Sendable {
        let fields: HTTP1FieldSection
        let form: TargetForm
        let host: HTTPHost
        let minorVersion: Int
        let framing: HTTP1Framing
        let keepsAlive: Bool
        let expectsContinue: Bool
        let asksUpgrade: Bool
        let offersH2C: Bool
        let methodRange: Range<Int>
        let targetRange: Range<Int>
        let pathRange: Range<Int>
        let queryRange: Range<Int>?
        let acceptsTrailers: Bool

        init(
            fields: HTTP1FieldSection,
            form: TargetForm,
            host: HTTPHost,
            minorVersion: Int,
            framing: HTTP1Framing,
            keepsAlive: Bool,
            expectsContinue: Bool,
            asksUpgrade: Bool,
            offersH2C: Bool,
            methodRange: Range<Int>,
            targetRange: Range<Int>,
            pathRange: Range<Int>,
            queryRange: Range<Int>?,
            acceptsTrailers: Bool
        ) {
            self.fields = fields
            self.form = form
            self.host = host
            self.minorVersion = minorVersion
            self.framing = framing
            self.keepsAlive = keepsAlive
            self.expectsContinue = expectsContinue
            self.asksUpgrade = asksUpgrade
            self.offersH2C = offersH2C
            self.methodRange = methodRange
            self.targetRange = targetRange
            self.pathRange = pathRange
            self.queryRange = queryRange
            self.acceptsTrailers = acceptsTrailers
        }
    }

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

extension HTTP1Request {
    /// True where the reader has told that this head is the one before, octet by octet.
    package func isSameHead(as other: HTTP1Request) -> Bool { content === other.content }
}

extension HTTP1Request: Hashable {
    /// True where the octets of two heads are the same, and so is what they mean.
    package static func == (one: HTTP1Request, other: HTTP1Request) -> Bool {
        one.content === other.content
            || one.fields == other.fields && one.host == other.host && one.framing == other.framing
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(fields)
    }
}
