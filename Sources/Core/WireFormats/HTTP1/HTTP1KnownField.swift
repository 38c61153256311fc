/// The fields that the reading or the writing of a message depends on.
package enum HTTP1KnownField: UInt8, Hashable, Sendable {
    case other
    case host
    case connection
    case contentLength
    case transferEncoding
    case upgrade
    case expect
    case te
    case keepAlive
    case proxyConnection
    case proxyAuthorization
    case proxyAuthenticate
    case http2Settings
    case altSvc
    /// Forbidden in trailers, and not to be named by Connection; otherwise of no concern here.
    case endToEnd
}
