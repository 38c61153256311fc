/// A rate: a bucket of tokens that fills evenly, kept as the one moment when it will be full again.
///
/// This is the generic cell rate algorithm (ITU-T I.371, annex A): at most `amount` pass at once, and in the long run
/// `amount` in each period. What the store holds is a moment too, and never an earlier one than was spent up to.
struct RateBucket: Hashable, Sendable {
    /// When the bucket is full again, in nanoseconds of the steady clock; in the past, it is full.
    private(set) var fullAt: Int64
    /// Up to where the store has written it off.
    var leasedTo: Int64
    /// What one token takes to come back under the limit that was spent by last, in nanoseconds; 0: nobody has said.
    private var interval: Int64 = 0

    /// A full bucket.
    static var full: RateBucket { RateBucket(fullAt: 0, leasedTo: 0) }

    /// As the store has it: all that was leased counts as spent.
    init(stored: Int64) {
        self.init(fullAt: stored, leasedTo: stored)
    }

    private init(fullAt: Int64, leasedTo: Int64) {
        self.fullAt = fullAt
        self.leasedTo = leasedTo
    }

    /// Nothing was ever spent of it, nor written off.
    var isUntouched: Bool { fullAt == 0 && leasedTo == 0 }

    /// What was leased and is not spent is wanted back.
    var isSettled: Bool { fullAt == leasedTo }

    /// Spends tokens.
    mutating func spend(_ count: Int64, _ limit: CounterLimit, at now: Int64) -> Spending {
        let terms = Terms(limit)
        keepCount(terms, at: now)
        // A clock that went back, or a limit that got smaller, owes no more than an empty bucket does.
        fullAt = min(fullAt, now + terms.period)
        let start = max(fullAt, now)
        let (cost, isTooMuch) = terms.interval.multipliedReportingOverflow(by: count)
        guard !isTooMuch, cost <= terms.period else { return .exhausted(nanoseconds: nil) }
        let wait = start + cost - now - terms.period
        // What another limit made of the count must outlive a crash as well.
        guard wait <= 0 else { return fullAt > leasedTo ? .needsLease(fullAt) : .exhausted(nanoseconds: wait) }
        let next = start + cost
        guard next <= leasedTo else { return .needsLease(next + terms.block) }
        fullAt = next
        // The next block is asked for while there is still some of this one.
        return .spent(count, lease: leasedTo - next < terms.block / 2 ? next + terms.block : nil)
    }

    /// Goes on under another limit with as many tokens spent as before: what they take to come back is the new limit's.
    ///
    /// The store knows moments alone, so that of a stored bucket the level is kept instead.
    private mutating func keepCount(_ terms: Terms, at now: Int64) {
        defer { interval = terms.interval }
        guard interval != 0, interval != terms.interval, fullAt > now else { return }
        let owed = (Int128(fullAt - now) * Int128(terms.interval) + Int128(interval) - 1) / Int128(interval)
        fullAt = now + Int64(min(owed, Int128(terms.period)))
    }

    /// Puts tokens back that were not needed, spent under whatever limit.
    mutating func giveBack(_ count: Int64, _ limit: CounterLimit) {
        fullAt -= (interval == 0 ? Terms(limit).interval : interval) * count
    }

    /// True where nothing of it is worth keeping.
    func isOver(at now: Int64) -> Bool { max(fullAt, leasedTo) <= now }

    /// A limit, as times.
    private struct Terms {
        /// What one token takes to come back, in nanoseconds; at least 1.
        var interval: Int64
        var period: Int64
        /// What is leased at a time: an eighth of the period, at least a second, never more than the period.
        var block: Int64

        init(_ limit: CounterLimit) {
            // A rate is always over a time; a second stands for one that is not.
            period = min(limit.seconds ?? 1, 1 << 32) * 1_000_000_000
            interval = max(1, period / limit.amount)
            block = min(period, max(interval, period / 8, 1_000_000_000))
        }
    }
}

/// What an attempt to spend came to.
enum Spending: Hashable, Sendable {
    /// So much was spent; `lease` is what the store had better write soon.
    case spent(Int64, lease: Int64?)
    /// The store must write this first.
    case needsLease(Int64)
    /// There is not enough; after how long there will be, `nil`: never, as long as the limit stands.
    case exhausted(nanoseconds: Int64?)
}
