import NetworkTypes
import PolicyEngine

/// A key of `match`, in the order in which a person looks for what does not hold.
package enum RuleKey: String, Hashable, Sendable, CaseIterable {
    case hosts
    case cidrs
    case ports
    case protocols
    case sni
    case uids = "workload.uids"
    case namespaces = "workload.namespaces"
    case serviceAccounts = "workload.service_accounts"
    case times = "time"
    case methods = "http.methods"
    case paths = "http.paths"
    case fields = "http.headers"
    case query = "http.query"

    /// A match that asks for this key as the rule does, and for nothing else; `nil` where the rule does not ask for it.
    func alone(in rule: Rule) -> RuleMatch? {
        let whole = rule.match
        var match = RuleMatch()
        switch self {
        case .hosts:
            guard let hosts = whole.hosts else { return nil }
            match.hosts = hosts
            // A name is asked for at 80 and 443 where no port is said.
            match.ports = [0...65535]
        case .cidrs:
            guard let cidrs = whole.cidrs else { return nil }
            match.cidrs = cidrs
            // What allows a name within blocks is not compared with where the agent was going.
            if rule.action != .deny, whole.hosts != nil { return cidrs.isEmpty ? match : nil }
        case .ports: match.ports = rule.ports
        case .protocols: match.protocols = whole.protocols
        case .sni: match.sni = whole.sni
        case .uids: match.uids = whole.uids
        case .namespaces: match.namespaces = whole.namespaces
        case .serviceAccounts: match.serviceAccounts = whole.serviceAccounts
        case .times: match.times = whole.times
        case .methods: match.http = whole.http?.methods.map { RequestMatch(methods: $0) }
        case .paths: match.http = whole.http?.paths.map { RequestMatch(paths: $0) }
        case .fields: match.http = whole.http?.fields.map { RequestMatch(fields: $0) }
        case .query: match.http = whole.http?.query.map { RequestMatch(query: $0) }
        }
        return match == RuleMatch() ? nil : match
    }
}
