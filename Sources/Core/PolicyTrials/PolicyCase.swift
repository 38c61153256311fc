import PolicyEngine
import SourceDocuments

/// A question with the answer that is expected: one item of `cases`.
package struct PolicyCase: Hashable, Sendable {
    package var name: String
    package var location: SourceLocation
    package var question: Question
    package var expected: Expected
    package var reason: Reason?
    package var treatment: Treatment?
    package var rule: ExpectedRule?

    /// What ought to come of it.
    package enum Expected: String, Hashable, Sendable, CaseIterable {
        case allow
        case deny
    }

    /// Which rule ought to decide.
    package enum ExpectedRule: Hashable, Sendable {
        case rule(String)
        /// The default, or what no rule decides.
        case none
    }
}

/// What came of a case.
package struct CaseResult: Hashable, Sendable {
    package let expected: PolicyCase
    package let judgement: Judgement
    /// What is not as it ought to be; empty where the case passes.
    package let faults: [Fault]

    /// One answer that differs.
    package struct Fault: Hashable, Sendable {
        /// `decision`, `rule`, `reason` or `treatment`.
        package let subject: String
        package let expected: String
        package let found: String
    }

    /// Puts the case to a policy.
    package init(_ expected: PolicyCase, by policy: Policy) {
        self.expected = expected
        judgement = Judgement(expected.question, by: policy)
        let decision = judgement.decision
        let word = judgement.isAllowed ? PolicyCase.Expected.allow : .deny
        let comparisons: [(String, String?, String)] = [
            ("decision", expected.expected.rawValue, word.rawValue),
            ("rule", expected.rule?.text, decision.rule?.text ?? PolicyCase.ExpectedRule.none.text),
            ("reason", expected.reason?.rawValue, decision.reason.rawValue),
            ("treatment", expected.treatment?.rawValue, decision.treatment.rawValue),
        ]
        faults = comparisons.compactMap { subject, expected, found in
            guard let expected, expected != found else { return nil }
            return Fault(subject: subject, expected: expected, found: found)
        }
    }
}

extension PolicyCase.ExpectedRule {
    /// As `explain` says it.
    package var text: String {
        switch self {
        case .rule(let name): name
        case .none: "none"
        }
    }
}

/// Which rules decided something.
package struct RuleCoverage: Hashable, Sendable {
    package let hit: [RuleName]
    /// In the order of the policy.
    package let missed: [RuleName]

    package init(of results: [CaseResult], by policy: Policy) {
        let deciding = Set(results.compactMap(\.judgement.decision.rule))
        hit = policy.rules.map(\.name).filter(deciding.contains)
        missed = policy.rules.map(\.name).filter { !deciding.contains($0) }
    }
}
