import Credentials
import PolicyEngine
import WireFormats

/// What a policy asks of a request that it lets through, beside letting it through.
///
/// It is one reference: hardly any request has one.
final class RequestTerms: Equatable {
    /// What is changed in its head.
    let changes: HeadChanges?
    /// What looks at its content, and at its answer's.
    let content: ContentTerms?
    private let vault: CredentialVault

    /// `nil` where nothing is asked.
    init?(_ changes: HeadChanges?, _ vault: CredentialVault, _ content: ContentTerms?) {
        guard changes != nil || content != nil else { return nil }
        self.changes = changes
        self.vault = vault
        self.content = content
    }

    /// True where both ask for the same, and it is carried out with the same secrets.
    static func == (one: RequestTerms, other: RequestTerms) -> Bool {
        guard one.changes == other.changes, one.content == other.content else { return false }
        return (one.changes?.credentials ?? []).isEmpty || one.vault.holdsTheSame(as: other.vault)
    }
}

/// What a rule asks of the content of what it lets through.
struct ContentTerms: Hashable {
    var rule: RuleName
    var limits: ContentLimits
    /// What breaks them is cut, and not only noted.
    var isEnforced: Bool
}

extension Conversation {
    /// What the policy in force asks of a request that it lets through so; `nil`: nothing.
    func terms(behind decision: Decision) -> RequestTerms? {
        guard let policy = worker.snapshot.policy, policy.changesHeads || policy.looksAtContent else { return nil }
        return RequestTerms(
            policy.headChanges(for: decision, facts),
            worker.snapshot.vault,
            contentTerms(behind: decision)
        )
    }

    /// True where another policy came since the request was written down that would change its head otherwise, or look at its content
    /// otherwise: what would go up was made by the one before (threat B20).
    func isOutdated(_ request: HTTP1Request) -> Bool {
        guard worker.snapshot.generation != judgedGeneration, let policy = worker.snapshot.policy, let decision,
            terms != nil || policy.changesHeads || policy.looksAtContent
        else { return false }
        // This one may ask for fields that nobody has looked for yet.
        let told = detail
        defer { detail = told }
        guard let isMismatch = try? describe(request, for: policy) else { return true }
        noteDialled(by: decision, at: worker.policyTime)
        // Whether it may go on at all was asked when the policy came; by which rule it would be let through now was not.
        let now = isMismatch ? policy.refuse(facts, because: .nameMismatch) : policy.decide(facts)
        return now.verdict != .allow || now.basis != decision.basis || now.wouldDeny != decision.wouldDeny
            || terms(behind: now) != terms
    }
}
