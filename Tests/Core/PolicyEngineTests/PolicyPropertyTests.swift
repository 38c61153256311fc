import Foundation
import NetworkTypes
import PolicyEngine
import PolicyReference
import TestSupport
import Testing

@Suite struct PolicyPropertyTests {
    static let cases = 16_000
    /// `MeasurePolicy agree` compares a million of them in a release build.
    static let pairs = ProcessInfo.processInfo.environment["PENSTOCK_PAIRS"].flatMap(Int.init) ?? 60_000

    @Test("B15: on random policies the engine says what the manual's sentences say")
    func agreesWithTheReference() throws {
        let world = try PolicyWorld()
        var random = Seeded(20_261_121)
        var seen: [String: Int] = [:]
        for number in 0..<Self.pairs / 8 {
            let policy = world.policy(&random, auditing: 10)
            let reference = ReferenceEvaluator(policy: policy, world: world.reference)
            for _ in 0..<8 {
                var facts = world.facts(&random)
                facts.exhausted = world.exhausted(policy.draws(for: facts), &random)
                let expected = reference.decide(facts)
                let decision = policy.decide(facts)
                try #require(
                    decision.summary == expected,
                    "case \(number): \(description(of: policy)), \(facts)"
                )
                seen["\(decision.treatment) \(decision.reason.rawValue)", default: 0] += 1
                let would = decision.wouldDeny ? " would deny" : ""
                seen["\(decision.verdict) \(decision.reason.rawValue)\(would)", default: 0] += 1
            }
        }
        // A generator that stopped reaching an outcome would make the comparison empty.
        let outcomes = [
            "allow rule_allow", "allow default_allow", "deny rule_deny", "deny default_deny", "deny special_address",
            "deny denied_address", "deny outside_cidrs", "deny unresolvable", "deny undetermined", "deny own_listener",
            "deny no_original_destination", "deny ambiguous_path", "deny ambiguous_method", "deny ambiguous_query",
            "deny ambiguous_field",
            "undetermined undetermined",
            "needsBody undetermined", "deny malformed_call",
            "http rule_allow", "http default_allow", "intercept per_request", "intercept rule_allow",
            "allow rule_deny would deny", "allow denied_address would deny", "deny rate_exceeded",
            "deny budget_exhausted", "allow rate_exceeded would deny", "allow budget_exhausted would deny",
        ]
        #expect(outcomes.filter { seen[$0, default: 0] < 3 } == [], "\(seen)")
    }

    @Test("B15: moving a deny never weakens it, and adding one never allows more")
    func deniesAreMonotone() throws {
        let world = try PolicyWorld()
        var random = Seeded(7)
        var denied = 0
        for number in 0..<Self.cases / 4 {
            let policy = world.policy(&random)
            let facts = world.facts(&random)
            let decision = policy.decide(facts)
            let moved = replacingRules(
                of: policy,
                by: policy.rules.filter { $0.action != .deny } + policy.rules.filter { $0.action == .deny }
            )
            try #require(moved.decide(facts).verdict == decision.verdict, "case \(number): \(policy.rules), \(facts)")
            guard let name = RuleName("added") else { return }
            let deny = Rule(name, .deny, world.match(&random))
            let stricter = replacingRules(of: policy, by: policy.rules + [deny]).decide(facts)
            // What is looked into is not let through yet.
            if stricter.reason == .perRequest { continue }
            if stricter.verdict == .allow {
                try #require(decision.verdict == .allow, "case \(number): \(policy.rules), \(deny), \(facts)")
                let kept = Set(stricter.addresses ?? [])
                try #require(kept.isSubset(of: decision.addresses ?? []), "case \(number)")
            } else if decision.verdict == .allow {
                denied += 1
            }
        }
        #expect(denied > 50)
    }

    @Test("what was just allowed is still allowed, and what a new deny refuses is not")
    func rejudgingAgrees() throws {
        let world = try PolicyWorld()
        var random = Seeded(11)
        var allowed = 0
        for number in 0..<Self.cases / 4 {
            let policy = world.policy(&random)
            var facts = world.facts(&random)
            let decision = policy.decide(facts)
            guard decision.verdict == .allow, decision.reason != .perRequest else { continue }
            allowed += 1
            facts.addresses = decision.addresses?.map(\.socket.address)
            let again = policy.stillAllows(decision, facts)
            // What was dialled is more than a rule on trial would have let through.
            let isOnTrial = again.wouldDeny && again.basis == decision.basis
            try #require(again == decision || isOnTrial, "case \(number): \(description(of: policy)), \(facts)")
            let after = world.policy(&random)
            if after.stillAllows(decision, facts).verdict == .allow {
                let names = after.rules.filter { $0.action != .deny }.map(\.name)
                let isBased =
                    switch decision.basis {
                    case .rule(let name): names.contains(name)
                    case .standard: after.defaultAction == .allow
                    case .nothing: false
                    }
                try #require(isBased, "case \(number)")
                let denies = replacingRules(of: after, by: after.rules.filter { $0.action == .deny }, allowing: true)
                let answer = denies.decide(facts)
                let isDenied = answer.verdict == .deny && [.ruleDeny, .deniedAddress].contains(answer.reason)
                try #require(!isDenied, "case \(number): \(after.rules), \(facts)")
            }
        }
        #expect(allowed > 500)
    }

    private func description(of policy: Policy) -> String {
        let rules = policy.rules.map { "\($0.name) \($0.action) \($0.match) \($0.terms)" }
        return "\(policy.mode) \(policy.canIntercept ? "intercepting " : "")\(policy.defaultAction)\n"
            + rules.joined(separator: "\n")
    }

    private func replacingRules(of policy: Policy, by rules: [Rule], allowing: Bool = false) -> Policy {
        Policy(
            name: policy.name,
            mode: policy.mode,
            defaultAction: allowing ? .allow : policy.defaultAction,
            hash: policy.hash,
            rules: rules,
            canIntercept: policy.canIntercept
        )
    }
}
