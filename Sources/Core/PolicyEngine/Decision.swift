import NetworkTypes

/// The name of a rule, by which records, answers and reloads know it.
package struct RuleName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Takes printable ASCII, 1 to 128 octets; `nil` for anything else: the name goes into records and terminals.
    package init?(_ text: String) {
        guard (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            return nil
        }
        self.text = text
    }

    package var description: String { text }
}

/// What policy says to a connection or a request.
package enum Verdict: String, Hashable, Sendable {
    case allow
    case deny
    /// Only what the client has not said yet could allow it: wait on.
    case undetermined
    /// A rule asks for the calls of the request: read the whole body and ask again with `RequestFacts.calls`.
    case needsBody = "needs_body"
}

/// What is done with a connection.
package enum Treatment: String, Hashable, Sendable, CaseIterable {
    /// Bytes are relayed unseen.
    case tunnel
    case refuse
    /// Plain HTTP is read request by request.
    case http
    /// TLS is ended on both sides.
    case intercept
}

/// What is to be dialled.
package enum DialPlan: Hashable, Sendable {
    /// The addresses of a name, which the daemon resolves itself.
    case name(HostName)
    /// The original destination, unchanged.
    case original
}

/// What stands behind a decision that lets something through.
package enum DecisionBasis: Hashable, Sendable {
    /// A rule that allows.
    case rule(RuleName)
    /// `default: allow`.
    case standard
    /// Nothing but the policy's own `mode: audit`; and what a refusal has.
    case nothing
}

/// The answer to one question put to a policy.
///
/// Only a policy makes one that lets something be dialled. It is one reference: a decision is handed from step to step, and kept
/// while what it lets through lasts.
package struct Decision: Hashable, Sendable {
    private let content: Content

    package var verdict: Verdict { content.answer.verdict }
    /// True where it is let through only because the policy, or the rule that is named, says `mode: audit`.
    package var wouldDeny: Bool { content.answer.wouldDeny }
    /// With `wouldDeny`, why it would be refused.
    package var reason: Reason { content.answer.reason }
    /// The rule that decided, or whose allowance the addresses failed; `nil` for the default and for what no rule decides.
    ///
    /// With `wouldDeny`, the rule that would refuse.
    package var rule: RuleName? { content.answer.rule }
    /// What lets it through.
    package var basis: DecisionBasis { content.answer.basis }
    package var treatment: Treatment { content.answer.treatment }
    /// What is to be dialled; `nil` where nothing is.
    package var dial: DialPlan? { content.answer.dial }
    /// The addresses that may be dialled, in the order given; `nil` where they are unchecked or nothing is dialled.
    package var addresses: [UpstreamAddress]? { content.answer.addresses }
    /// By which ways it goes out, in the order in which they are tried; empty for `direct`, and where nothing goes out.
    package var egress: EgressList { content.answer.egress }
    /// The port that was judged.
    package var port: UInt16 { content.answer.port }
    /// The counters that it draws on, those with nothing left excepted: empty unless it allows.
    package var draws: [CounterDraw] { content.answer.draws }

    /// What is the same for all copies.
    private final class Content: Sendable {
        let answer: Answer

        init(_ answer: Answer) { self.answer = answer }
    }

    private struct Answer: Hashable, Sendable {
        var verdict: Verdict
        var wouldDeny: Bool
        var reason: Reason
        var rule: RuleName?
        var basis: DecisionBasis
        var treatment: Treatment
        var dial: DialPlan?
        var addresses: [UpstreamAddress]?
        var egress: EgressList
        var port: UInt16
        var draws: [CounterDraw]
    }

    /// True where two decisions say the same in all they say.
    package static func == (one: Decision, other: Decision) -> Bool {
        one.content === other.content || one.content.answer == other.content.answer
    }

    /// True where two decisions differ at most in the addresses.
    func isSame(asideFromAddresses other: Decision) -> Bool {
        var answer = content.answer
        answer.addresses = other.content.answer.addresses
        return answer == other.content.answer
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(content.answer) }

    /// True where a name is to be dialled whose addresses must be found and judged first.
    ///
    /// Otherwise nobody here needs them: a proxy is told the name, or nothing is dialled at all.
    package var needsAddresses: Bool { egress.needAddresses }

    /// The name that is to be dialled; `nil` where the original destination is, or nothing.
    var dialledName: HostName? {
        if case .name(let name)? = dial { name } else { nil }
    }

    var dialsSomething: Bool { dial != nil }

    /// A refusal that needs no policy: the connection broke a rule of the product itself.
    package static func refused(_ reason: Reason, port: UInt16 = 0) -> Decision {
        refused(reason, rule: nil, port: port)
    }

    /// The answer for a connection whose requests can be read, made without asking a rule: each of them is judged instead.
    ///
    /// Nothing is dialled on its account, and no permit comes of it.
    package static func perRequest(port: UInt16) -> Decision {
        perRequest(port: port, rule: nil, treatment: .http)
    }

    static func perRequest(port: UInt16, rule: RuleName?, treatment: Treatment) -> Decision {
        Decision(.allow, .perRequest, rule: rule, treatment: treatment, port: port)
    }

    /// A refusal on account of what a rule says about what it lets through.
    package static func refused(_ reason: Reason, rule: RuleName?, port: UInt16) -> Decision {
        Decision(.deny, reason, rule: rule, treatment: .refuse, port: port)
    }

    static func undetermined(port: UInt16) -> Decision {
        Decision(.undetermined, .undetermined, rule: nil, treatment: .refuse, port: port)
    }

    /// The answer where only the body of a request tells whether the rule matches.
    static func needsBody(for rule: RuleName?, port: UInt16) -> Decision {
        Decision(.needsBody, .undetermined, rule: rule, treatment: .refuse, port: port)
    }

    /// What lets something through.
    static func allowed(_ reason: Reason, by permission: Permission, for facts: Facts) -> Decision {
        Decision(
            .allow,
            reason,
            rule: permission.rule,
            treatment: permission.treatment,
            port: facts.port,
            permission
        )
    }

    /// The same, let through because the rule that would refuse it is on trial.
    func thatWouldBeDenied(_ reason: Reason, by rule: RuleName?) -> Decision {
        guard let dial else { return self }
        let permission = Permission(
            rule: rule,
            basis: basis,
            wouldDeny: true,
            treatment: treatment,
            dial: dial,
            addresses: addresses,
            egress: egress,
            draws: draws
        )
        return Decision(.allow, reason, rule: rule, treatment: treatment, port: port, permission)
    }

    private init(
        _ verdict: Verdict,
        _ reason: Reason,
        rule: RuleName?,
        treatment: Treatment,
        port: UInt16,
        _ permission: Permission? = nil
    ) {
        content = Content(
            Answer(
                verdict: verdict,
                wouldDeny: permission?.wouldDeny ?? false,
                reason: reason,
                rule: rule,
                basis: permission?.basis ?? .nothing,
                treatment: treatment,
                dial: permission?.dial,
                addresses: permission?.addresses,
                egress: permission?.egress ?? [],
                port: port,
                draws: permission?.draws ?? []
            )
        )
    }
}

/// What a decision that lets something through is made of.
struct Permission {
    /// What the record names.
    var rule: RuleName?
    var basis: DecisionBasis
    var wouldDeny = false
    var treatment: Treatment
    var dial: DialPlan
    var addresses: [UpstreamAddress]?
    var egress: EgressList = []
    var draws: [CounterDraw] = []
}
