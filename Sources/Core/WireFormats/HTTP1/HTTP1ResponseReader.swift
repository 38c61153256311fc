/// Reads the heads of HTTP/1 responses, one after the other (RFC 9112, sections 2 to 6).
package struct HTTP1ResponseReader: Sendable {
    package init(limits: HTTP1Limits = HTTP1Limits()) {}

    /// Reads a head; `nil` while its end has not come.
    ///
    /// `bytes` begins with the first octet of the message each time, and only grows until there is an answer; what follows
    /// the head (`headBytes` long) is not looked at. After a head it is ready for the next. What it throws, it threw for
    /// any way in which the same octets could have come; the connection must then end.
    package mutating func read(
        _ bytes: Span<UInt8>,
        answering: HTTP1Answering
    ) throws(HTTP1Violation) -> HTTP1Response? {
        fatalError("to come")
    }
}
