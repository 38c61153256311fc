/// An address and a port: one end of a connection.
package struct SocketAddress: Hashable, Sendable {
    package var address: IPAddress
    package var port: UInt16

    package init(_ address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `203.0.113.7:443` or `[2001:db8::7]:443`.
    package var description: String {
        switch address {
        case .v4(let address):
            var text = DottedText()
            text.append(address)
            text.append(UInt8(ascii: ":"))
            text.append(decimal: port)
            return text.string
        case .v6(let address): return "[\(address)]:\(port)"
        }
    }

    /// Reads what `description` writes, and nothing else.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = portNumber(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]", let address = IPv6Address(host.dropFirst().dropLast()) else { return nil }
            self.init(.v6(address), port: port)
        } else {
            guard let address = IPv4Address(host) else { return nil }
            host = ""
            self.init(.v4(address), port: port)
        }
    }
}

/// Reads a port in decimal: 0 to 65535, no sign, no leading zero, no space.
package func portNumber(_ text: some StringProtocol) -> UInt16? {
    let bytes = text.utf8
    guard (1...5).contains(bytes.count), bytes.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        bytes.count == 1 || bytes.first != UInt8(ascii: "0")
    else { return nil }
    return UInt16(text)
}

/// Where the agent's connection came from.
package struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    package var socket: SocketAddress

    package init(_ socket: SocketAddress) {
        self.socket = socket
    }

    package var description: String { socket.description }
}

/// Where the agent's connection was going before the kernel handed it to us.
///
/// It is evidence, not yet a place to dial.
package struct OriginalDestination: Hashable, Sendable, CustomStringConvertible {
    package var socket: SocketAddress

    package init(_ socket: SocketAddress) {
        self.socket = socket
    }

    package var description: String { socket.description }
}

/// An address that policy allowed to be dialled.
package struct UpstreamAddress: Hashable, Sendable, CustomStringConvertible {
    package var socket: SocketAddress

    package init(_ socket: SocketAddress) {
        self.socket = socket
    }

    package var description: String { socket.description }
}
