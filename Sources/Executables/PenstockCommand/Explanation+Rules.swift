import AuditTrail
import Configuration
import NetworkTypes
import PolicyEngine
import PolicyTrials
import SourceDocuments

extension Explanation {
    /// The winning rule and where it stands.
    var winnerLine: String {
        guard let rule = decision.rule else { return "rule: none" }
        return "rule: \(rule)\(place(of: rule).map { " (\($0))" } ?? "")"
    }

    /// Each rule that matched, each that might, and of the others the nearest with the first reason why it does not.
    var traceLines: [String] {
        guard let trace else { return [] }
        let matched = trace.matches.map {
            "matched: \(title($0.rule))" + ($0.outcome == .matchesAddress ? ", by address" : "")
        }
        let open = trace.undetermined.map { trace in
            "undetermined: \(title(trace.rule)): " + (trace.misses.first.map { "`\($0.rawValue)` \(doubt($0))" } ?? "")
        }
        let nearest = trace.nearest.map { trace in
            "nearest: \(title(trace.rule)): "
                + (trace.misses.first.map { difference($0, trace.rule) } ?? "its keys do not hold together")
        }
        return matched + open + (nearest.map { [$0] } ?? [])
    }

    /// Why nobody can say whether the key holds.
    private func doubt(_ key: MatchKey) -> String {
        key == .query && question.query != nil ? "could hold: servers differ in what the query means" : "is not known"
    }

    /// `NAME, ACTION, FILE:LINE:COLUMN`.
    private func title(_ rule: Rule) -> String {
        (["\(rule.name)", rule.action.rawValue] + (place(of: rule.name).map { ["\($0)"] } ?? [])).joined(
            separator: ", "
        )
    }

    private func place(of rule: RuleName) -> SourceLocation? { policy.location(of: rule) }

    /// What the rule asks for, and what is there instead.
    private func difference(_ key: MatchKey, _ rule: Rule) -> String {
        let asked = key.items(of: rule)
        let found = found(key)
        guard !asked.isEmpty else { return "`\(key.rawValue)` is an empty list, which nothing matches" }
        guard let found else { return "`\(key.rawValue)` has \(short(asked)), and what is there is not known" }
        return "`\(key.rawValue)` has \(short(asked)), not \(found)"
    }

    /// What stands in the place of a request where none is read.
    private var unread: String {
        policy.canIntercept ? "a connection whose requests are not read" : "a connection that is no plain HTTP"
    }

    /// What the question has for a key; `nil` where it is not known.
    private func found(_ key: MatchKey) -> String? {
        switch key {
        case .hosts: spokenName ?? "a connection without a name"
        case .cidrs: facts.original.map { "\($0.socket.address)" }
        case .ports: "\(facts.port)"
        case .protocols: spokenProtocol
        case .uids: facts.workloadUID.map { "\($0)" }
        case .sni: (facts.hasServerName ?? (spokenName != nil)) ? "present" : "absent"
        case .clientAddresses: question.clientAddress.map { "\($0)" }
        case .namespaces: question.workload.namespace
        case .serviceAccounts: question.workload.serviceAccount
        case .time: question.now.map(timeText)
        case .methods: facts.request == nil ? unread : facts.request?.method?.text
        case .paths: facts.request == nil ? unread : facts.request?.path?.text
        case .headers: facts.request == nil ? unread : question.headers.map { _ in "the headers that were given" }
        case .query: facts.request == nil ? unread : question.query.map { _ in "the query that was given" }
        case .tools, .calls:
            facts.request == nil
                ? unread : question.calls.map { $0.isEmpty ? "a body without calls" : short($0.map(\.text)) }
        }
    }

    /// As records have it, without a fraction.
    func timeText(_ seconds: Int64) -> String {
        var text: [UInt8] = []
        text.append(timestamp: seconds.multipliedReportingOverflow(by: 1_000_000).partialValue)
        return String(decoding: text.prefix(19), as: UTF8.self) + "Z"
    }

    /// The name that rules are compared with.
    var spokenName: String? {
        switch facts.opening {
        case .silent: nil
        case .known(_, let name), .asked(let name): name?.text
        }
    }

    var spokenProtocol: String {
        switch question.speech {
        case .known(let spoken): spoken.rawValue
        case .silent, .asked: "unknown"
        }
    }
}

extension MatchKey {
    /// What a rule has under the key.
    func items(of rule: Rule) -> [String] {
        // Ports are also those that the language implies.
        if self == .ports { return rule.ports?.map(portText) ?? [] }
        let aspects = rule.aspects.filter { $0.key == rawValue || $0.key.hasPrefix(rawValue + ".") }
        return aspects.flatMap { aspect in
            aspect.key == rawValue
                ? aspect.items : aspect.items.map { "\(aspect.key.dropFirst(rawValue.count + 1)): \($0)" }
        }
    }
}

/// A list that fits a line: the first three, and how many more.
func short(_ items: [String]) -> String {
    let shown = items.prefix(3).joined(separator: ", ")
    return items.count > 3 ? "\(shown) and \(items.count - 3) more" : shown
}
