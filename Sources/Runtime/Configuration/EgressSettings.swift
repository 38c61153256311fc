import NetworkTypes
import PolicyEngine
import SourceDocuments

/// A way out that policies may name.
package struct EgressSettings: Hashable, Sendable {
    /// The proxy that leads out; `nil`: none does.
    package var proxy: UpstreamProxySettings?
    /// What is let through goes nowhere.
    package var isBlackhole = false
    /// Where connections come from; `nil`: the machine chooses.
    package var bind: BindSettings?
    /// What the kernel's routing and firewall know the connections by (`SO_MARK`).
    package var mark: UInt32?

    package init() {}

    /// Who finds the address of a name that goes this way.
    package var kind: EgressKind {
        if isBlackhole { return .nowhere }
        return proxy?.resolvesThere ?? false ? .there : .here
    }
}

/// A proxy that leads out.
package struct UpstreamProxySettings: Hashable, Sendable {
    package var dialect: Dialect
    package var host: Host
    package var port: UInt16
    /// How it is spoken to in TLS; `nil`: it is not.
    package var tls: TLSSettings?
    /// The file with `user:password`; `nil`: it asks for none.
    package var credentials: String?
    /// It is told names, and looks them up itself.
    package var resolvesThere: Bool

    /// What is spoken with it.
    package enum Dialect: String, Hashable, Sendable, CaseIterable {
        /// CONNECT (RFC 9110, section 9.3.6).
        case httpConnect = "http_connect"
        /// RFC 1928.
        case socks5
    }

    /// What stands in the place of a host.
    package enum Host: Hashable, Sendable {
        case name(HostName)
        case address(IPAddress)
    }

    /// How a proxy is spoken to in TLS.
    package struct TLSSettings: Hashable, Sendable {
        /// `nil`: what upstream servers are checked against.
        package var trust: [DialSettings.TrustSource]?
        /// Whom its certificate has to stand for; `nil`: for the host that is dialled.
        package var name: Host?
    }
}

/// Where connections come from.
package struct BindSettings: Hashable, Sendable {
    /// At most one of a family, and no other family is used; empty: the machine chooses.
    package var addresses: [IPAddress]
    package var interface: String?
}

extension MappingReader {
    /// Reads `egress`: the ways out by their names; `isRouted` where connections are captured by TPROXY, whose mark is taken.
    mutating func readEgress(besideRouting isRouted: Bool) -> [EgressName: EgressSettings] {
        var ways: [EgressName: EgressSettings] = [:]
        for key in keys {
            let settings = mapping(key, .optional) { EgressSettings.read(&$0, besideRouting: isRouted) }
            guard let name = EgressName(key) else {
                note(
                    SourceProblem(
                        "this is no name of a way out",
                        at: keyLocation(of: key),
                        remedy: "write at most 64 lower-case letters, digits, `-`, `_` and `.`"
                    )
                )
                continue
            }
            if name == .direct {
                let fault = "`direct` is built in: the machine's own routes"
                note(SourceProblem(fault, at: keyLocation(of: key), remedy: "give this way out another name"))
            }
            ways[name] = settings
        }
        return ways
    }
}

extension EgressSettings {
    fileprivate static func read(_ reader: inout MappingReader, besideRouting isRouted: Bool) -> EgressSettings? {
        var settings = EgressSettings()
        let place = reader.location
        let kinds = ["http_connect", "socks5", "blackhole"].filter { reader.has($0) }
        let http = reader.mapping("http_connect") { UpstreamProxySettings.read(&$0, .httpConnect) }
        let socks = reader.mapping("socks5") { UpstreamProxySettings.read(&$0, .socks5) }
        settings.proxy = http ?? socks
        if reader.has("blackhole") {
            settings.isBlackhole = true
            _ = reader.mapping("blackhole") { _ in true }
        }
        settings.bind = reader.mapping("bind") { BindSettings.read(&$0) }
        settings.mark = reader.value("mark", .optional) { node, subject throws(SourceProblem) in
            let mark = try readMark(node, subject)
            guard isRouted, TransparentMark.leadsBack(mark) else { return mark }
            throw SourceProblem(
                "\(subject) is 0x\(String(mark, radix: 16)), by which penstock-init --mode tproxy leads connections back to the daemon "
                    + "(--tproxy-mark \(TransparentMark.text))",
                at: node.location,
                remedy: "choose a mark whose upper 16 bits are others"
            )
        }
        let those = "`http_connect`, `socks5`, `bind`, `mark` or `blackhole`"
        if kinds.count > 1 {
            let both = kinds.map { "`\($0)`" }.joined(separator: " and ")
            reader.note(SourceProblem("one way out cannot be \(both)", at: place, remedy: "make it two"))
        } else if kinds.isEmpty, !reader.has("bind"), !reader.has("mark") {
            reader.note(SourceProblem("the way out leads nowhere", at: place, remedy: "say \(those)"))
        }
        if settings.isBlackhole, reader.has("bind") || reader.has("mark") {
            let fault = "a blackhole dials nothing that `bind` or `mark` could be about"
            reader.note(SourceProblem(fault, at: place, remedy: "remove them"))
        }
        return settings
    }
}

extension BindSettings {
    fileprivate static func read(_ reader: inout MappingReader) -> BindSettings? {
        let place = reader.location(of: "address")
        let addresses = readAddresses(&reader) ?? []
        let interface = reader.value("interface") { node, subject throws(SourceProblem) in
            let text = try node.string(subject, expected: "the name of an interface")
            // IFNAMSIZ, and what the kernel takes in a name (net/core/dev.c, dev_valid_name).
            let isName = text.utf8.count <= 15 && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x2f }
            guard isName, text != ".", text != ".." else {
                throw SourceProblem("\(subject) is no name of an interface", at: node.location)
            }
            return text
        }
        for family in [AddressFamily.ipv4, .ipv6] where addresses.count(where: { $0.family == family }) > 1 {
            let fault = "`address` has more than one of \(family == .ipv4 ? "IPv4" : "IPv6")"
            reader.note(SourceProblem(fault, at: place, remedy: "name one of each family"))
        }
        if !reader.has("address"), !reader.has("interface") {
            let remedy = "name an `address` or an `interface`"
            reader.note(SourceProblem("`bind` binds to nothing", at: reader.location, remedy: remedy))
        }
        return BindSettings(addresses: addresses, interface: interface)
    }

    /// One address, or a list of them.
    private static func readAddresses(_ reader: inout MappingReader) -> [IPAddress]? {
        guard case .sequence? = reader.node("address")?.content else {
            return reader.value("address") { node, subject throws(SourceProblem) in [try readSource(node, subject)] }
        }
        let addresses = reader.list("address", of: "addresses") { node, subject throws(SourceProblem) in
            try readSource(node, subject)
        }
        return addresses.flatMap { reader.notEmpty($0, "address") }
    }
}

extension UpstreamProxySettings {
    private enum Resolving: String, CaseIterable {
        case proxy
        case local
    }

    fileprivate static func read(_ reader: inout MappingReader, _ dialect: Dialect) -> UpstreamProxySettings? {
        let place = reader.value("address", .required) { node, subject throws(SourceProblem) in
            try readPlace(node, subject)
        }
        let resolving = reader.choice("resolve", of: Resolving.self) ?? .proxy
        let credentials = reader.path("credentials")
        var tls: TLSSettings?
        switch dialect {
        case .httpConnect: tls = reader.mapping("tls") { TLSSettings.read(&$0) }
        case .socks5:
            reader.refuseKey("tls", "SOCKS5 is not spoken in TLS", remedy: "remove it, or use `http_connect`")
        }
        guard let (host, port) = place else { return nil }
        return UpstreamProxySettings(
            dialect: dialect,
            host: host,
            port: port,
            tls: tls,
            credentials: credentials,
            resolvesThere: resolving == .proxy
        )
    }
}

extension UpstreamProxySettings.TLSSettings {
    fileprivate static func read(_ reader: inout MappingReader) -> Self? {
        let trust = DialSettings.trust(&reader)
        let name = reader.value("name") { node, subject throws(SourceProblem) in
            let text = try node.string(subject, expected: "a host name or an IP address")
            return try readHost(text, subject, node)
        }
        return Self(trust: trust, name: name)
    }
}

extension MappingReader {
    /// Refuses a key that belongs to a neighbour of this mapping.
    fileprivate mutating func refuseKey(_ key: String, _ fault: String, remedy: String) {
        guard has(key) else { return }
        _ = node(key)
        note(SourceProblem("`\(key)`: \(fault)", at: keyLocation(of: key), remedy: remedy))
    }
}

/// Reads an address of this machine: the wildcards are none, and would leave the choice to the kernel in silence.
private func readSource(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> IPAddress {
    let address = try node.address(subject)
    if address.isOneMachines { return address }
    throw SourceProblem(
        "\(subject) is \(address), from which nothing can be sent",
        at: node.location,
        remedy: "write an address that this machine has"
    )
}

/// Reads a mark: a number, or text such as "0x10", as routing tables and firewalls write it.
private func readMark(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> UInt32 {
    if case .string(let text) = node.content {
        guard text.hasPrefix("0x"), let mark = UInt32(text.dropFirst(2), radix: 16), mark > 0 else {
            throw SourceProblem(
                "\(subject) is `\(text)`, expected 1 to 4294967295, or \"0x1\" to \"0xffffffff\"",
                at: node.location
            )
        }
        return mark
    }
    return UInt32(clamping: try node.integer(subject, in: 1...Int(UInt32.max)))
}

/// Reads `HOST:PORT`: a name, an IPv4 address, or an IPv6 address in brackets.
private func readPlace(
    _ node: SourceNode,
    _ subject: String
) throws(SourceProblem) -> (UpstreamProxySettings.Host, UInt16) {
    let expected = "a host and a port, such as proxy.corp.example:3128 or [2001:db8::7]:3128"
    let text = try node.string(subject, expected: expected)
    if let socket = SocketAddress(text), socket.port != 0 { return (.address(socket.address), socket.port) }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port != 0,
        !text[..<colon].contains(":")
    else { throw SourceProblem("\(subject) is `\(text)`, expected \(expected)", at: node.location) }
    return (try readHost(String(text[..<colon]), subject, node), port)
}

private func readHost(_ text: String, _ subject: String, _ node: SourceNode) throws(SourceProblem)
    -> UpstreamProxySettings.Host
{
    if let address = IPAddress(text) { return .address(address) }
    do throws(HostName.Malformed) {
        return .name(try HostName(text))
    } catch {
        throw SourceProblem("\(subject): the host is no name: \(error.explanation(for: text))", at: node.location)
    }
}
