/// A budget: what was spent in the period that is running, or for ever.
///
/// Periods follow each other from 1970-01-01T00:00:00Z on: a day begins at midnight, UTC.
struct BudgetWindow: Hashable, Sendable {
    /// When its period began, in microseconds of the wall clock; 0 for ever.
    private(set) var start: Int64
    private(set) var spent: Int64
    /// Up to where the store has written it off.
    var leased: Int64
    /// When its period ends, in microseconds of the wall clock; `nil`: never.
    private(set) var end: Int64?

    /// A period in which nothing was spent.
    init(_ limit: CounterLimit, at now: Int64) {
        start = Self.start(limit, at: now)
        end = Self.end(limit, from: start)
        spent = 0
        leased = 0
    }

    /// As the store has it: all that was leased counts as spent.
    init(start: Int64, stored: Int64, end: Int64?) {
        self.start = start
        self.end = end
        spent = stored
        leased = stored
    }

    /// What was leased and is not spent is wanted back.
    var isSettled: Bool { spent == leased }

    /// Goes on to the period of this moment.
    ///
    /// A period that lies in the future, because the clock was put back, stays: what was spent in it is not forgotten.
    mutating func roll(_ limit: CounterLimit, at now: Int64) {
        let current = Self.start(limit, at: now)
        if current > start {
            start = current
            spent = 0
            leased = 0
        }
        end = Self.end(limit, from: start)
    }

    /// Spends as much as is wanted, or at least as is of use.
    mutating func spend(_ draw: Withdrawal, at now: Int64) -> Spending {
        roll(draw.limit, at: now)
        let left = draw.limit.amount - spent
        guard left >= draw.least, left > 0 else { return .exhausted(nanoseconds: nanosecondsToEnd(from: now)) }
        let wanted = min(draw.amount, left)
        let block = Self.block(draw)
        if leased - spent < draw.least { return .needsLease(min(draw.limit.amount, spent + max(wanted, block))) }
        let taken = min(wanted, leased - spent)
        spent += taken
        let target = min(draw.limit.amount, spent + block)
        return .spent(taken, lease: leased - spent < block / 2 && target > leased ? target : nil)
    }

    /// Puts back what was not needed, if its period is still running.
    mutating func giveBack(_ amount: Int64, from periodStart: Int64) {
        guard periodStart == start else { return }
        spent = max(0, spent - amount)
    }

    func isOver(at now: Int64) -> Bool { end.map { $0 <= now } ?? false }

    /// What is leased at a time: a thirty-second of the budget, and of bytes no more than 16 MiB.
    ///
    /// It bounds what a crash counts too much.
    private static func block(_ draw: Withdrawal) -> Int64 {
        let share = max(1, draw.limit.amount / 32)
        switch draw.key.kind {
        case .rate, .requests: return min(share, 4096)
        case .bytesUp: return min(max(share, 65536), 16 << 20)
        }
    }

    private func nanosecondsToEnd(from now: Int64) -> Int64? {
        guard let end else { return nil }
        return max(0, end &- now).multipliedReportingOverflow(by: 1000).partialValue
    }

    private static func start(_ limit: CounterLimit, at now: Int64) -> Int64 {
        guard let seconds = limit.seconds else { return 0 }
        let period = seconds * 1_000_000
        let (quotient, rest) = now.quotientAndRemainder(dividingBy: period)
        return (rest < 0 ? quotient - 1 : quotient) * period
    }

    private static func end(_ limit: CounterLimit, from start: Int64) -> Int64? {
        limit.seconds.map { start &+ $0 * 1_000_000 }
    }
}
