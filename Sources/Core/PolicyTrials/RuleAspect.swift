import NetworkTypes
import PolicyEngine

/// One key of a rule with its items, as a person reads them.
package struct RuleAspect: Hashable, Sendable {
    /// As policies have it, with those above it: `http.methods`.
    package let key: String
    package let items: [String]
}

extension Rule {
    /// What the rule says, key by key, in one order; a key that is left out is not there.
    package var aspects: [RuleAspect] {
        var aspects = [RuleAspect(key: "action", items: [action.rawValue])]
        func add(_ key: String, _ items: [String]?) {
            if let items { aspects.append(RuleAspect(key: key, items: items)) }
        }
        add("hosts", match.hosts?.map(\.description))
        add("cidrs", match.cidrs?.map(\.description))
        add("ports", match.ports?.map(portText))
        add("protocols", match.protocols?.map(\.rawValue).sorted())
        add("workload.uids", match.uids?.sorted().map(String.init))
        add("http.methods", match.http?.methods?.map(\.text))
        add("http.paths", match.http?.paths?.map(\.text))
        for field in match.http?.fields ?? [] {
            add("http.headers.\(field.name)", field.values.map { String(decoding: $0, as: UTF8.self) })
        }
        return aspects
    }
}

/// A port, or a range, as policies have it.
package func portText(_ ports: ClosedRange<UInt16>) -> String {
    ports.count == 1 ? "\(ports.lowerBound)" : "\(ports.lowerBound)-\(ports.upperBound)"
}

extension PathPattern {
    /// As policies have it.
    package var text: String {
        switch self {
        case .exact(let path): path.text.replacing("*", with: "%2A")
        case .below(let parent): parent.text.replacing("*", with: "%2A") + "*"
        }
    }
}
