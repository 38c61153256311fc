import NetworkTypes
import SourceDocuments

extension SourceNode {
    /// Reads a path from the root: a relative one would depend on where the daemon was started.
    func absolutePath(_ subject: String, expected: String = "an absolute path") throws(SourceProblem) -> String {
        let text = try string(subject, expected: expected)
        // 4095 octets are the longest path that the kernel takes.
        guard text.hasPrefix("/"), text.utf8.count <= 4095, !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else {
            throw SourceProblem("\(subject) is `\(printable(text))`, expected \(expected)", at: location)
        }
        return text
    }

    /// Reads an IP address.
    func address(_ subject: String) throws(SourceProblem) -> IPAddress {
        let text = try string(subject, expected: "an IP address")
        guard let address = IPAddress(text) else {
            throw SourceProblem("\(subject) is `\(printable(text))`, expected an IP address", at: location)
        }
        return address
    }

    /// Reads `UID:GID`; root is nobody who could be let in.
    func owner(_ subject: String) throws(SourceProblem) -> ListenSettings.AdminOwner {
        let expected = "UID:GID such as \"10880:10880\", without UID 0"
        let text = try string(subject, expected: expected)
        guard let owner = ListenSettings.AdminOwner(text) else {
            throw SourceProblem("\(subject) is `\(printable(text))`, expected \(expected)", at: location)
        }
        return owner
    }

    /// Reads a DNS server: an address, or an address and a port.
    func server(_ subject: String) throws(SourceProblem) -> SocketAddress {
        let expected = "an IP address, or one with a port such as 10.96.0.10:53 or [2001:db8::53]:53"
        let text = try string(subject, expected: expected)
        if let address = IPAddress(text) { return try oneServer(SocketAddress(address, port: 53), subject) }
        guard let server = SocketAddress(text), server.port != 0 else {
            throw SourceProblem("\(subject) is `\(printable(text))`, expected \(expected)", at: location)
        }
        return try oneServer(server, subject)
    }

    /// Refuses addresses that no single server has, and those that leave in another family than they are written in.
    private func oneServer(_ server: SocketAddress, _ subject: String) throws(SourceProblem) -> SocketAddress {
        let address = server.address
        guard !address.isMappedIPv4 else {
            throw SourceProblem(
                "\(subject) is `\(address)`: IPv4-mapped addresses leave as IPv4",
                at: location,
                remedy: "write \(address.unmapped)"
            )
        }
        guard address.isOneMachines else {
            throw SourceProblem(
                "\(subject) is `\(address)`, which is no address of a single server",
                at: location,
                remedy: "name the server's own"
            )
        }
        return server
    }

    /// Reads a name for the record: text of one line, at most 253 octets, as Kubernetes names are.
    func label(_ subject: String) throws(SourceProblem) -> String {
        let text = try string(subject)
        guard text.utf8.count <= 253,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw SourceProblem(
                "\(subject) is no name, expected at most 253 octets without control characters",
                at: location
            )
        }
        return text
    }
}

extension MappingReader {
    /// An absolute path; one of a Unix socket fits into its address, 107 octets (unix(7)).
    mutating func path(_ key: String, socket: Bool = false) -> String? {
        value(key) { node, subject throws(SourceProblem) in
            let path = try node.absolutePath(subject)
            guard !socket || path.utf8.count <= 107 else {
                throw SourceProblem("\(subject) has \(path.utf8.count) octets, expected 107 at most", at: node.location)
            }
            return path
        }
    }

    /// A port that can be listened on.
    mutating func port(_ key: String) -> UInt16? {
        integer(key, in: 1...65535).flatMap { UInt16(exactly: $0) }
    }

    /// The items, if there are any; a list without any is noted, for leaving the key out is how to say "the default".
    mutating func notEmpty<Item>(_ items: [Item], _ key: String) -> [Item]? {
        if case .sequence(let given)? = node(key)?.content, given.isEmpty {
            note(SourceProblem("`\(key)` is empty", at: location(of: key), remedy: "name one, or remove the key"))
        }
        return items.isEmpty ? nil : items
    }
}

/// The text with a replacement character for everything that a terminal would obey.
private func printable(_ text: String) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{fffd}" : $0 }
        )
    )
}
