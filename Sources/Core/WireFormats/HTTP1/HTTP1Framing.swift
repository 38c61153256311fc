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
