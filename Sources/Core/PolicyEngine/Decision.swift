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

/// The answer to one question put to a policy.
///
/// Only a policy makes one that lets something be dialled.
package struct Decision: Hashable, Sendable {
    package let verdict: Verdict
    /// In `mode: audit`, true where `mode: enforce` would have refused.
    package let wouldDeny: Bool
    package let reason: Reason
    /// The rule that decided, or whose allowance the addresses failed; `nil` for the default and for what no rule decides.
    package let rule: RuleName?
    package let treatment: Treatment
    /// What is to be dialled; `nil` where nothing is.
    package let dial: DialPlan?
    /// The addresses that may be dialled, in the order given; `nil` where they are unchecked or nothing is dialled.
    package let addresses: [UpstreamAddress]?
    /// The port that was judged.
    package let port: UInt16

    /// A refusal that needs no policy: the connection broke a rule of the product itself.
    package static func refused(_ reason: Reason, port: UInt16 = 0) -> Decision {
        refused(reason, rule: nil, port: port)
    }

    /// The answer for a connection of plain HTTP, made without asking a rule: each of its requests is judged instead.
    ///
    /// Nothing is dialled on its account, and no permit comes of it.
    package static func perRequest(port: UInt16) -> Decision {
        Decision(
            verdict: .allow,
            wouldDeny: false,
            reason: .perRequest,
            rule: nil,
            treatment: .http,
            dial: nil,
            addresses: nil,
            port: port
        )
    }

    static func refused(_ reason: Reason, rule: RuleName?, port: UInt16) -> Decision {
        Decision(
            verdict: .deny,
            wouldDeny: false,
            reason: reason,
            rule: rule,
            treatment: .refuse,
            dial: nil,
            addresses: nil,
            port: port
        )
    }

    static func undetermined(port: UInt16) -> Decision {
        Decision(
            verdict: .undetermined,
            wouldDeny: false,
            reason: .undetermined,
            rule: nil,
            treatment: .refuse,
            dial: nil,
            addresses: nil,
            port: port
        )
    }

    static func allowed(
        _ reason: Reason,
        rule: RuleName?,
        wouldDeny: Bool = false,
        dial: DialPlan,
        addresses: [UpstreamAddress]?,
        for facts: Facts
    ) -> Decision {
        Decision(
            verdict: .allow,
            wouldDeny: wouldDeny,
            reason: reason,
            rule: rule,
            treatment: facts.isPlainHTTP ? .http : .tunnel,
            dial: dial,
            addresses: addresses,
            port: facts.port
        )
    }
}
