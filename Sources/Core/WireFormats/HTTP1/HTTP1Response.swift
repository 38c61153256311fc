/// The head of an HTTP/1 response: its octets, held once, and what they mean.
///
/// It is made by `HTTP1ResponseReader` alone, so it breaks none of the rules that `HTTP1Violation` names.
package struct HTTP1Response: Sendable {
    /// The fields, over all octets of the head; the length of the head is `fields.bytes.count`.
    package let fields: HTTP1FieldSection
    /// 100 to 599.
    package let status: Int
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    package let minorVersion: Int
    /// How the body that follows ends; `none` for 1xx, 204, 304, and answers to HEAD.
    package let framing: HTTP1Framing
    /// What the fields say of the body, where one is told of and none follows (HEAD, 304).
    package let declaredFraming: HTTP1Framing
    /// The server may be asked again on this connection, once the body is read.
    package let keepsAlive: Bool
    let reasonRange: Range<Int>
}

extension HTTP1Response {
    /// The length of the head, the empty line at its end among it.
    package var headBytes: Int { fields.bytes.count }
    /// Another head follows this one: 1xx but 101.
    package var isInformational: Bool { status < 200 && status != 101 }
    /// 101: the octets behind this head are of another protocol.
    package var isSwitch: Bool { status == 101 }
    /// The reason phrase as sent.
    package var reason: ArraySlice<UInt8> { fields.bytes[reasonRange] }
}
