import NetfilterBindings
import NetworkTypes

/// The flags of `penstock-init`, each with its key in the configuration file.
package enum CaptureFlag: String, CaseIterable, Sendable {
    case mode = "mode"
    case cgroup = "cgroup"
    case sharedParent = "shared-parent"
    case gateway = "gateway"
    case proxyPort = "proxy-port"
    case explicitPort = "explicit-port"
    case dnsPort = "dns-port"
    case apiPort = "api-port"
    case healthPort = "health-port"
    case proxyUser = "proxy-uid"
    case proxyGroup = "proxy-gid"
    case inboundPort = "inbound-port"
    case dnsServer = "dns-server"
    case bypass = "bypass-cidr"
    case exempt = "exempt"
    case allowMetadata = "allow-metadata"
    case table = "table"
    case mark = "mark"
    case tproxyMark = "tproxy-mark"
    case tproxyPriority = "tproxy-priority"
    case tproxyTable = "tproxy-table"
    case config = "config"
    case watch = "watch"
    case watchSeconds = "watch-seconds"
    case adminSocket = "admin-socket"

    /// True for flags that may be given again, each time with one value more.
    package var isRepeatable: Bool {
        switch self {
        case .cgroup, .gateway, .inboundPort, .dnsServer, .bypass, .exempt: true
        case .mode, .sharedParent, .proxyPort, .explicitPort, .dnsPort, .apiPort, .healthPort, .proxyUser, .proxyGroup,
            .allowMetadata, .table, .mark, .tproxyMark, .tproxyPriority, .tproxyTable, .config, .watch, .watchSeconds,
            .adminSocket:
            false
        }
    }

    /// The most values that one of those may have.
    package var limit: Int {
        switch self {
        case .cgroup, .inboundPort, .bypass: 64
        case .gateway, .dnsServer, .exempt: 16
        case .mode, .sharedParent, .proxyPort, .explicitPort, .dnsPort, .apiPort, .healthPort, .proxyUser, .proxyGroup,
            .allowMetadata, .table, .mark, .tproxyMark, .tproxyPriority, .tproxyTable, .config, .watch, .watchSeconds,
            .adminSocket:
            1
        }
    }

    /// True for flags that stand alone.
    package var takesNoValue: Bool { self == .allowMetadata || self == .sharedParent || self == .watch }

    /// True for flags that say how the program runs, and have no key in the configuration file.
    var isOfTheRun: Bool {
        switch self {
        case .config, .watch, .watchSeconds, .adminSocket: true
        case .mode, .cgroup, .sharedParent, .gateway, .proxyPort, .explicitPort, .dnsPort, .apiPort, .healthPort,
            .proxyUser,
            .proxyGroup, .inboundPort, .dnsServer, .bypass, .exempt, .allowMetadata, .table, .mark,
            .tproxyMark, .tproxyPriority, .tproxyTable:
            false
        }
    }

    /// The mode without which it means nothing.
    var neededMode: CaptureMechanism? {
        switch self {
        case .tproxyMark, .tproxyPriority, .tproxyTable: .tproxy
        case .mode, .cgroup, .sharedParent, .gateway, .proxyPort, .explicitPort, .dnsPort, .apiPort, .healthPort,
            .proxyUser, .proxyGroup, .inboundPort, .dnsServer, .bypass, .exempt, .allowMetadata, .table, .mark, .config,
            .watch, .watchSeconds, .adminSocket:
            nil
        }
    }

    /// What a value must be, in words.
    var expected: String {
        switch self {
        case .mode: "redirect or tproxy"
        case .cgroup:
            "the path of a cgroup below the root of the unified hierarchy, such as penstock.slice/agent.service"
        case .gateway: "the whole name of a network interface other than lo, without wildcards, 15 octets at most"
        case .proxyPort, .explicitPort, .dnsPort, .apiPort, .healthPort, .inboundPort: "a port from 1 to 65535"
        case .proxyUser, .proxyGroup: "a number"
        case .dnsServer: "an IPv4 or IPv6 address"
        case .bypass: "CIDR:PORT, such as 10.0.0.0/8:5432 or [fd12:3456::/32]:5432, without bits set after the prefix"
        case .exempt: "UID:GID, such as 1337:1337"
        case .allowMetadata, .sharedParent: "true or false"
        case .table: "a name"
        case .mark: "a multiple of 256 that is not 0"
        case .tproxyMark: "VALUE/MASK, such as 0x70650000/0xffff0000, the value not 0 and within the mask"
        case .tproxyPriority: "a number from 1 to 32765"
        case .tproxyTable: "the number of a routing table"
        case .config: "the path of a file"
        case .watch: "no value"
        case .watchSeconds: "seconds from 1 to 3600"
        case .adminSocket: "a path that begins with /"
        }
    }

    /// Puts one value into the settings; false where it is not what is expected.
    func apply(_ value: String, to settings: inout CaptureSettings) -> Bool {
        switch self {
        case .mode: put(CaptureMechanism(rawValue: value), &settings.mechanism)
        case .cgroup: append(cgroupPath(value), &settings.cgroups)
        case .sharedParent: put(flagValue(value), &settings.allowsSharedParents)
        case .gateway: append(interfaceName(value), &settings.gatewayInterfaces)
        case .proxyPort: put(portNumber(value), &settings.ports.proxy)
        case .explicitPort: put(portNumber(value), &settings.ports.explicit)
        case .dnsPort: put(portNumber(value), &settings.ports.dns)
        case .apiPort: put(portNumber(value), &settings.ports.api)
        case .healthPort: put(portNumber(value), &settings.ports.health)
        case .proxyUser: put(decimal(value), &settings.daemon.user)
        case .proxyGroup: put(decimal(value), &settings.daemon.group)
        case .inboundPort: append(portNumber(value), &settings.inboundPorts)
        case .dnsServer: put(IPAddress(value).map { (settings.resolvers ?? []) + [$0] }, &settings.resolvers)
        case .bypass: append(Bypass(value), &settings.bypasses)
        case .exempt: append(Owner(value), &settings.exemptions)
        case .allowMetadata: put(flagValue(value), &settings.allowsMetadata)
        case .table: put(value, &settings.table)
        case .mark: put(number(value), &settings.markBase)
        case .tproxyMark: put(PacketMark(value), &settings.routing.mark)
        case .tproxyPriority: put(decimal(value), &settings.routing.priority)
        case .tproxyTable: put(decimal(value), &settings.routing.table)
        case .config, .watch: true
        case .watchSeconds: decimal(value).map { (1...3600).contains($0) } ?? false
        case .adminSocket: value.hasPrefix("/")
        }
    }

    /// Takes what an earlier source said of a list, so that the later one stands for all of it.
    func clear(_ settings: inout CaptureSettings) {
        switch self {
        case .cgroup: settings.cgroups = []
        case .gateway: settings.gatewayInterfaces = []
        case .inboundPort: settings.inboundPorts = []
        case .dnsServer: settings.resolvers = []
        case .bypass: settings.bypasses = []
        case .exempt: settings.exemptions = []
        case .mode, .sharedParent, .proxyPort, .explicitPort, .dnsPort, .apiPort, .healthPort, .proxyUser, .proxyGroup,
            .allowMetadata, .table, .mark, .tproxyMark, .tproxyPriority, .tproxyTable, .config, .watch, .watchSeconds,
            .adminSocket:
            break
        }
    }

    private func flagValue(_ text: String) -> Bool? { text == "true" ? true : text == "false" ? false : nil }

    private func put<Value>(_ value: Value?, _ place: inout Value) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private func put<Value>(_ value: Value?, _ place: inout Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private func append<Value>(_ value: Value?, _ list: inout [Value]) -> Bool {
        guard let value else { return false }
        list.append(value)
        return true
    }

    /// Without slashes around it; `nil` where a part is empty, `.` or `..`.
    private func cgroupPath(_ text: String) -> String? {
        let path = text.hasPrefix("/") ? text.dropFirst() : text[...]
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !path.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        return path.utf8.contains { $0 < 0x21 || $0 == 0x7f || $0 == UInt8(ascii: "\"") } ? nil : String(path)
    }

    private func interfaceName(_ text: String) -> String? {
        let octets = text.utf8
        guard (1...15).contains(octets.count), text != "lo", text != ".", text != ".." else { return nil }
        let isWrong = { (octet: UInt8) in octet < 0x21 || octet > 0x7e || [0x22, 0x2a, 0x2f, 0x3a].contains(octet) }
        return octets.contains(where: isWrong) ? nil : text
    }
}
