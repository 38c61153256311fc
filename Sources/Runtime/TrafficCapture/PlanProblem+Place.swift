import SourceDocuments

extension PlanProblem {
    /// The problem as one of the configuration file; `nil` where none of the values that it is about stands there.
    package func placed(in settings: CaptureSettings) -> SourceProblem? {
        for (flag, item) in values(in: settings) {
            guard case .file(let places) = settings.sources[flag], places.indices.contains(item) else { continue }
            return SourceProblem(text { $0.name(in: settings) }, at: places[item])
        }
        return nil
    }

    /// The values that it is about, each with its place in its list; the one to mend comes first.
    private func values(in settings: CaptureSettings) -> [(CaptureFlag, Int)] {
        switch self {
        case .tableName: [(.table, 0)]
        case .twoScopes: [(.gateway, 0), (.cgroup, 0)]
        case .cgroupsNotFound: [(.cgroup, 0)]
        case .gatewayWithExemption(let owner): [(.exempt, place(of: owner, in: settings.exemptions)), (.gateway, 0)]
        case .sharedParentWithoutCgroup: [(.sharedParent, 0)]
        case .daemonPortZero(let flag): [(flag, 0)]
        case .daemonPortTwice(let one, let other, _): [(other, 0), (one, 0)]
        case .daemonIsRoot: [(.proxyUser, 0)]
        case .noSuchOwner(let flag, let owner): [(flag, place(of: owner, in: settings.exemptions))]
        case .inboundPortZero: [(.inboundPort, place(of: 0, in: settings.inboundPorts))]
        case .inboundPortIsOurs(let port):
            [(.inboundPort, place(of: port, in: settings.inboundPorts))]
                + settings.ports.named.filter { $0.port == port }.map { ($0.flag, 0) }
        case .badResolver(let address), .mappedResolver(let address):
            [(.dnsServer, place(of: address, in: settings.resolvers ?? []))]
        case .bypassPortZero(let bypass), .bypassOfEverything(let bypass), .bypassOfLoopback(let bypass),
            .bypassOfMapped(let bypass), .bypassOfMetadata(let bypass):
            [(.bypass, place(of: bypass, in: settings.bypasses))]
        case .exemptionOfDaemon(let owner):
            [(.exempt, place(of: owner, in: settings.exemptions)), (.proxyUser, 0), (.proxyGroup, 0)]
        case .tooMany(let flag): [(flag, flag.limit)]
        case .markBase: [(.mark, 0)]
        case .rulePriority: [(.tproxyPriority, 0)]
        case .routingTable: [(.tproxyTable, 0)]
        }
    }

    private func place<Item: Equatable>(of item: Item, in list: [Item]) -> Int { list.firstIndex(of: item) ?? 0 }
}

extension CaptureFlag {
    /// What a message about the configuration file calls it; what the command line said keeps its own name.
    func name(in settings: CaptureSettings) -> String {
        if settings.sources[self] == .commandLine { return "--\(rawValue)" }
        return takesNoValue ? "`\(key): true`" : "`\(key)`"
    }
}
