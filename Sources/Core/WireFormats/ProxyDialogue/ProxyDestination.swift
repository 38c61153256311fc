import NetworkTypes

/// Where a proxy is asked to connect to.
package struct ProxyDestination: Hashable, Sendable {
    package var host: Host
    package var port: UInt16

    package init(_ host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// A host, by name or by address.
    package enum Host: Hashable, Sendable {
        /// Whoever is asked looks the name up.
        case name(HostName)
        case address(IPAddress)
    }
}

extension ProxyDestination: CustomStringConvertible {
    /// The authority, as CONNECT has it: `example.com:443`, `203.0.113.7:443`, `[2001:db8::7]:443`.
    package var description: String {
        switch host {
        case .name(let name): "\(name.text):\(port)"
        case .address(let address): SocketAddress(address, port: port).description
        }
    }
}
