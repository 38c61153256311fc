import AuditTrail
import ContentInspection
import HTTPExchange
import PolicyEngine
import WireFormats

extension Problem {
    /// Tells a client why policy, or a rule of the product itself, refuses.
    ///
    /// `retrySeconds` is after how long it may come again, where that is known.
    ///
    /// `isMisdirected`: the name contradicts the TLS session that the request came on (RFC 9110, section 15.5.20).
    init(
        refusing decision: Decision,
        detail: String?,
        id: RecordIdentifier?,
        retrySeconds: Int64? = nil,
        isMisdirected: Bool = false
    ) {
        // Others leave room again.
        let isCrowded = decision.reason == .unreadableContent && detail == ContentFault.crowded.rawValue
        let retryAfter = decision.reason.isAboutCounting ? retrySeconds : isCrowded ? 1 : nil
        let status = isCrowded ? 503 : decision.reason.status(canComeAgain: retryAfter != nil)
        self.init(
            isMisdirected ? 421 : status,
            title: decision.reason.title,
            detail: decision.explanation + (detail.map { " \(hint(for: $0, decision.reason))" } ?? ""),
            reason: decision.reason.rawValue,
            rule: decision.rule?.text,
            decision: id,
            retryAfter: retryAfter
        )
    }

    /// Tells a client what is wrong with its message.
    init(_ violation: HTTP1Violation, decision: RecordIdentifier?) {
        self.init(
            refusing: .refused(.malformedRequest),
            detail: violation.rawValue,
            id: decision
        )
    }

    /// Tells a client that nobody could be asked.
    static func unreachable(_ problem: DialFailure) -> Problem {
        let way = problem.route.recordedWay.map { " by the way out `\($0)`" } ?? ""
        let isNowhere = problem.outcome == .blackholed
        return Problem(
            problem.status,
            title: isNowhere ? "The request goes nowhere" : "The server cannot be reached",
            detail: isNowhere
                ? "The request was allowed\(way), which is a blackhole: nobody was asked."
                : "The request was allowed, but connecting\(way) failed: \(problem.detail).",
            reason: problem.outcome.rawValue
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

/// What can be done about a refusal whose record has this detail; the detail itself where there is no more to say.
private func hint(for detail: String, _ reason: Reason) -> String {
    switch detail {
    case "no_proxy_request":
        "This port is Penstock's explicit proxy: set it as HTTP_PROXY and HTTPS_PROXY; it serves no pages itself."
    case "https_without_connect": "A proxy carries https by CONNECT, not by a whole URI."
    case "connect_behind_requests": "CONNECT must be the first request of its connection."
    case "h2c_upgrade": "HTTP/2 without TLS is not offered: leave `h2c` out of `Upgrade`, or name nothing else."
    case "host_port" where reason == .nameMismatch:
        "Host names another port than the one that was connected to."
    case "host_port":
        "What stands behind the host is no port: a number from 1 to 65535, without zeros in front (IPv6 in brackets)."
    case "inspection_memory": "All that is looked into now takes `limits.inspection_bytes`: ask again later."
    case "host_address": "Host names another address than the one that was connected to."
    default: "(\(detail))"
    }
}

extension Decision {
    fileprivate var explanation: String {
        let by = rule.map { " by the rule `\($0)`" } ?? ""
        return switch reason {
        case .ruleDeny: "The policy forbids it\(by)."
        case .deniedAddress: "The policy forbids the server's address\(by)."
        case .defaultDeny: "No rule of the policy allows it."
        case .specialAddress: "The server's address is private or otherwise special, and no rule names it."
        case .outsideCIDRs: "The server's address lies outside what the policy allows\(by)."
        case .unresolvable: "The server's name has no address."
        case .ownListener: "This is a port of Penstock itself."
        case .noPolicy: "No policy is loaded, so nothing may leave."
        case .malformedRequest, .malformedOpening, .malformedName: "It breaks the rules of HTTP/1."
        case .malformedCall: "Servers could read what it calls in more than one way."
        case .ambiguousPath: "Servers could read its path in more than one way."
        case .ambiguousMethod: "Its method differs in case alone from one that the server may take it for."
        case .ambiguousField: "Servers could take one of its header fields for another, which the policy names."
        case .ambiguousQuery: "Servers could read its query in more than one way\(by)."
        case .nameMismatch: "The names that it gives contradict each other."
        case .encryptedName: "It hides the name of the server that it is meant for."
        case .proxyInCapture: "It was sent to what is no proxy."
        case .rateExceeded: "The policy allows no more of it for now\(by)."
        case .requestTooLarge: "Its body is larger than the policy lets pass\(by)."
        case .responseTooLarge: "The answer is larger than the policy lets pass\(by)."
        case .unreadableContent: "The policy must know what is in it\(by), and that cannot be found out."
        case .budgetExhausted: "What the policy allows of it is used up\(by)."
        case .countersUnavailable: "What is left of the rate or the budget\(by) cannot be found out."
        case .auditUnavailable: "What was decided of it could not be written down, and without that nothing leaves."
        case .decisionRate: "This user asks for more than may be decided in a second."
        case .ruleAllow, .defaultAllow, .perRequest, .noOriginalDestination, .unknownAction, .sniffLimit,
            .undecidedLimit, .undetermined, .draining, .policyChanged:
            "It is refused: \(reason.rawValue)."
        }
    }
}

extension Reason {
    /// 400 where the message itself is wrong, 429 where it came too soon, 503 where nobody can say, else 403.
    fileprivate func status(canComeAgain: Bool) -> Int {
        if isOfMessage { return 400 }
        if self == .countersUnavailable || self == .auditUnavailable { return 503 }
        if self == .requestTooLarge { return 413 }
        return self == .decisionRate || self == .rateExceeded || canComeAgain ? 429 : 403
    }

    /// True where it may pass another time.
    fileprivate var isAboutCounting: Bool { self == .rateExceeded || self == .budgetExhausted }

    /// For people; programs read `reason`.
    fileprivate var title: String { isOfMessage ? "The request cannot be understood" : "Refused by policy" }

    private var isOfMessage: Bool {
        switch self {
        case .malformedRequest, .malformedOpening, .malformedName, .malformedCall: true
        case .ruleAllow, .ruleDeny, .defaultAllow, .defaultDeny, .specialAddress, .deniedAddress, .outsideCIDRs,
            .unresolvable, .ownListener, .noPolicy, .noOriginalDestination, .proxyInCapture, .perRequest,
            .ambiguousPath, .ambiguousMethod, .ambiguousField, .ambiguousQuery, .nameMismatch, .encryptedName,
            .unknownAction, .decisionRate, .rateExceeded, .countersUnavailable,
            .budgetExhausted, .requestTooLarge, .responseTooLarge, .unreadableContent, .sniffLimit, .undecidedLimit,
            .auditUnavailable, .undetermined, .draining, .policyChanged:
            false
        }
    }
}
