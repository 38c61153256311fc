import NetworkTypes
import SourceDocuments

extension Policy {
    /// What is right but probably not meant, in the order of the text.
    func warnings(about rules: [LocatedRule]) -> [SourceProblem] {
        var warnings = Self.coverageWarnings(rules)
        for (place, rule) in rules.enumerated() {
            if let key = rule.rule.match.emptyKey {
                warnings.append(
                    SourceProblem("`\(key)` is an empty list: the rule matches nothing", at: rule.matchLocation)
                )
            } else {
                warnings += reachabilityWarnings(rule, at: place, among: rules)
            }
            warnings += rule.doubts
            if let warning = Self.namelessWarning(rule) { warnings.append(warning) }
            guard rule.rule.action != .deny else { continue }
            warnings += metadataWarnings(rule)
            warnings += Self.nameWarnings(rule, canIntercept: canIntercept)
            if let warning = Self.portWarning(rule) { warnings.append(warning) }
        }
        return warnings.inOrderOfText
    }

    /// A block so wide that it lets the agent reach the cloud's credentials; who names one address alone means it.
    ///
    /// The addresses themselves are probed, so that a block written in halves is found like a whole one.
    private func metadataWarnings(_ rule: LocatedRule) -> [SourceProblem] {
        guard let cidrs = rule.rule.match.cidrs else { return [] }
        return zip(cidrs, rule.itemLocations.cidrs).compactMap { block, location in
            guard block != CIDR(single: block.base) else { return nil }
            let reached = MetadataBlock.all.lazy.filter { $0.block.overlaps(block) }
            guard let found = reached.first(where: { !isDenied(rule.rule, within: $0.block) }) else { return nil }
            let way = found.block == CIDR(single: found.service) ? "" : ", by way of \(found.block)"
            return SourceProblem(
                "the block \(block) lets the agent reach the cloud metadata service at \(found.service)\(way)",
                at: location,
                remedy: "name narrower blocks, or deny \(found.block)"
            )
        }
    }

    /// A rule for names that only connections without a name could match.
    private static func namelessWarning(_ rule: LocatedRule) -> SourceProblem? {
        guard rule.rule.match.hosts != nil, rule.rule.match.emptyKey == nil else { return nil }
        let possible = rule.rule.protocols ?? .all
        let fault: String
        if possible == .h2c {
            fault = "`h2c` carries no name, and a connection without a name matches no host: the rule matches nothing"
        } else if possible.isSubset(of: [.h2c, .opaque]) {
            fault =
                "`opaque` carries no name: with `hosts`, the rule matches only what names its host in CONNECT or SOCKS"
        } else if rule.rule.match.sni == .absent {
            fault = "a client without a server name matches no host, unless it names one in CONNECT or SOCKS"
        } else {
            return nil
        }
        return SourceProblem(fault, at: rule.matchLocation, remedy: "say `cidrs` instead of `hosts`")
    }

    /// An allow that does not say its ports.
    private static func portWarning(_ rule: LocatedRule) -> SourceProblem? {
        guard rule.rule.match.ports == nil, rule.rule.match.emptyKey == nil else { return nil }
        if rule.rule.match.hosts == nil {
            return SourceProblem(
                "the rule holds on every port: it has no `ports`",
                at: rule.matchLocation,
                remedy: "name the ports that are meant"
            )
        }
        return SourceProblem(
            "the rule has no `ports`, and so holds on 80, without encryption, as on 443",
            at: rule.matchLocation,
            remedy: "say `ports: [443]`, or name both"
        )
    }
}

extension RuleMatch {
    /// The first key whose list is empty, so that nothing can match.
    var emptyKey: String? {
        if hosts?.isEmpty ?? false { return "hosts" }
        if cidrs?.isEmpty ?? false { return "cidrs" }
        if ports?.isEmpty ?? false { return "ports" }
        if protocols?.isEmpty ?? false { return "protocols" }
        if uids?.isEmpty ?? false { return "workload.uids" }
        if namespaces?.isEmpty ?? false { return "workload.namespaces" }
        if serviceAccounts?.isEmpty ?? false { return "workload.service_accounts" }
        if clientBlocks?.isEmpty ?? false { return "workload.addresses" }
        if let times, times.allSatisfy(\.days.isEmpty) { return times.isEmpty ? "time" : "time.days" }
        return http?.emptyKey ?? mcp?.emptyKey
    }
}

extension CallMatch {
    fileprivate var emptyKey: String? {
        if tools?.isEmpty ?? false { return "mcp.tools" }
        return methods?.isEmpty ?? false ? "mcp.methods" : nil
    }
}

extension RequestMatch {
    fileprivate var emptyKey: String? {
        if methods?.isEmpty ?? false { return "http.methods" }
        if paths?.isEmpty ?? false { return "http.paths" }
        if let field = fields?.first(where: { $0.values?.isEmpty ?? false }) { return "http.headers.\(field.name)" }
        let key = query?.first { $0.values?.isEmpty ?? false }?.key
        return key.map { "http.query.\(String(decoding: $0, as: UTF8.self))" }
    }
}
