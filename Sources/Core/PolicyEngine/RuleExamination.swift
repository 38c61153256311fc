import NetworkTypes

/// A key of a match.
package enum MatchKey: String, Hashable, Sendable, CaseIterable {
    case hosts
    case cidrs
    case ports
    case protocols
    case sni
    case uids = "workload.uids"
    case namespaces = "workload.namespaces"
    case serviceAccounts = "workload.service_accounts"
    case clientAddresses = "workload.addresses"
    case time
    case methods = "http.methods"
    case paths = "http.paths"
    case headers = "http.headers"
    case query = "http.query"
    case tools = "mcp.tools"
    case calls = "mcp.methods"
}

/// What became of comparing one rule with facts, for people.
package struct RuleExamination: Hashable, Sendable {
    /// Whether the rule as a whole matches.
    package enum Result: String, Hashable, Sendable {
        case matches
        /// What is not known yet, or cannot be found out, would tell.
        case undetermined
        case fails
    }

    /// The place of the rule in `Policy.rules`.
    package let place: Int
    package let rule: Rule
    package let result: Result
    /// The keys of the match that hold, that fail, and of which nobody knows, each in the order of the language.
    package let holding: [MatchKey]
    package let failing: [MatchKey]
    package let unknown: [MatchKey]
}

extension Policy {
    /// Compares every rule with facts, key by key, as `explain` tells it; the decision itself is made by `decide`.
    package func examine(_ facts: Facts) -> [RuleExamination] {
        rules.indices.map { place in
            let rule = rules[place]
            var keys: [MatchKey: Likelihood] = [:]
            for (key, part) in rule.parts { keys[key] = part.likelihood(facts, canIntercept: canIntercept) }
            let order = MatchKey.allCases.filter { keys[$0] != nil }
            let whole = rule.likelihood(facts, canIntercept: canIntercept)
            return RuleExamination(
                place: place,
                rule: rule,
                result: whole == .yes ? .matches : whole == .no ? .fails : .undetermined,
                holding: order.filter { keys[$0] == .yes },
                failing: order.filter { keys[$0] == .no },
                unknown: order.filter { keys[$0] != .yes && keys[$0] != .no }
            )
        }
    }
}

extension Rule {
    /// The rule with each of its keys alone.
    fileprivate var parts: [(key: MatchKey, part: Rule)] {
        // Alone, `hosts` would imply ports again.
        let any: [ClosedRange<UInt16>] = [0 ... .max]
        var parts: [(MatchKey, RuleMatch)] = []
        if let hosts = match.hosts { parts.append((.hosts, RuleMatch(hosts: hosts, ports: any))) }
        if let cidrs = match.cidrs {
            // Beside `hosts`, the blocks of what allows are about what is dialled.
            if action == .deny || match.hosts == nil || cidrs.isEmpty {
                parts.append((.cidrs, RuleMatch(cidrs: cidrs)))
            }
        }
        if let ports { parts.append((.ports, RuleMatch(ports: ports))) }
        if let protocols = match.protocols { parts.append((.protocols, RuleMatch(protocols: protocols))) }
        if let sni = match.sni { parts.append((.sni, RuleMatch(sni: sni))) }
        if let uids = match.uids { parts.append((.uids, RuleMatch(uids: uids))) }
        if let names = match.namespaces { parts.append((.namespaces, RuleMatch(namespaces: names))) }
        if let names = match.serviceAccounts { parts.append((.serviceAccounts, RuleMatch(serviceAccounts: names))) }
        if let blocks = match.clientBlocks { parts.append((.clientAddresses, RuleMatch(clientBlocks: blocks))) }
        if let times = match.times { parts.append((.time, RuleMatch(times: times))) }
        if let http = match.http {
            if let methods = http.methods { parts.append((.methods, RuleMatch(http: RequestMatch(methods: methods)))) }
            if let paths = http.paths { parts.append((.paths, RuleMatch(http: RequestMatch(paths: paths)))) }
            if let fields = http.fields { parts.append((.headers, RuleMatch(http: RequestMatch(fields: fields)))) }
            if let query = http.query { parts.append((.query, RuleMatch(http: RequestMatch(query: query)))) }
        }
        if let mcp = match.mcp {
            // Beside `methods`, `tools` says nothing of what calls no tool.
            let any = mcp.methods.flatMap { _ in CallPattern("*").map { [$0] } }
            if let tools = mcp.tools { parts.append((.tools, RuleMatch(mcp: CallMatch(tools: tools, methods: any)))) }
            if let methods = mcp.methods { parts.append((.calls, RuleMatch(mcp: CallMatch(methods: methods)))) }
        }
        return parts.map { ($0.0, Rule(name, action, $0.1, terms)) }
    }
}
