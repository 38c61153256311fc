/// What one counter counts: a rate or a budget of one rule, for one subject.
package struct CounterKey: Hashable, Sendable {
    /// What is counted of a rule.
    package enum Kind: Int64, Hashable, Sendable, CaseIterable {
        /// Connections and requests over time.
        case rate = 1
        /// Connections and requests of a period.
        case requests = 2
        /// Bytes from the agent of a period.
        case bytesUp = 3
    }

    /// The rule's name: a rule of another name has counters of its own.
    package let rule: String
    package let kind: Kind
    /// The host or the workload that is counted for; empty where the rule counts all together.
    package let subject: String

    package init(rule: String, kind: Kind, subject: String) {
        self.rule = rule
        self.kind = kind
        self.subject = subject
    }
}

/// How much a counter lets pass.
package struct CounterLimit: Hashable, Sendable {
    /// The most, in units of the counter's kind; at least 1.
    package let amount: Int64
    /// In which time, in seconds; `nil`: for ever.
    package let seconds: Int64?

    /// A limit; amounts and periods that nobody lives to see are taken down to what can be computed with.
    package init(amount: Int64, seconds: Int64?) {
        self.amount = min(max(1, amount), 1 << 60)
        self.seconds = seconds.map { min(max(1, $0), 1 << 32) }
    }
}

/// What somebody wants of a counter.
package struct Withdrawal: Hashable, Sendable {
    package let key: CounterKey
    package let limit: CounterLimit
    /// How much is wanted.
    package let amount: Int64
    /// The least that is of use: where there is less than `amount`, so much will do.
    package let least: Int64

    package init(_ key: CounterKey, _ limit: CounterLimit, amount: Int64 = 1, least: Int64? = nil) {
        self.key = key
        self.limit = limit
        self.amount = amount
        self.least = least ?? amount
    }
}
