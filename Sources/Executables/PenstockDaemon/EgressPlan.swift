import AuditTrail
import Configuration
import ConnectionJourney
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import PolicyEngine
import TLSInterception
import WireFormats

/// The ways out as they were configured; files are read when they are asked for.
struct EgressPlan: Sendable {
    var settings: [EgressName: EgressSettings]
    /// PEM files that proxies are verified by where a way says nothing else.
    var roots: [String]

    /// What policies may name.
    var kinds: [EgressName: EgressKind] { settings.mapValues(\.kind) }

    /// The files whose content the ways are made of; another one in their place is a reason to read the policy again.
    var paths: [String] {
        let proxies = settings.values.compactMap(\.proxy)
        return (proxies.compactMap(\.credentials) + proxies.flatMap { trust(of: $0) }).sorted()
    }

    /// Makes the ways, with what their files hold now.
    func read() throws(Complaint) -> WaysOut {
        let loaded: LoadedLogins
        do throws(ConfigurationError) {
            loaded = try loadLogins(settings)
        } catch {
            throw Complaint("egress: \(error)", .configuration)
        }
        for warning in loaded.warnings { say("warning: \(warning)") }
        var files: [String: [UInt8]] = [:]
        var ways: [EgressName: WayOut] = [:]
        for (name, way) in settings where !way.isBlackhole {
            let login = loaded.logins[name]
            if let path = way.proxy?.credentials, let login { files[path] = login.user + [0] + login.password }
            let proxy = try way.proxy.map { proxy throws(Complaint) in try self.proxy(proxy, name, login, &files) }
            ways[name] = WayOut(proxy: proxy, source: SocketSource(way))
        }
        return WaysOut(ways, from: files)
    }

    /// True where a way out takes the capability NET_ADMIN with each connection.
    var marks: Bool { settings.values.contains { $0.mark != nil } }

    /// Makes sure that the ways can be gone that take a capability.
    func checkMeans() throws(Complaint) {
        guard let name = settings.first(where: { $0.value.mark != nil })?.key else { return }
        do throws(SystemCallError) {
            try tryMarking()
        } catch {
            throw Complaint(
                "egress.\(name).mark: \(error); it takes the capability NET_ADMIN: give the daemon that, or remove `mark`",
                .unavailable
            )
        }
    }

    private func trust(of proxy: UpstreamProxySettings) -> [String] {
        guard let tls = proxy.tls else { return [] }
        return tls.trust.map { $0.map(\.path) } ?? roots
    }

    private func proxy(
        _ settings: UpstreamProxySettings,
        _ name: EgressName,
        _ login: ProxyLogin?,
        _ files: inout [String: [UInt8]]
    ) throws(Complaint) -> UpstreamProxy {
        let dialect: UpstreamProxy.Dialect
        switch settings.dialect {
        case .httpConnect:
            let text = login.map { "Basic \(String(base64: $0.user + [UInt8(ascii: ":")] + $0.password))" }
            dialect = .httpConnect(authorization: text.map { Array($0.utf8) })
        case .socks5: dialect = .socks5(login.flatMap { SOCKS5Credentials(user: $0.user, password: $0.password) })
        }
        var tls: ProxyTLS?
        if let wanted = settings.tls {
            let roots = try readTrust(of: settings, name, &files)
            do throws(TLSFailure) {
                tls = try ProxyTLS((wanted.name ?? settings.host).certified, trusting: roots)
            } catch {
                throw Complaint("egress.\(name).http_connect.tls cannot be set up", .unavailable)
            }
        }
        return UpstreamProxy(ProxyDestination(settings.host.destination, port: settings.port), dialect, tls: tls)
    }

    private func readTrust(
        of settings: UpstreamProxySettings,
        _ name: EgressName,
        _ files: inout [String: [UInt8]]
    ) throws(Complaint) -> [Certificate] {
        var roots: [Certificate] = []
        for path in trust(of: settings) {
            do throws(AuthorityError) {
                let read = try SystemRoots.read(path)
                files[path] = read.flatMap(\.der)
                roots += read
            } catch {
                throw Complaint("egress.\(name).http_connect.tls.trust: \(error)", .configuration)
            }
        }
        return roots
    }

    /// What the log says of the ways at the start; nothing of credentials.
    var announcement: String? {
        guard !settings.isEmpty else { return nil }
        let ways = settings.sorted { $0.key.text < $1.key.text }.map { "\($0.key) (\($0.value.words))" }
        return "ways out: direct, " + ways.joined(separator: ", ")
    }
}

extension SocketSource {
    /// `nil` where the machine chooses.
    fileprivate init?(_ way: EgressSettings) {
        guard way.bind != nil || way.mark != nil else { return nil }
        self.init(addresses: way.bind?.addresses ?? [], interface: way.bind?.interface, mark: way.mark)
    }
}

extension UpstreamProxySettings.Host {
    fileprivate var certified: CertifiedName {
        switch self {
        case .name(let name): .host(name)
        case .address(let address): .address(address)
        }
    }

    fileprivate var destination: ProxyDestination.Host {
        switch self {
        case .name(let name): .name(name)
        case .address(let address): .address(address)
        }
    }
}

extension EgressSettings {
    fileprivate var words: String {
        if isBlackhole { return "blackhole" }
        var words: [String] = []
        if let proxy {
            let place = ProxyDestination(proxy.host.destination, port: proxy.port)
            words.append("\(proxy.dialect.rawValue) \(place)\(proxy.tls == nil ? "" : " in TLS")")
        }
        words += bind?.addresses.map { "from \($0)" } ?? []
        if let interface = bind?.interface { words.append("by \(interface)") }
        if let mark { words.append("mark \(mark)") }
        return words.joined(separator: ", ")
    }
}
