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
        add("sni", match.sni.map { [$0.rawValue] })
        add("workload.uids", match.uids?.sorted().map(String.init))
        add("workload.namespaces", match.namespaces?.sorted())
        add("workload.service_accounts", match.serviceAccounts?.sorted())
        add("workload.addresses", match.clientBlocks?.map(\.description))
        add("time", match.times?.map(\.text))
        add("http.methods", match.http?.methods?.map(\.text))
        add("http.paths", match.http?.paths?.map(\.text))
        for field in match.http?.fields ?? [] {
            add("http.headers.\(field.name)", field.values.map(texts) ?? ["present"])
        }
        for key in match.http?.query ?? [] {
            add("http.query.\(String(decoding: key.key, as: UTF8.self))", key.values.map(texts) ?? ["present"])
        }
        add("mcp.tools", match.mcp?.tools?.map(\.text))
        add("mcp.methods", match.mcp?.methods?.map(\.text))
        add("mode", terms.isOnTrial ? ["audit"] : nil)
        add("except_tunnels", terms.exceptsTunnels ? ["true"] : nil)
        add(
            "limits",
            terms.limits.map { limits in
                [
                    limits.requestBytes.map { "request_bytes \($0)" },
                    limits.responseBytes.map { "response_bytes \($0)" },
                ].compactMap(\.self)
            }
        )
        add("rate", terms.rate.map { ["\($0.limit) per \($0.per.rawValue) by \($0.by.rawValue)"] })
        add("budget", terms.budget.map(\.texts))
        add("headers.set", some(terms.headers?.set.map { "\($0.name): \($0.value)" }))
        add("headers.remove", some(terms.headers?.remove.map(\.text)))
        add("credentials", some(terms.credentials.map(\.text)))
        return aspects
    }
}

private func texts(_ values: [[UInt8]]) -> [String] {
    values.map { String(decoding: $0, as: UTF8.self) }
}

/// A list, where it has any items.
private func some(_ items: [String]?) -> [String]? {
    items?.isEmpty ?? true ? nil : items
}

extension Credential {
    /// Such as `secret openai for PENSTOCK-OPENAI in Authorization`.
    package var text: String { "secret \(secret) for \(placeholder) in \(header)" }
}

extension Budget {
    fileprivate var texts: [String] {
        let span = " " + (per.map { "per \($0.rawValue)" } ?? "for ever") + " by \(by.rawValue)"
        return [bytesUp.map { "\($0) bytes up" }, requests.map { "\($0) requests" }].compactMap { $0.map { $0 + span } }
    }
}

extension TimeWindow {
    /// Such as `mon,tue 09:00-17:00 UTC`.
    package var text: String {
        let daily = days.count == Weekday.allCases.count
        let names = daily ? "every day" : Weekday.allCases.filter(days.contains).map(\.rawValue).joined(separator: ",")
        let offset = zone == 0 ? "UTC" : "\(zone < 0 ? "-" : "+")\(clockText(abs(zone)))"
        return "\(names) \(clockText(from))-\(clockText(to)) \(offset)"
    }
}

private func clockText(_ minutes: Int) -> String {
    let texts = [minutes / 60, minutes % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
    return texts.joined(separator: ":")
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
        case .glob(let glob): glob.text
        case .below(let parent): parent.text.replacing("*", with: "%2A") + "*"
        }
    }
}
