import EventLoops
import LinuxBindings
import Synchronization

/// Who writes the audit file: the writer's thread, or the thread of a loop whose connections wait, for one write.
///
/// A loop that wakes the thread, sleeps, and is woken by it pays for two switches of context, which cost more than the write. What a
/// write may cost is bounded otherwise: it is an errand (`LoopErrand`), so that another thread runs the loop where it does not come
/// back, and a loop keeps away from a disk that was slow.
///
/// Concurrency: whoever has the pen has all of the file's state; nobody waits for it but the writer's thread.
final class AuditPen: Sendable {
    /// How long records that nobody waits for may lie after a busy moment: each wake-up costs two switches of context, and where loops
    /// write what they wait for they take these along.
    private static let dozeMilliseconds: Int32 = 50
    /// How long the thread waits before it looks again at a loop that has the pen.
    private static let lookMilliseconds: Int32 = 20
    /// How long a write may hold up a loop, in nanoseconds.
    private static let patience: UInt64 = 60_000_000
    /// A write that took so long, in nanoseconds, has the loops keep away for a while.
    private static let slowness: UInt64 = 10_000_000
    /// For how many times that.
    private static let restFactor: UInt64 = 20
    /// At most, in nanoseconds.
    private static let longestRest: UInt64 = 60_000_000_000

    private struct Borrower {
        let loop: EventLoop
        /// Of the monotonic clock, in nanoseconds.
        let since: UInt64
        /// Another thread was asked to run the loop.
        var isRelieved = false
    }

    private let thread = Mutex<WriterThread?>(nil)
    private let borrower = Mutex<Borrower?>(nil)
    /// The writer's thread waits for the pen.
    private let isWanted = Atomic(false)
    /// The writer's thread has gone: the file is closed by whoever has the pen last.
    private let isOver = Atomic(false)
    /// Until when the loops keep away, in nanoseconds of the monotonic clock.
    private let restsUntil = Atomic<UInt64>(0)

    /// Writes what is submitted until the writer is to stop, on the writer's thread.
    ///
    /// - Throws: What keeps the file from being used any longer.
    func serve(_ begun: consuming WriterThread, _ queue: SubmissionQueue) throws(AuditError) {
        var begun = Optional(begun)
        thread.withLock { swap(&$0, &begun) }
        defer {
            isOver.store(true, ordering: .sequentiallyConsistent)
            lay()
        }
        var isDozing = true
        while true {
            let step = try thread.withLockIfAvailable { thread throws(AuditError) in
                try thread?.step(isDozing: isDozing) ?? .end
            }
            switch step {
            case .goOn: isDozing = true
            case .sleep:
                if isDozing { isDozing = doze(queue) } else { queue.sleep() }
            case .end: return
            case nil:
                if case .now = queue.stopRequest { return }
                waitForPen(queue)
                isDozing = true
            }
        }
    }

    /// Looks again in a moment; true where more has come meanwhile, so that to sleep would be to be woken at once.
    private func doze(_ queue: SubmissionQueue) -> Bool {
        let last = queue.lastTicket
        queue.sleep(milliseconds: Self.dozeMilliseconds)
        return queue.lastTicket != last
    }

    /// Has the calling thread, which is that of `loop`, write what waits in `queue`.
    ///
    /// - Returns: False where it could not, because somebody else has the pen or the disk was slow.
    func lend(to loop: EventLoop, for queue: SubmissionQueue) -> Bool {
        let start = monotonicNanoseconds()
        // The writer's thread comes first: what it has to do may be that nothing new passes.
        guard !isWanted.load(ordering: .relaxed), start >= restsUntil.load(ordering: .relaxed) else { return false }
        let isDue = thread.withLockIfAvailable { thread in
            guard !isOver.load(ordering: .relaxed) else { return false }
            borrower.withLock { $0 = Borrower(loop: loop, since: start) }
            defer { borrower.withLock { $0 = nil } }
            return thread?.writeHere() ?? true
        }
        guard let isDue else { return false }
        if isOver.load(ordering: .sequentiallyConsistent) { lay() }
        let took = monotonicNanoseconds() &- start
        if took >= Self.slowness {
            restsUntil.store(start &+ took &+ min(took &* Self.restFactor, Self.longestRest), ordering: .relaxed)
        }
        if isDue || isWanted.load(ordering: .sequentiallyConsistent) { queue.nudge() }
        return true
    }

    /// Waits for the loop that has the pen to give it back, and has another thread run it where that takes long.
    private func waitForPen(_ queue: SubmissionQueue) {
        isWanted.store(true, ordering: .sequentiallyConsistent)
        defer { isWanted.store(false, ordering: .relaxed) }
        // It may have given it back before it could see that.
        guard thread.withLockIfAvailable({ _ in }) == nil else { return }
        queue.sleep(milliseconds: Self.lookMilliseconds)
        relieve()
    }

    private func relieve() {
        let loop: EventLoop? = borrower.withLock { borrower in
            guard let now = borrower, !now.isRelieved, monotonicNanoseconds() &- now.since >= Self.patience else {
                return nil
            }
            borrower?.isRelieved = true
            return now.loop
        }
        guard let loop else { return }
        do throws(SystemCallError) {
            try loop.takeOver()
        } catch {
            // There was no room for a thread: it is tried again.
            borrower.withLock { $0?.isRelieved = false }
        }
    }

    /// Closes the file, unless a loop has the pen: then that loop does.
    private func lay() {
        var none: WriterThread?
        thread.withLockIfAvailable { swap(&$0, &none) }
    }
}
