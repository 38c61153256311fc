import NetworkTypes

/// What the head of an HTTP/1 request shows to the sniffer; whoever relays the request parses it again, whole.
package struct HTTPOpening: Hashable, Sendable {
    /// The method as sent; methods are case-sensitive (RFC 9110, section 9.1).
    package var method: String
    package var target: TargetForm
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    package var minorVersion: Int
    package var host: HTTPHost
    /// The length of the head with the empty line at its end.
    package var headBytes: Int

    package init(
        method: String,
        target: TargetForm = .origin,
        minorVersion: Int = 1,
        host: HTTPHost,
        headBytes: Int
    ) {
        self.method = method
        self.target = target
        self.minorVersion = minorVersion
        self.host = host
        self.headBytes = headBytes
    }

    /// The forms of a target that are no proxy's business (RFC 9112, section 3.2).
    package enum TargetForm: Hashable, Sendable {
        /// A path.
        case origin
        /// `*`, of OPTIONS only.
        case asterisk
    }
}

/// What a Host field says (RFC 9110, section 7.2).
package enum HTTPHost: Hashable, Sendable {
    /// No such field, which only HTTP/1.0 may do.
    case absent
    case name(HostName, port: UInt16?)
    /// A dotted quad, or an IPv6 address in brackets.
    case address(IPAddress, port: UInt16?)
    /// No host name; an address in any other form among them. User information makes it `notLDH`.
    case malformed(HostName.Malformed)
}

extension HTTPHost {
    /// Reads the value of the field, without the white space around it; `nil` where its port is none.
    init?(value: Span<UInt8>) {
        var end = value.count
        var port: UInt16?
        if let colon = Self.portColon(in: value) {
            guard let number = portNumber(text(of: value.extracting(colon + 1..<value.count))) else { return nil }
            port = number
            end = colon
        }
        let host = text(of: value.extracting(0..<end))
        guard !host.isEmpty || end == 0 else {
            // Octets that are no text at all.
            self = .malformed(.notLDH)
            return
        }
        do throws(HostName.Malformed) {
            self = .name(try HostName(octets: host.utf8), port: port)
        } catch {
            if error == .addressLiteral, let address = Self.address(host) {
                self = .address(address, port: port)
            } else {
                self = .malformed(error)
            }
        }
    }

    /// The position of the colon before the port: the only one, or the one right behind a bracket.
    private static func portColon(in value: Span<UInt8>) -> Int? {
        guard value.count > 0 else { return nil }
        let bracketed = value[0] == UInt8(ascii: "[")
        for index in value.indices where value[index] == UInt8(ascii: ":") {
            if !bracketed || value[index - 1] == UInt8(ascii: "]") { return index }
        }
        return nil
    }

    private static func address(_ host: String) -> IPAddress? {
        if host.first == "[", host.last == "]" { return IPv6Address(host.dropFirst().dropLast()).map(IPAddress.v6) }
        return IPv4Address(host).map(IPAddress.v4)
    }
}
