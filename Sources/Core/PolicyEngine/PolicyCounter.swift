/// One counter that a rule draws on.
///
/// It is the same counter after a reload that keeps the rule's name, the quantity and the scope, whatever the limit is then.
package struct PolicyCounter: Hashable, Sendable {
    package let rule: RuleName
    package let quantity: CountedQuantity
    package let subject: CountedSubject

    package init(rule: RuleName, quantity: CountedQuantity, subject: CountedSubject) {
        self.rule = rule
        self.quantity = quantity
        self.subject = subject
    }
}

/// What a counter counts; the raw values are the words for it in a store.
package enum CountedQuantity: String, Hashable, Sendable, CaseIterable {
    /// Allowed connections and requests, of `rate`.
    case rate
    /// Allowed connections and requests, of `budget`.
    case requests
    /// Bytes that the agent sent, of `budget`.
    case bytesUp = "bytes_up"

    /// What is said where the counter has nothing left.
    package var exhaustion: Reason {
        switch self {
        case .rate: .rateExceeded
        case .requests, .bytesUp: .budgetExhausted
        }
    }
}

/// Why nothing can be drawn on a counter.
package enum CounterObstacle: Hashable, Sendable {
    /// It has nothing left.
    case exhausted
    /// Nobody can say what it has left.
    case unavailable
    /// Nobody can say whose it is.
    case unattributable
}

/// Whose counter it is.
package struct CountedSubject: Hashable, Sendable {
    package let scope: CountingScope
    /// A host or an address; `namespace/service_account/uid`, the address of a gateway's client in the place of the user, with
    /// `-` for what is not known; empty for the rule.
    package let key: String

    package init(scope: CountingScope, key: String) {
        self.scope = scope
        self.key = key
    }

    /// False where it is a workload's and nobody knows whose: an agent that could hide who it is would have a counter
    /// more than it should.
    package var isKnown: Bool {
        switch scope {
        case .rule, .host: true
        case .workload: !key.hasSuffix("/-")
        }
    }
}

/// What an allowed connection or request takes from a counter.
package struct CounterDraw: Hashable, Sendable {
    package let counter: PolicyCounter
    /// How much there is in each period.
    package let limit: UInt64
    /// `nil`: for ever.
    package let period: CountingPeriod?
    /// The rule is on trial: that the counter is exhausted is recorded, and stops nothing.
    package let isOnTrial: Bool

    package init(counter: PolicyCounter, limit: UInt64, period: CountingPeriod?, isOnTrial: Bool) {
        self.counter = counter
        self.limit = limit
        self.period = period
        self.isOnTrial = isOnTrial
    }
}
