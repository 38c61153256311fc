import LinuxBindings
import Synchronization

/// The rates and budgets of policy: what was spent of each, in memory and on disk.
///
/// Any thread may reserve; that is a lock and a look at memory. What is reserved was leased from the store before: it is
/// written off on disk, in blocks, before any of it is spent, so that a crash counts too much and never too little. The
/// store has a thread of its own, on which alone SQLite runs; loops ask it for blocks and never wait for the disk.
package final class PolicyCounters: Sendable {
    /// What reserving came to.
    package enum Reserving: Hashable, Sendable {
        case reserved(Reservation)
        /// The store must write first: ask again when `settled` says so of this ticket.
        case mustWait(ticket: UInt64)
        case refused(CounterRefusal)
    }

    /// How the store is.
    enum StoreState: Hashable, Sendable {
        /// No policy has asked for counters so far.
        case unneeded
        case opening
        case open
        /// It cannot be written, for this reason.
        case failed(String)
        case finished
    }

    struct Inside: Sendable {
        var table: CounterTable
        var store = StoreState.unneeded
        /// Set while the policy in force has rates or budgets.
        var isNeeded = false
        /// Set once the daemon ends.
        var isEnding = false
        /// The round of writing that collects what is asked for now, and the last one that is over.
        var round: UInt64 = 1
        var finishedRound: UInt64 = 0
        var waiters: [Waiter] = []
        var writes: UInt64 = 0
        var failures: UInt64 = 0
    }

    struct Waiter: Sendable {
        let ticket: UInt64
        let wake: @Sendable () -> Void
    }

    /// Where the file is.
    let directory: String
    let capacity: Int
    let clock: CounterClock
    let report: @Sendable (String) -> Void
    let inside: Mutex<Inside>
    let bell: EventDescriptor
    let ended: EventDescriptor

    /// Counters whose file is in a directory; nothing is opened before `need`.
    ///
    /// - Parameters:
    ///   - directory: where the file is, or is to be made.
    ///   - capacity: the most counters at a time; beyond it, nothing that needs another one passes.
    ///   - wall: microseconds since 1970-01-01T00:00:00Z.
    ///   - steady: nanoseconds that never go back.
    ///   - report: told in one line of each change of the store's health.
    /// - Throws: where the process has no descriptor left to wake the store's thread by.
    package init(
        directory: String,
        capacity: Int = 16384,
        wall: @escaping @Sendable () -> Int64,
        steady: @escaping @Sendable () -> UInt64,
        report: @escaping @Sendable (String) -> Void
    ) throws(SystemCallError) {
        self.directory = directory
        self.capacity = capacity
        self.report = report
        clock = CounterClock(wall: wall, steady: steady)
        inside = Mutex(Inside(table: CounterTable(capacity: capacity)))
        bell = try EventDescriptor(blocking: true)
        ended = try EventDescriptor(blocking: true)
    }

    /// Says whether the policy in force has rates or budgets: the first that has opens the store.
    package func need(_ isNeeded: Bool) {
        let mustStart = inside.withLock { inside in
            inside.isNeeded = isNeeded
            guard isNeeded, inside.store == .unneeded else { return false }
            inside.store = .opening
            return true
        }
        guard mustStart else { return }
        do throws(SystemCallError) {
            try startThread(named: "counters") { CounterThread(self).run() }
        } catch {
            inside.withLock { $0.store = .failed("\(error)") }
        }
    }

    /// Takes all of it or nothing; it never waits.
    package func reserve(_ draws: [Withdrawal]) -> Reserving {
        guard let first = draws.first else { return .reserved(Reservation(parts: [])) }
        let now = clock.now
        let (result, mustWake): (Reserving, Bool) = inside.withLock { inside in
            switch inside.store {
            case .finished, .unneeded: return (.refused(CounterRefusal(key: first.key, cause: .unavailable)), false)
            case .opening, .open, .failed: break
            }
            switch inside.table.reserve(draws, at: now) {
            case .reserved(let reservation, let asksForMore): return (.reserved(reservation), asksForMore)
            case .refused(let refusal): return (.refused(refusal), false)
            case .mustWait:
                if case .failed = inside.store {
                    return (.refused(CounterRefusal(key: first.key, cause: .unavailable)), false)
                }
                return (.mustWait(ticket: inside.round), true)
            }
        }
        if mustWake { bell.signal() }
        return result
    }

    /// Why reserving would be refused now, as far as memory tells; `nil` where it would not.
    ///
    /// Nothing is spent, and nothing is asked of the store.
    package func obstacle(to draws: [Withdrawal]) -> CounterRefusal? {
        guard let first = draws.first else { return nil }
        let now = clock.now
        return inside.withLock { inside in
            if let obstacle = inside.table.obstacle(to: draws, at: now) { return obstacle }
            switch inside.store {
            case .opening, .open: return nil
            case .unneeded, .failed, .finished: return CounterRefusal(key: first.key, cause: .unavailable)
            }
        }
    }

    /// Puts back what was not needed.
    package func giveBack(_ reservation: Reservation) {
        guard !reservation.parts.isEmpty else { return }
        inside.withLock { $0.table.giveBack(reservation) }
    }

    /// Calls `wake` once the round of a ticket is over, whether or not it could be written; at once, if it is already.
    ///
    /// It may be called on the store's thread.
    package func whenSettled(_ ticket: UInt64, _ wake: @escaping @Sendable () -> Void) {
        let isOver = inside.withLock { inside in
            guard inside.finishedRound < ticket, inside.store != .finished else { return true }
            inside.waiters.append(Waiter(ticket: ticket, wake: wake))
            return false
        }
        if isOver { wake() }
    }

    /// Writes down what was really spent and closes the file; false where that took too long or failed.
    package func finish(milliseconds: Int32) -> Bool {
        let isRunning = inside.withLock { inside in
            inside.isEnding = true
            return inside.store != .unneeded && inside.store != .finished
        }
        guard isRunning else { return true }
        bell.signal()
        guard ended.wait(milliseconds: milliseconds) else { return false }
        return inside.withLock { $0.store == .finished }
    }

    /// Why rules with rates or budgets let nothing pass; `nil` where they do, or where there are none.
    package var problem: String? {
        inside.withLock { inside in
            guard inside.isNeeded else { return nil }
            return switch inside.store {
            case .opening: "\(CounterDatabase.name) is being opened"
            case .failed(let reason): "\(directory)/\(CounterDatabase.name): \(reason)"
            case .unneeded, .open, .finished: nil
            }
        }
    }

    /// Numbers for the metrics.
    package var numbers: CounterNumbers {
        inside.withLock { inside in
            CounterNumbers(
                isWritable: inside.store == .open || inside.store == .unneeded,
                counters: inside.table.counters.count,
                capacity: capacity,
                writes: inside.writes,
                failures: inside.failures
            )
        }
    }
}

/// What the counters count of themselves.
package struct CounterNumbers: Hashable, Sendable {
    /// False while nothing that needs counters passes, because the store cannot be written.
    package var isWritable: Bool
    package var counters: Int
    package var capacity: Int
    /// Transactions of the store that succeeded, and that failed.
    package var writes: UInt64
    package var failures: UInt64
}
