import NetworkTypes
import PolicyEngine

/// How one rule stands to a question, as the policy's own judgement has it.
package struct RuleTrace: Hashable, Sendable {
    package let rule: Rule
    package let outcome: Outcome
    /// The keys that do not hold, or may not, in the order of `RuleKey`; empty where the rule matches.
    package let misses: [RuleKey]

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

    /// Asks what the rule says to the facts, alone, by the function that judges whole policies; where it does not match, each
    /// of its keys is asked alone.
    init(_ rule: Rule, _ facts: Facts) {
        self.rule = rule
        let outcome = Self.outcome(of: rule, facts)
        self.outcome = outcome
        switch outcome {
        case .matches, .matchesAddress: misses = []
        case .undetermined, .differs:
            misses = RuleKey.allCases.filter { Self.misses($0, of: rule, facts, outcome) }
        }
    }

    private static func misses(_ key: RuleKey, of rule: Rule, _ facts: Facts, _ whole: Outcome) -> Bool {
        guard let match = key.alone(in: rule) else { return false }
        switch outcome(of: Rule(rule.name, rule.action, match), facts) {
        case .matches, .matchesAddress: return false
        // A rule that differs does so for a key that differs, not for one that nobody knows.
        case .undetermined: return whole == .undetermined
        case .differs: return true
        }
    }

    private static func outcome(of rule: Rule, _ facts: Facts) -> Outcome {
        let isDeny = rule.action == .deny
        let alone = Policy(
            name: "",
            mode: .enforce,
            defaultAction: isDeny ? .allow : .deny,
            hash: "",
            rules: [rule]
        )
        let decision = alone.decide(facts)
        switch decision.reason {
        case .undetermined: return .undetermined
        case .deniedAddress: return .matchesAddress
        default: return decision.rule == nil ? .differs : .matches
        }
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
        var facts = judgement.facts
        facts.isFinal = true
        let all = policy.rules.map { RuleTrace($0, facts) }
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
        trace.misses.reduce(0) { sum, key in
            switch key {
            case .hosts: sum + hostDistance(trace.rule.match.hosts ?? [], name)
            case .cidrs: sum + 30
            case .ports, .protocols, .uids, .methods, .paths, .fields: sum + 10
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
            : abs(one.utf8.count - other.utf8.count) <= 2 && (one.hasSuffix(other.dropFirst(3)) || one.hasPrefix(other.dropLast(3)))
    }
}
