import NetworkTypes

extension HTTPHost {
    /// The port, where one is written.
    package var port: UInt16? {
        switch self {
        case .name(_, let port), .address(_, let port): port
        case .absent, .malformed: nil
        }
    }

    /// The authority in its one form: lower case, an IPv6 address in brackets, a port where one was written.
    package var authority: String {
        let portText = port.map { ":\($0)" } ?? ""
        switch self {
        case .name(let name, _): return name.text + portText
        case .address(.v4(let address), port: _): return address.description + portText
        case .address(.v6(let address), port: _): return "[\(address)]\(portText)"
        case .absent, .malformed: return ""
        }
    }

    /// Whether the two name the same host and port, where a port that is not written is `defaultPort`.
    package func names(sameAs other: HTTPHost, defaultPort: UInt16) -> Bool {
        guard (port ?? defaultPort) == (other.port ?? defaultPort) else { return false }
        switch (self, other) {
        case (.name(let one, _), .name(let another, _)): return one == another
        case (.address(let one, _), .address(let another, _)): return one == another
        case (.absent, _), (.malformed, _), (.name, _), (.address, _): return false
        }
    }
}
