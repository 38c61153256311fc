/// How a request is sent on.
package struct HTTP1RequestForwarding: Hashable, Sendable {
    /// The last request of the upstream connection: `Connection: close` is written.
    package var closes = false
    /// Upgrade is sent on, with its Connection; else the request goes up without it.
    package var upgrades = false
    /// What Host says where the request, of HTTP/1.0, has none.
    package var hostIfAbsent: HTTPHost = .absent

    package init(closes: Bool = false, upgrades: Bool = false, hostIfAbsent: HTTPHost = .absent) {
        self.closes = closes
        self.upgrades = upgrades
        self.hostIfAbsent = hostIfAbsent
    }
}

extension HTTP1Request {
    /// Appends the head as it is sent to an origin server, written from its parsed form (RFC 9110, section 7.6).
    ///
    /// HTTP/1.1, the target in origin or asterisk form and otherwise as received, Host first and canonical, the other
    /// fields in order but for those of one hop, the framing as it was read. A body follows as `framing` says. A CONNECT
    /// is written with its authority as target.
    package func append(to buffer: inout [UInt8], forwarding: HTTP1RequestForwarding = HTTP1RequestForwarding()) {
        fatalError("to come")
    }
}
