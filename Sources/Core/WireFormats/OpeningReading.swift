/// What the bytes that a client has sent so far are.
package enum OpeningReading: Equatable, Sendable {
    /// Not yet decided; with fewer than `total` bytes in all it can at most turn out malformed, so it need not be asked.
    ///
    /// If the time for sniffing runs out here, the opening is undecided, which is a verdict that policy judges.
    case needMore(total: Int)
    case tls(ClientHello)
    /// The whole head of an HTTP/1 request in origin or asterisk form.
    case http(HTTPOpening)
    /// The client preface of HTTP/2 without TLS (RFC 9113, section 3.4).
    case http2Preface
    /// Something else; it has no name that could be read.
    case opaque
    /// A request meant for a proxy.
    case proxyRequest(ProxyRequestKind)
    /// It is one of the protocols read here, and broken.
    case malformed(MalformedOpening)
}

/// The ways to ask a proxy for a connection; the raw values go into the audit.
package enum ProxyRequestKind: String, Hashable, Sendable, CaseIterable {
    /// HTTP CONNECT (RFC 9110, section 9.3.6).
    case connect
    /// An HTTP request with a whole URI as its target (RFC 9112, section 3.2.2).
    case absoluteForm = "absolute_form"
    /// SOCKS 4 or 4A.
    case socks4
    /// SOCKS 5 (RFC 1928).
    case socks5
}
