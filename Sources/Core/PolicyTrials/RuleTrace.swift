import NetworkTypes
import PolicyEngine

/// How one rule stands to a question.
package struct RuleTrace: Hashable, Sendable {
    package let rule: Rule
    package let outcome: Outcome
    /// The keys that do not hold, or of which nobody knows, in the order of the language.
    ///
    /// Empty where the rule matches, and where each key could hold but not all of them together.
    package let misses: [MatchKey]

    /// What the rule says by itself.
    package enum Outcome: Hashable, Sendable {
        case matches
        /// A deny whose other keys hold names one of the addresses that would be dialled.
        case matchesAddress
        /// A fact that it asks for is not known.
        case undetermined
        case differs
    }

    /// True where it took part in the decision.
    package var isMatch: Bool {
        switch outcome {
        case .matches, .matchesAddress: true
        case .undetermined, .differs: false
        }
    }

    /// Takes what the engine finds in comparing the rule, and asks about the addresses to be dialled, which it leaves out.
    init(_ examination: RuleExamination, _ facts: Facts, canIntercept: Bool) {
        rule = examination.rule
        switch examination.result {
        case .matches: outcome = .matches
        case .undetermined: outcome = .undetermined
        case .fails:
            outcome = Self.outcome(ofAddresses: facts, examination, canIntercept)
        }
        switch outcome {
        case .matches, .matchesAddress: misses = []
        case .differs: misses = examination.failing
        case .undetermined: misses = examination.unknown
        }
    }

    /// What a deny says of the addresses, each asked alone: those that may be dialled would speak for the others.
    private static func outcome(
        ofAddresses facts: Facts,
        _ examination: RuleExamination,
        _ canIntercept: Bool
    ) -> Outcome {
        let rule = examination.rule
        guard rule.action == .deny, examination.failing == [.cidrs] else { return .differs }
        let alone = Policy(
            name: "",
            mode: .enforce,
            defaultAction: .allow,
            hash: "",
            // On trial or not: what it says.
            rules: [Rule(rule.name, rule.action, rule.match)],
            canIntercept: canIntercept
        )
        var facts = facts
        facts.original = nil
        let answers = (facts.addresses ?? []).map { address in
            facts.addresses = [address]
            return alone.decide(facts).reason
        }
        if answers.contains(.deniedAddress) { return .matchesAddress }
        return answers.contains(.undetermined) ? .undetermined : .differs
    }
}

/// How all rules of a policy stand to a question.
package struct PolicyTrace: Hashable, Sendable {
    /// Those that match, in the order of the policy.
    package let matches: [RuleTrace]
    /// Those that ask for what is not known, and nothing else that does not hold.
    package let undetermined: [RuleTrace]
    /// Of the others, the one with the least that does not hold: of those that allow where the answer is a denial, of those
    /// that deny where it is not; of all where there is none of these.
    package let nearest: RuleTrace?

    package init(_ judgement: Judgement, by policy: Policy) {
        let facts = judgement.facts
        let all = policy.examine(facts).map { RuleTrace($0, facts, canIntercept: policy.canIntercept) }
        matches = all.filter(\.isMatch)
        undetermined = all.filter { $0.outcome == .undetermined }
        let others = all.filter { $0.outcome == .differs }
        let isDenial = !judgement.isAllowed || judgement.decision.wouldDeny
        let opposite = others.filter { ($0.rule.action == .deny) != isDenial }
        nearest = Self.nearest(opposite.isEmpty ? others : opposite, facts)
    }

    private static func nearest(_ traces: [RuleTrace], _ facts: Facts) -> RuleTrace? {
        let name: HostName? =
            switch facts.opening {
            case .silent: nil
            case .known(_, let name), .asked(let name): name
            }
        return traces.min { distance($0, name) < distance($1, name) }
    }

    /// The less the nearer; of two that are as near the first counts.
    private static func distance(_ trace: RuleTrace, _ name: HostName?) -> Int {
        // Of what is no plain HTTP, no request can be read: that is one thing, not several.
        let isUnreadable = trace.misses.contains(.protocols)
        return trace.misses.reduce(0) { sum, key in
            switch key {
            case .methods, .paths, .headers, .query, .tools, .calls: sum + (isUnreadable ? 0 : 10)
            case .hosts: sum + hostDistance(trace.rule.match.hosts ?? [], name)
            case .cidrs: sum + 30
            case .namespaces, .serviceAccounts, .clientAddresses: sum + 20
            case .ports, .protocols, .sni, .uids, .time: sum + 10
            }
        }
    }

    /// Small for a name that looks like one of those, or lies in the same domain.
    private static func hostDistance(_ hosts: [HostPattern], _ name: HostName?) -> Int {
        guard let name else { return 40 }
        let labels = name.text.split(separator: ".")
        return hosts.prefix(1000).map { pattern in
            let text = pattern.description
            let own = text.split(separator: ".").filter { $0 != "*" }
            let shared = zip(labels.reversed(), own.reversed()).prefix { $0 == $1 }.count
            // A top-level domain in common says nothing.
            if shared >= 2 { return max(12, 24 - 4 * shared) }
            return looksAlike(name.text, text) ? 15 : 40
        }.min() ?? 40
    }

    private static func looksAlike(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count
            ? zip(one.utf8, other.utf8).count { $0 != $1 } <= 2
            : abs(one.utf8.count - other.utf8.count) <= 2
                && (one.hasSuffix(other.dropFirst(3)) || one.hasPrefix(other.dropLast(3)))
    }
}
