import PolicyEngine

/// What a policy does with something recorded.
package struct ReplayedVerdict: Hashable, Sendable {
    package let word: Word
    /// The rule that decided; `nil` for the default.
    package let rule: RuleName?
    package let reason: Reason

    /// What comes of it.
    package enum Word: String, Hashable, Sendable, CaseIterable {
        case allow
        /// `mode: audit` lets it go on and says what `mode: enforce` would do.
        case wouldDeny = "would_deny"
        case deny
    }

    /// Puts what a record tells to a policy.
    package init(_ recorded: RecordedDecision, by policy: Policy) throws(RecordedDecision.Gap) {
        guard policy.canIntercept || !recorded.question.isInsideTLS else { throw .unjudged(.insideTLS) }
        let judgement = Judgement(recorded.question, by: policy)
        let decision = judgement.decision
        rule = decision.rule
        reason = decision.reason
        if decision.wouldDeny {
            word = .wouldDeny
        } else {
            word = judgement.isAllowed ? .allow : .deny
        }
        if isOpen(judgement) { throw .unjudged(.unrecorded) }
        let isUnchecked =
            decision.verdict == .allow && decision.dial != nil && decision.addresses == nil
            && decision.needsAddresses
        if recorded.wasRefusedForAddresses, isUnchecked { throw .unjudged(.unrecordedAddresses) }
    }
}

/// True where the daemon knew more than the record: a request had headers and perhaps a query, and TLS holds requests.
private func isOpen(_ judgement: Judgement) -> Bool {
    judgement.decision.reason == .undetermined && judgement.facts.request != nil
}
