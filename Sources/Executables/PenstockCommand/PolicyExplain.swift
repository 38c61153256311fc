import Configuration
import LinuxBindings
import PolicyEngine
import PolicyTrials
import SourceDocuments
import Telemetry

extension ExplainRequest {
    /// Puts the connection to the policy, and says what comes of it.
    func run() throws(Complaint) -> ExitCode {
        let loaded = try loadedPolicy(policy, for: daemon, or: .problems)
        let lines = Explanation(question, loaded).lines
        deliver(lines.map { printable($0) + "\n" }.joined())
        return .done
    }
}

/// The judgement of one connection by one policy, and how each rule stands to it.
struct Explanation {
    let judgement: Judgement
    let loaded: LoadedPolicy
    /// `nil` where no rule was asked.
    let trace: PolicyTrace?

    var question: Question { judgement.question }
    var policy: Policy { loaded.policy }
    var decision: Decision { judgement.decision }
    var facts: Facts { judgement.facts }

    init(_ question: Question, _ loaded: LoadedPolicy) {
        self.loaded = loaded
        judgement = Judgement(question, by: loaded.policy)
        let ofTheRequest: [Reason] = [.ambiguousPath, .ambiguousMethod, .ambiguousField]
        let isAsked = judgement.fault == nil && !ofTheRequest.contains(judgement.decision.reason)
        trace = isAsked ? PolicyTrace(judgement, by: loaded.policy) : nil
    }
}
