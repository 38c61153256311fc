import AuditTrail
import HTTPExchange
import PolicyEngine
import WireFormats

extension Problem {
    /// Tells a client why policy, or a rule of the product itself, refuses.
    init(refusing decision: PolicyEngine.Decision, detail: String?, id: RecordIdentifier?) {
        let reason = decision.reason
        self.init(
            reason == .malformedRequest || reason == .malformedOpening || reason == .malformedName ? 400 : 403,
            title: reason.title,
            detail: [decision.explanation, detail.map { "(\($0))" }].compactMap { $0 }.joined(separator: " "),
            reason: reason.rawValue,
            rule: decision.rule?.text,
            decision: id
        )
    }

    /// Tells a client what is wrong with its message.
    init(_ violation: HTTP1Violation, decision: RecordIdentifier?) {
        self.init(
            400,
            title: Reason.malformedRequest.title,
            detail: "The request breaks the rules of HTTP/1 (\(violation.rawValue)).",
            reason: Reason.malformedRequest.rawValue,
            decision: decision
        )
    }

    /// Tells a client that nobody could be asked.
    static func unreachable(_ problem: Conversation.Unreachable) -> Problem {
        Problem(
            problem.status,
            title: "The server cannot be reached",
            detail: "The request was allowed, but connecting failed: \(problem.detail).",
            reason: ConnectionOutcome.upstreamFailed.rawValue
        )
    }

    /// Tells a client that whoever was asked gave no answer that can be passed on.
    static func unanswered(_ detail: String?) -> Problem {
        Problem(
            502,
            title: "The server gave no answer",
            detail: "The request was allowed and sent, but no sound answer came back\(detail.map { ": \($0)" } ?? "").",
            reason: ConnectionOutcome.upstreamFailed.rawValue
        )
    }
}

extension PolicyEngine.Decision {
    fileprivate var explanation: String {
        let by = rule.map { " by the rule `\($0)`" } ?? ""
        return switch reason {
        case .ruleDeny, .deniedAddress: "The policy forbids this request\(by)."
        case .defaultDeny: "No rule of the policy allows this request."
        default: "The request is refused\(by): \(reason.rawValue)."
        }
    }
}

extension Reason {
    /// For people; programs read `reason`.
    fileprivate var title: String {
        switch self {
        case .malformedRequest, .malformedOpening, .malformedName: "The request cannot be understood"
        case .noPolicy: "No policy is loaded"
        case .proxyInCapture: "This is no proxy"
        default: "Refused by policy"
        }
    }
}
