import PolicyEngine

/// Who the daemon is to a proxy.
///
/// It never prints: descriptions and mirrors of it, and of whatever holds it, say that there is one and nothing more.
package struct ProxyLogin: Hashable, Sendable {
    package let user: [UInt8]
    package let password: [UInt8]

    /// Takes the content of a file: `user:password` on one line; a line end behind it is not part of it.
    ///
    /// - Returns: `nil` for anything else, and where one of them is empty, has more than 255 octets (RFC 1929, section 2), or
    ///   has control characters.
    init?(fileContent: [UInt8]) {
        var octets = fileContent[...]
        if octets.last == UInt8(ascii: "\n") { octets = octets.dropLast() }
        if octets.last == UInt8(ascii: "\r") { octets = octets.dropLast() }
        guard let colon = octets.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        user = Array(octets[..<colon])
        password = Array(octets[(colon + 1)...])
        guard !octets.contains(where: { $0 < 0x20 || $0 == 0x7f }), (1...255).contains(user.count),
            (1...255).contains(password.count)
        else { return nil }
    }
}

extension ProxyLogin: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(credentials)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}

/// Credentials for proxies as they were read from their files.
package struct LoadedLogins: Sendable {
    package let logins: [EgressName: ProxyLogin]
    /// What is open to more users than need it, in the order of the names.
    package let warnings: [String]
}

/// Reads the credentials of the ways out that have any, each from the file that the configuration names.
///
/// - Throws: why one of them cannot be read, or is none; nothing of its content is told.
package func loadLogins(_ ways: [EgressName: EgressSettings]) throws(ConfigurationError) -> LoadedLogins {
    var logins: [EgressName: ProxyLogin] = [:]
    var warnings: [String] = []
    for (name, settings) in ways.sorted(by: { $0.key.text < $1.key.text }) {
        guard let path = settings.proxy?.credentials else { continue }
        let (content, openness) = try readPrivately(path, limit: 514)
        guard let login = ProxyLogin(fileContent: content) else {
            throw .file(FileProblem(path: path, cause: .noCredentials))
        }
        logins[name] = login
        warnings += openness.map { "the credentials of `\(name)`, \(path), \($0)" }
    }
    return LoadedLogins(logins: logins, warnings: warnings)
}
