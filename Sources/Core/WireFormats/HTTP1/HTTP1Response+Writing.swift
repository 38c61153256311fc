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
        framing == .chunked && forwarding.requestMinorVersion == 0 ? .untilClose : framing
    }

    /// Appends the head as it is sent to the client, written from its parsed form (RFC 9110, section 7.6).
    ///
    /// HTTP/1.1, status and reason as received, the fields in order but for those of one hop and Alt-Svc, the framing as
    /// it was read. A 101 keeps its Upgrade. A 1xx must not be sent to HTTP/1.0.
    package func append(to buffer: inout [UInt8], forwarding: HTTP1ResponseForwarding = HTTP1ResponseForwarding()) {
        buffer.reserveCapacity(buffer.count + headBytes + 64)
        if let line = canonicalStatusLine {
            buffer.appendForwarded(fields, behind: line)
        } else {
            buffer.append("HTTP/1.1 ")
            buffer.append(contentsOf: statusDigits)
            buffer.append(" ")
            buffer.append(contentsOf: reason)
            buffer.append("\r\n")
            buffer.appendForwarded(fields)
        }
        let follows = forwardedFraming(forwarding)
        // HTTP/1.0 has no chunks to be told of.
        let isTold = declaredFraming != .chunked || forwarding.requestMinorVersion > 0
        if isTold { buffer.appendFraming(declaredFraming) }
        appendConnection(follows, forwarding, to: &buffer)
        buffer.append("\r\n")
    }

    /// The octets of the status line, with its end, where they are as they would be written.
    private var canonicalStatusLine: Range<Int>? {
        let bytes = fields.bytes
        let end = reasonRange.upperBound
        // Behind `HTTP/1.1 200` stands a space, though a reason may be missing.
        guard minorVersion == 1, reasonRange.lowerBound == 13, bytes[12] == UInt8(ascii: " "),
            bytes[end] == UInt8(ascii: "\r"), bytes[end + 1] == UInt8(ascii: "\n")
        else { return nil }
        return 0..<end + 2
    }

    /// What the client is told of its connection; of 1xx nothing, but for the change of protocol.
    private func appendConnection(
        _ follows: HTTP1Framing,
        _ forwarding: HTTP1ResponseForwarding,
        to buffer: inout [UInt8]
    ) {
        if isSwitch {
            buffer.appendUpgrade(fields)
            buffer.appendField("Connection", "upgrade")
        } else if isInformational {
            return
        } else if forwarding.closes || follows == .untilClose {
            buffer.appendField("Connection", "close")
        } else if forwarding.requestMinorVersion == 0 {
            buffer.appendField("Connection", "keep-alive")
        }
    }
}
