import AuditTrail
import ContentInspection
import HTTPExchange
import LinuxBindings
import PolicyEngine
import WireFormats

/// How an allowed connection, or a request on it, went.
struct Ending: Hashable {
    var outcome: ConnectionOutcome
    var closedBy: ClosingSide?
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    var reason: Reason?
    var rule: RuleName?
    var detail: String?
    /// The client has what was sent to it, and is not reset.
    var isOrderly = false

    init(_ outcome: ConnectionOutcome, closedBy: ClosingSide? = nil, detail: String? = nil) {
        self.outcome = outcome
        self.closedBy = closedBy
        self.detail = detail
    }

    static func orderly(closedBy side: ClosingSide?) -> Ending {
        var ending = Ending(.closed, closedBy: side)
        ending.isOrderly = true
        return ending
    }

    init(_ cut: Cut) {
        outcome = cut.outcome
        closedBy = .ours
        reason = cut.reason
        rule = cut.rule
        isOrderly = cut.isOrderly
    }

    /// How a request went; `cut` is why it was ended before its time, if it was.
    init(_ exchanged: Exchanged, _ cut: Cut?) {
        switch exchanged.outcome {
        case .answered where exchanged.mayBeTruncated: self.init(.truncated, closedBy: .upstream)
        case .answered: self.init(.closed)
        case .switched:
            let side = exchanged.firstToEnd.map(ClosingSide.init)
            self.init(exchanged.mayBeTruncated ? .truncated : .closed, closedBy: side)
        // The other side only met the end that was passed on to it.
        case .upstreamFailed where exchanged.isBrokenOff(by: .client): self.init(.truncated, closedBy: .client)
        case .clientFailed where exchanged.isBrokenOff(by: .upstream): self.init(.truncated, closedBy: .upstream)
        case .upstreamFailed(let error):
            let outcome: ConnectionOutcome = exchanged.hasAnswered ? .reset : .upstreamFailed
            self.init(outcome, closedBy: .upstream, detail: error?.description ?? "closed too early")
        case .upstreamMalformed(let violation):
            let outcome: ConnectionOutcome = exchanged.hasAnswered ? .reset : .upstreamFailed
            self.init(outcome, closedBy: .upstream, detail: violation.rawValue)
        case .clientFailed(let error): self.init(.reset, closedBy: .client, detail: error?.description)
        case .requestMalformed(let violation):
            self.init(.cut, closedBy: .ours, detail: violation.rawValue)
            reason = .malformedRequest
        case .requestDenied(let denial), .answerDenied(let denial):
            self.init(.cut, closedBy: .ours, detail: denial.detail)
            reason = denial.reason
            rule = denial.rule
        case .aborted: self.init(cut ?? Cut(outcome: .drained))
        }
    }
}

extension Exchanged {
    /// True where a side stopped in the midst of a changed protocol, and never said that this was its end.
    fileprivate func isBrokenOff(by side: Side) -> Bool { mayBeTruncated && firstToEnd == side }
}

extension ClosingSide {
    fileprivate init(_ side: Exchanged.Side) {
        self =
            switch side {
            case .client: .client
            case .upstream: .upstream
            }
    }
}
