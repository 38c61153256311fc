/// One counter, of either kind.
enum Counter: Hashable, Sendable {
    case rate(RateBucket)
    case budget(BudgetWindow)

    /// A counter of which nothing is spent.
    init(_ draw: Withdrawal, at now: CounterTime) {
        switch draw.key.kind {
        case .rate: self = .rate(.full)
        case .requests, .bytesUp: self = .budget(BudgetWindow(draw.limit, at: now.wall))
        }
    }

    mutating func spend(_ draw: Withdrawal, at now: CounterTime) -> Spending {
        switch self {
        case .rate(var bucket):
            defer { self = .rate(bucket) }
            return bucket.spend(draw.amount, draw.limit, at: now.steady)
        case .budget(var window):
            defer { self = .budget(window) }
            return window.spend(draw, at: now.wall)
        }
    }

    mutating func giveBack(_ part: Reservation.Part) {
        switch self {
        case .rate(var bucket):
            bucket.giveBack(part.amount, part.draw.limit)
            self = .rate(bucket)
        case .budget(var window):
            window.giveBack(part.amount, from: part.periodStart)
            self = .budget(window)
        }
    }

    /// When the period began that it counts in; 0 for a rate.
    var periodStart: Int64 {
        switch self {
        case .rate: 0
        case .budget(let window): window.start
        }
    }

    /// True where nothing of it is worth keeping.
    func isOver(at now: CounterTime) -> Bool {
        switch self {
        case .rate(let bucket): bucket.isOver(at: now.steady)
        case .budget(let window): window.isOver(at: now.wall) || (window.spent == 0 && window.leased == 0)
        }
    }
}

/// All counters, in memory: the store has written off at least as much of each as was spent.
struct CounterTable: Sendable {
    /// How often expired counters are looked for where there is no room, in microseconds.
    private static let sweepMicroseconds: Int64 = 1_000_000

    private(set) var counters: [CounterKey: Counter] = [:]
    /// What the store is to write next.
    private var wanted: [CounterKey: Lease] = [:]
    /// Counters that are no more, and that the store is to forget.
    private var forgotten: Set<CounterKey> = []
    private var lastSweep = Int64.min
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// What reserving came to.
    enum Outcome {
        case reserved(Reservation, asksForMore: Bool)
        case mustWait
        case refused(CounterRefusal)
    }

    /// Spends all of it or nothing.
    mutating func reserve(_ draws: [Withdrawal], at now: CounterTime) -> Outcome {
        var parts: [Reservation.Part] = []
        var mustWait = false
        var asksForMore = false
        var refusal: CounterRefusal?
        for draw in draws {
            guard let spending = spend(draw, at: now) else {
                refusal = CounterRefusal(key: draw.key, cause: .tooMany(capacity: capacity))
                break
            }
            switch spending {
            case .spent(let amount, let target):
                parts.append(
                    Reservation.Part(draw: draw, amount: amount, periodStart: counters[draw.key]?.periodStart ?? 0)
                )
                if let target { asksForMore = want(target, draw.key) || asksForMore }
            case .needsLease(let target):
                _ = want(target, draw.key)
                mustWait = true
            case .exhausted(let wait):
                refusal = CounterRefusal(key: draw.key, cause: .exhausted(nanoseconds: wait))
            }
            if refusal != nil { break }
        }
        guard refusal != nil || mustWait else {
            return .reserved(Reservation(parts: parts), asksForMore: asksForMore)
        }
        giveBack(Reservation(parts: parts))
        return refusal.map { .refused($0) } ?? .mustWait
    }

    /// `nil` where there is no room for another counter.
    private mutating func spend(_ draw: Withdrawal, at now: CounterTime) -> Spending? {
        if counters[draw.key] == nil {
            guard hasRoom(at: now) else { return nil }
            counters[draw.key] = Counter(draw, at: now)
            forgotten.remove(draw.key)
        }
        return counters[draw.key]?.spend(draw, at: now)
    }

    /// What stands in the way of this now; nothing is spent, and no counter is made.
    func obstacle(to draws: [Withdrawal], at now: CounterTime) -> CounterRefusal? {
        for draw in draws {
            guard var counter = counters[draw.key] else { continue }
            guard case .exhausted(let wait) = counter.spend(draw, at: now) else { continue }
            return CounterRefusal(key: draw.key, cause: .exhausted(nanoseconds: wait))
        }
        return nil
    }

    mutating func giveBack(_ reservation: Reservation) {
        for part in reservation.parts { counters[part.draw.key]?.giveBack(part) }
    }

    /// Notes what the store is to write; false where that is on its way.
    private mutating func want(_ target: Int64, _ key: CounterKey) -> Bool {
        guard let lease = counters[key].map({ Lease($0, target) }) else { return false }
        if let before = wanted[key], before.start == lease.start, before.value >= lease.value { return false }
        wanted[key] = lease
        return true
    }

    // MARK: Room

    private mutating func hasRoom(at now: CounterTime) -> Bool {
        if counters.count < capacity { return true }
        // A clock that was put back does not keep it from looking.
        guard now.wall >= lastSweep &+ Self.sweepMicroseconds || now.wall < lastSweep else { return false }
        sweep(at: now)
        return counters.count < capacity
    }

    /// Forgets counters that tell nothing any more.
    mutating func sweep(at now: CounterTime) {
        lastSweep = now.wall
        for (key, counter) in counters where counter.isOver(at: now) && wanted[key] == nil {
            counters[key] = nil
            forgotten.insert(key)
        }
    }

    // MARK: The store's side

    /// Takes what is to be written and what is to be removed.
    mutating func takeWork() -> CounterWork {
        defer {
            wanted = [:]
            forgotten = []
        }
        return CounterWork(leases: wanted, removals: forgotten)
    }

    /// Whether there is anything to take.
    var hasWork: Bool { !wanted.isEmpty || !forgotten.isEmpty }

    /// The store has written these.
    mutating func wrote(_ leases: [CounterKey: Lease]) {
        for (key, lease) in leases { counters[key]?.take(lease) }
    }

    /// The store could not forget these, or has to be told again.
    mutating func keepForgetting(_ keys: Set<CounterKey>) {
        forgotten.formUnion(keys.filter { counters[$0] == nil })
    }

    /// Takes in what a store holds, and answers what it has to be told: of each counter, the larger of the two counts.
    mutating func merge(_ stored: [CounterKey: Counter]) -> [CounterKey: Lease] {
        for (key, counter) in stored {
            if let own = counters[key] { counters[key] = own.atLeast(counter) } else { counters[key] = counter }
        }
        return counters.compactMapValues { $0.isUntouched ? nil : Lease($0) }
    }

    /// The store's file is another: what it was told is not written anywhere.
    mutating func revokeLeases() {
        for key in counters.keys { counters[key]?.revokeLease() }
    }

    /// What was really spent, of counters of which the store has written off more.
    var settlement: [CounterKey: Lease] {
        counters.compactMapValues { $0.isSettled ? nil : Lease(settling: $0) }
    }
}
