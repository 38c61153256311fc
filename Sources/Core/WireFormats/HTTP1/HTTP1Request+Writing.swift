/// How a request is sent on.
package struct HTTP1RequestForwarding: Hashable, Sendable {
    /// The last request of the upstream connection: `Connection: close` is written.
    package var closes = false
    /// Upgrade is sent on, with its Connection; else the request goes up without it.
    package var upgrades = false
    /// What Host says where the request, of HTTP/1.0, has none.
    package var hostIfAbsent: HTTPHost = .absent
    /// What becomes of fields; `nil`: they go up as they came.
    package var revision: HTTP1FieldRevision?

    package init(
        closes: Bool = false,
        upgrades: Bool = false,
        hostIfAbsent: HTTPHost = .absent,
        revision: HTTP1FieldRevision? = nil
    ) {
        self.closes = closes
        self.upgrades = upgrades
        self.hostIfAbsent = hostIfAbsent
        self.revision = revision
    }
}

extension HTTP1Request {
    /// Appends the head as it is sent to an origin server, written from its parsed form (RFC 9110, section 7.6).
    ///
    /// HTTP/1.1, the target in origin or asterisk form and otherwise as received, Host first and canonical, the other
    /// fields in order but for those of one hop, the framing as it was read. A body follows as `framing` says. A CONNECT
    /// is written with its authority as target.
    package func append(to buffer: inout [UInt8], forwarding: HTTP1RequestForwarding = HTTP1RequestForwarding()) {
        let upgrades = forwarding.upgrades && asksUpgrade
        buffer.reserveCapacity(buffer.count + headBytes + 64)
        appendRequestLine(to: &buffer)
        buffer.appendHost(host == .absent ? forwarding.hostIfAbsent : host)
        buffer.appendForwarded(fields, forwarding.revision)
        buffer.appendFraming(framing)
        if upgrades { buffer.appendUpgrade(fields) }
        if acceptsTrailers { buffer.appendField("TE", "trailers") }
        appendConnection(upgrades: upgrades, closes: forwarding.closes, to: &buffer)
        buffer.append("\r\n")
    }

    private func appendRequestLine(to buffer: inout [UInt8]) {
        switch form {
        // As it came: the reader takes one space behind each part, and this end of the line alone.
        case .origin where minorVersion == 1, .asterisk where minorVersion == 1:
            buffer.append(contentsOf: fields.bytes[..<(targetRange.upperBound + " HTTP/1.1\r\n".utf8.count)])
        case .origin, .asterisk, .authority, .absolute:
            buffer.append(contentsOf: methodBytes)
            buffer.append(" ")
            appendTarget(to: &buffer)
            buffer.append(" HTTP/1.1\r\n")
        }
    }

    private func appendConnection(upgrades: Bool, closes: Bool, to buffer: inout [UInt8]) {
        // Most requests have nothing to tell of their connection.
        guard upgrades || closes || acceptsTrailers else { return }
        var options: [String] = []
        if upgrades { options.append("upgrade") } else if closes { options.append("close") }
        if acceptsTrailers { options.append("TE") }
        buffer.appendField("Connection", options.joined(separator: ", "))
    }

    /// Origin form but for `*` and CONNECT; a whole URI loses its scheme and authority (RFC 9112, section 3.2).
    private func appendTarget(to buffer: inout [UInt8]) {
        switch form {
        case .origin, .asterisk: buffer.append(contentsOf: target)
        case .authority: buffer.append(host.authority)
        case .absolute:
            if targetsWholeServer {
                buffer.append("*")
            } else {
                buffer.append(contentsOf: path)
                if let query {
                    buffer.append("?")
                    buffer.append(contentsOf: query)
                }
            }
        }
    }
}
