import LinuxBindings
import Synchronization

/// Writes what the loops ask for, in rounds: all that was asked for while the round before was written goes in one.
struct CounterThread {
    /// How often it looks whether the file is still there, and whether one that failed can be written again.
    private static let tickMilliseconds: Int32 = 1000
    /// How often, in ticks, counters are looked for that tell nothing any more.
    private static let ticksForSweep = 30

    private let counters: PolicyCounters

    init(_ counters: PolicyCounters) {
        self.counters = counters
    }

    /// Works until the daemon ends.
    func run() {
        var database: CounterDatabase?
        var ticks = 0
        while true {
            if database == nil { database = open() }
            if let current = database, !work(on: current) { database = nil }
            if database == nil { endRound(writing: nil) }
            if counters.inside.withLock({ $0.isEnding }) { return settle(database) }
            let isOpen = database != nil
            if !counters.bell.wait(milliseconds: Self.tickMilliseconds) {
                ticks += 1
                if isOpen, ticks % Self.ticksForSweep == 0 { sweep() }
            }
        }
    }

    /// Opens the file, and makes it and the memory agree; `nil` where that fails.
    private func open() -> CounterDatabase? {
        do throws(CounterFault) {
            let database = try CounterDatabase(in: counters.directory)
            let stored = try database.counters(limit: counters.capacity, now: counters.clock.now.wall)
            let leases = counters.inside.withLock { $0.table.merge(stored) }
            try database.write(CounterWork(leases: leases, removals: []))
            let before = counters.inside.withLock { inside in
                inside.table.wrote(leases)
                defer { inside.store = .open }
                return inside.store
            }
            if case .failed = before { counters.report("counters: the file is written again") }
            return database
        } catch {
            fail(error)
            return nil
        }
    }

    /// Writes what was asked for; false where the file is of no more use.
    private func work(on database: CounterDatabase) -> Bool {
        while true {
            let work = counters.inside.withLock { inside -> CounterWork? in
                guard inside.table.hasWork || !inside.waiters.isEmpty else { return nil }
                inside.round += 1
                return inside.table.takeWork()
            }
            guard let work else {
                if database.isInPlace { return true }
                fail(.replaced)
                return false
            }
            do throws(CounterFault) {
                if !work.isEmpty { try database.write(work) }
                endRound(writing: work)
            } catch {
                counters.inside.withLock { $0.table.keepForgetting(work.removals) }
                fail(error)
                return false
            }
        }
    }

    /// Lets go on whoever waits for the rounds so far; `nil`: what they asked for is not written.
    private func endRound(writing work: CounterWork?) {
        let waiters = counters.inside.withLock { inside in
            if let work {
                inside.table.wrote(work.leases)
                inside.writes += 1
            } else {
                // Nobody is left waiting for what is not going to be written.
                _ = inside.table.takeWork()
                inside.round += 1
            }
            inside.finishedRound = inside.round - 1
            let finished = inside.finishedRound
            let due = inside.waiters.filter { $0.ticket <= finished }
            inside.waiters.removeAll { $0.ticket <= finished }
            return due
        }
        for waiter in waiters { waiter.wake() }
    }

    private func fail(_ fault: CounterFault) {
        let text = "\(fault)"
        let isNews = counters.inside.withLock { inside in
            inside.failures += 1
            if fault.losesLeases { inside.table.revokeLeases() }
            defer { inside.store = .failed(text) }
            return inside.store != .failed(text)
        }
        if isNews { counters.report("counters: \(counters.directory)/\(CounterDatabase.name): \(text)") }
    }

    private func sweep() {
        let now = counters.clock.now
        counters.inside.withLock { $0.table.sweep(at: now) }
        counters.bell.signal()
    }

    /// Writes down what was really spent: from now on nothing is.
    private func settle(_ database: CounterDatabase?) {
        let settlement = counters.inside.withLock { inside in
            let isOpen = inside.store == .open
            if isOpen { inside.store = .finished }
            return isOpen ? inside.table.settlement : [:]
        }
        if let database, !settlement.isEmpty {
            try? database.write(CounterWork(leases: settlement, removals: []))
        }
        endRound(writing: nil)
        counters.ended.signal()
    }
}
