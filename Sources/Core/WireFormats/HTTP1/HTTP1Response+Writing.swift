/// How a response is sent on.
package struct HTTP1ResponseForwarding: Hashable, Sendable {
    /// The minor version of the request: HTTP/1.0 gets no chunks and no 1xx, and is told where the connection stays.
    package var requestMinorVersion = 1
    /// The connection to the client ends behind this response: `Connection: close` is written.
    package var closes = false

    package init(requestMinorVersion: Int = 1, closes: Bool = false) {
        self.requestMinorVersion = requestMinorVersion
        self.closes = closes
    }
}

extension HTTP1Response {
    /// How the body is framed on its way to the client: as it was read, but to HTTP/1.0 a chunked one lasts until close.
    ///
    /// Where this is `untilClose`, the caller must close behind the body; the head then says so whatever `closes` says.
    package func forwardedFraming(_ forwarding: HTTP1ResponseForwarding) -> HTTP1Framing {
        fatalError("to come")
    }

    /// Appends the head as it is sent to the client, written from its parsed form (RFC 9110, section 7.6).
    ///
    /// HTTP/1.1, status and reason as received, the fields in order but for those of one hop and Alt-Svc, the framing as
    /// it was read. A 101 keeps its Upgrade. A 1xx must not be sent to HTTP/1.0.
    package func append(to buffer: inout [UInt8], forwarding: HTTP1ResponseForwarding = HTTP1ResponseForwarding()) {
        fatalError("to come")
    }
}
