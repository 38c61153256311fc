import NetworkTypes
import Posture

/// Settings that were judged as a whole: what rules are made from.
package struct CapturePlan: Hashable, Sendable {
    package let table: String
    package let mechanism: CaptureMechanism
    package private(set) var scope: CaptureScope
    package let ports: DaemonPorts
    package let daemon: Owner
    /// Ascending, without the health port.
    package let inboundPorts: [UInt16]
    package let resolvers: [IPAddress]
    package let bypasses: [Bypass]
    package let exemptions: [Owner]
    package let allowsMetadata: Bool
    package let marks: FlowMarks
    /// What belongs to `CaptureMechanism.tproxy` alone: see `routes`.
    package let routing: RoutePlan

    /// Judges the settings; `resolvers` stand in where the settings name none.
    package init(
        _ settings: CaptureSettings,
        systemResolvers: [IPAddress],
        controlGroups: ControlGroups? = nil
    ) throws(PlanProblem) {
        mechanism = settings.mechanism
        try Self.checkScopes(settings)
        guard settings.cgroups.isEmpty || controlGroups != nil else { throw .cgroupsNotFound }
        scope = try Self.checked(controlGroups: controlGroups, gateway: unique(settings.gatewayInterfaces))
        table = try Self.checked(table: settings.table)
        ports = try Self.checked(settings.ports)
        daemon = try Self.checked(daemon: settings.daemon)
        inboundPorts = try Self.checked(inbound: settings.inboundPorts, settings.ports)
        // Whom this machine asks, those behind it need not be able to.
        let standIns = settings.gatewayInterfaces.isEmpty ? systemResolvers : []
        resolvers = try Self.checked(resolvers: unique(settings.resolvers ?? standIns))
        bypasses = try Self.checked(settings.bypasses, allowsMetadata: settings.allowsMetadata)
        exemptions = try Self.checked(settings.exemptions, daemon: settings.daemon)
        allowsMetadata = settings.allowsMetadata
        routing = try Self.checked(settings.routing)
        guard let marks = FlowMarks(base: settings.markBase) else { throw .markBase }
        self.marks = marks
        try checkGateway()
    }

    /// The same plan for the cgroups as they are now.
    package func with(_ groups: ControlGroups) -> CapturePlan {
        var plan = self
        plan.scope = .controlGroups(groups)
        return plan
    }

    /// Every hole in the plan, one line each: what no policy governs.
    package var ungoverned: [String] {
        resolvers.map { Grant.dns($0).description } + bypasses.map { Grant.bypass($0).description }
            + exemptions.map { Grant.exemption($0).description } + ungovernedOfHost
    }

    /// What makes the plan less than a boundary; empty where nothing does.
    package var weaknesses: [PlanWeakness] {
        exemptions.map { PlanWeakness(.exemption, Grant.exemption($0).description) }
            + bypasses.filter { isMetadata($0.block) }.map { bypass in
                PlanWeakness(.metadata, "metadata by \(Grant.bypass(bypass))")
            }
            + weaknessesOfHost
    }
}

extension CapturePlan {
    /// Refuses what cannot be asked for at once, whatever this machine has.
    package static func checkScopes(_ settings: CaptureSettings) throws(PlanProblem) {
        guard settings.cgroups.isEmpty || settings.gatewayInterfaces.isEmpty else { throw .twoScopes }
        guard !settings.allowsSharedParents || !settings.cgroups.isEmpty else { throw .sharedParentWithoutCgroup }
    }

    private static func checked(controlGroups: ControlGroups?, gateway: [String]) throws(PlanProblem) -> CaptureScope {
        guard (controlGroups?.captured.count ?? 0) + (controlGroups?.absent.count ?? 0) <= CaptureFlag.cgroup.limit
        else { throw .tooMany(.cgroup) }
        guard gateway.count <= CaptureFlag.gateway.limit else { throw .tooMany(.gateway) }
        switch (controlGroups, gateway.isEmpty) {
        case (nil, true): return .everything
        case (.some(let groups), true): return .controlGroups(groups)
        case (nil, false): return .gateway(gateway)
        case (.some, false): throw .twoScopes
        }
    }

    private static func checked(_ routing: RoutePlan) throws(PlanProblem) -> RoutePlan {
        guard (1...32765).contains(routing.priority) else { throw .rulePriority(routing.priority) }
        // 253, 254 and 255 are the kernel's own: default, main, local.
        guard routing.table > 0, !(253...255).contains(routing.table) else { throw .routingTable(routing.table) }
        return routing
    }

    private static func checked(table: String) throws(PlanProblem) -> String {
        let bytes = Array(table.utf8)
        let isLetter = { (byte: UInt8) in (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) }
        let isRest = { (byte: UInt8) in
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
        guard (1...31).contains(bytes.count), isLetter(bytes[0]), bytes.allSatisfy(isRest) else {
            throw .tableName(table)
        }
        guard !reservedWords.contains(table) else { throw .tableName(table) }
        return table
    }

    /// Words of nft's own language that cannot name a table in `print`.
    private static let reservedWords: Set<String> = [
        "accept", "add", "arp", "bridge", "chain", "counter", "create", "ct", "delete", "drop", "inet", "ip", "ip6",
        "list",
        "meta", "netdev", "rule", "set", "table", "tcp", "udp",
    ]

    private static func checked(_ ports: DaemonPorts) throws(PlanProblem) -> DaemonPorts {
        for (index, one) in ports.named.enumerated() {
            guard one.port != 0 else { throw .daemonPortZero(one.flag) }
            let other = ports.named[..<index].first { $0.port == one.port }
            if let other { throw .daemonPortTwice(other.flag, one.flag, one.port) }
        }
        return ports
    }

    private static func checked(daemon: Owner) throws(PlanProblem) -> Owner {
        guard daemon.user != 0 else { throw .daemonIsRoot }
        guard daemon.user != .max else { throw .noSuchOwner(.proxyUser, daemon) }
        guard daemon.group != .max else { throw .noSuchOwner(.proxyGroup, daemon) }
        return daemon
    }

    private static func checked(inbound: [UInt16], _ ports: DaemonPorts) throws(PlanProblem) -> [UInt16] {
        guard !inbound.contains(0) else { throw .inboundPortZero }
        for port in [ports.proxy, ports.explicit, ports.dns] where inbound.contains(port) {
            throw .inboundPortIsOurs(port)
        }
        guard Set(inbound).count <= CaptureFlag.inboundPort.limit else { throw .tooMany(.inboundPort) }
        return Set(inbound).subtracting([ports.health]).sorted()
    }

    private static func checked(resolvers: [IPAddress]) throws(PlanProblem) -> [IPAddress] {
        guard resolvers.count <= CaptureFlag.dnsServer.limit else { throw .tooMany(.dnsServer) }
        for address in resolvers {
            guard !address.isMappedIPv4 else { throw .mappedResolver(address) }
            guard address.isOneMachines else { throw .badResolver(address) }
        }
        return resolvers
    }

    private static func checked(_ bypasses: [Bypass], allowsMetadata: Bool) throws(PlanProblem) -> [Bypass] {
        guard bypasses.count <= CaptureFlag.bypass.limit else { throw .tooMany(.bypass) }
        for bypass in bypasses {
            guard bypass.port != 0 else { throw .bypassPortZero(bypass) }
            guard bypass.block.prefixLength > 0 else { throw .bypassOfEverything(bypass) }
            guard !loopback.contains(where: bypass.block.overlaps) else { throw .bypassOfLoopback(bypass) }
            guard !mapped.contains(where: bypass.block.overlaps) else { throw .bypassOfMapped(bypass) }
            guard allowsMetadata || !isMetadata(bypass.block) else { throw .bypassOfMetadata(bypass) }
        }
        return unique(bypasses)
    }

    private static func checked(_ exemptions: [Owner], daemon: Owner) throws(PlanProblem) -> [Owner] {
        guard exemptions.count <= CaptureFlag.exempt.limit else { throw .tooMany(.exempt) }
        for owner in exemptions {
            guard owner != daemon else { throw .exemptionOfDaemon(owner) }
            guard owner.user != .max, owner.group != .max else { throw .noSuchOwner(.exempt, owner) }
        }
        return unique(exemptions)
    }

    private static let loopback = [
        CIDR(.v4(IPv4Address(127, 0, 0, 0)), prefixLength: 8), CIDR(single: .v6(IPv6Address(high: 0, low: 1))),
    ].compactMap { $0 }

    /// `::ffff:0:0/96`.
    private static let mapped = [CIDR(.v6(IPv6Address(high: 0, low: 0xffff_0000_0000)), prefixLength: 96)].compactMap {
        $0
    }
}

/// Each once, in the order of their first appearance.
private func unique<Item: Hashable>(_ items: [Item]) -> [Item] {
    var seen: Set<Item> = []
    return items.filter { seen.insert($0).inserted }
}

/// One thing that is let by: its words are the rule's comment and the line of the report.
enum Grant: CustomStringConvertible {
    case dns(IPAddress)
    case bypass(Bypass)
    case exemption(Owner)

    var description: String {
        switch self {
        case .dns(let address): "dns \(address) udp+tcp 53"
        case .bypass(let bypass): "bypass tcp \(bypass)"
        case .exemption(let owner): "exempt \(owner)"
        }
    }

    var comment: String { "ungoverned: \(description)" }
}

/// True where a block holds or touches the address of a metadata service, plainly or as IPv4 embedded in IPv6.
func isMetadata(_ block: CIDR) -> Bool {
    MetadataBlock.all.contains { $0.block.overlaps(block) }
}
