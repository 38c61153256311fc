import NetworkTypes

/// What a server's certificate stands for: exactly one host, by name or by address.
package enum CertifiedName: Hashable, Sendable {
    case host(HostName)
    case address(IPAddress)
}

extension CertifiedName: CustomStringConvertible {
    /// `example.com`, `192.0.2.1`, `2001:db8::1`.
    package var description: String {
        switch self {
        case .host(let name): name.text
        case .address(let address): "\(address)"
        }
    }

    /// As OpenSSL's configuration writes a subject alternative name.
    ///
    /// Neither form can hold a comma or a blank: nothing else can be smuggled into the extension.
    var extensionValue: String {
        switch self {
        case .host(let name): "DNS:\(name.text)"
        case .address(let address): "IP:\(address)"
        }
    }
}
