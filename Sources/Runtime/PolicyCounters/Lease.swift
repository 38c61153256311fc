/// What the store holds of one counter: up to where it is written off.
struct Lease: Hashable, Sendable {
    /// When its period began, in microseconds of the wall clock; 0 for a rate and for ever.
    var start: Int64
    /// Of a rate, a moment in nanoseconds; of a budget, an amount.
    var value: Int64
    /// When it may be forgotten, in microseconds of the wall clock; `nil`: never.
    var end: Int64?

    /// A counter written off up to `target`.
    init(_ counter: Counter, _ target: Int64) {
        switch counter {
        case .rate: self.init(start: 0, value: target, end: target / 1000 + 1)
        case .budget(let window): self.init(start: window.start, value: target, end: window.end)
        }
    }

    /// A counter as it is written off now.
    init(_ counter: Counter) {
        switch counter {
        case .rate(let bucket): self.init(counter, max(bucket.leasedTo, bucket.fullAt))
        case .budget(let window): self.init(counter, max(window.leased, window.spent))
        }
    }

    /// A counter with nothing written off that was not spent.
    init(settling counter: Counter) {
        switch counter {
        case .rate(let bucket): self.init(counter, bucket.fullAt)
        case .budget(let window): self.init(counter, window.spent)
        }
    }

    /// As a row has it.
    init(start: Int64, value: Int64, end: Int64?) {
        self.start = start
        self.value = value
        self.end = end
    }
}

extension Counter {
    /// What a row stands for: all that was leased counts as spent.
    init(_ lease: Lease, of kind: CounterKey.Kind) {
        switch kind {
        case .rate: self = .rate(RateBucket(stored: lease.value))
        case .requests, .bytesUp:
            self = .budget(BudgetWindow(start: lease.start, stored: lease.value, end: lease.end))
        }
    }

    /// Takes what the store has written, if it is of the period that is running.
    mutating func take(_ lease: Lease) {
        switch self {
        case .rate(var bucket):
            bucket.leasedTo = max(bucket.leasedTo, lease.value)
            self = .rate(bucket)
        case .budget(var window):
            guard window.start == lease.start else { return }
            window.leased = max(window.leased, lease.value)
            self = .budget(window)
        }
    }

    /// This counter, or a stored one that has spent more.
    func atLeast(_ stored: Counter) -> Counter {
        switch (self, stored) {
        case (.rate(let own), .rate(let other)): other.fullAt > own.leasedTo ? stored : self
        case (.budget(let own), .budget(let other)):
            other.start > own.start || (other.start == own.start && other.spent > own.leased) ? stored : self
        case (.rate, .budget), (.budget, .rate): self
        }
    }

    mutating func revokeLease() {
        switch self {
        case .rate(var bucket):
            bucket.leasedTo = bucket.fullAt
            self = .rate(bucket)
        case .budget(var window):
            window.leased = window.spent
            self = .budget(window)
        }
    }

    /// Nothing was ever spent of it, nor written off.
    var isUntouched: Bool {
        switch self {
        case .rate(let bucket): bucket.isUntouched
        case .budget(let window): window.spent == 0 && window.leased == 0
        }
    }

    var isSettled: Bool {
        switch self {
        case .rate(let bucket): bucket.isSettled
        case .budget(let window): window.isSettled
        }
    }
}

/// What the store is to do in one transaction.
struct CounterWork: Sendable {
    var leases: [CounterKey: Lease]
    var removals: Set<CounterKey>

    var isEmpty: Bool { leases.isEmpty && removals.isEmpty }
}
