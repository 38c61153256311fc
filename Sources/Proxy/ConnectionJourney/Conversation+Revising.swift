import Credentials
import HTTPExchange
import PolicyEngine
import WireFormats

extension Conversation {
    /// Finds out what is changed in a request, by the policy that judged it.
    func revise(_ request: HTTP1Request, _ decision: Decision) {
        scrubbing = nil
        revision = nil
        // Most policies change nothing, and are not told what is known of the request.
        if let policy = worker.snapshot.policy, policy.changesHeads {
            let changes = policy.headChanges(for: decision, facts)
            revision = changes.map { HeadRevision($0, of: request, worker.snapshot.vault) }
        }
        let vault = worker.snapshot.vault
        // What is wrong with a request says more.
        if detail == nil, HeadRevision.misplacesPlaceholder(request, revision, vault) {
            detail = "placeholder_misplaced"
        }
    }

    /// What the answer passes through, which is anew each time that the request is sent.
    func answerStage() -> (any AnswerStage)? {
        scrubbing = revision?.needles.map { AnswerScrubbing($0) }
        return scrubbing
    }

    /// What the end of a request tells of secrets in its answer.
    var finding: String? {
        guard let scrubbing, scrubbing.finds > 0 else { return nil }
        return "secret_in_answer"
    }
}
