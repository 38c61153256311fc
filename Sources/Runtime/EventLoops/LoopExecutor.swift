import LinuxBindings
import Synchronization

/// Runs the jobs of one event loop, all on the loop's own thread.
///
/// It is the serial executor of the loop's actor and the preferred executor of its tasks. The second matters as much as the
/// first: a task without a preference resumes from each suspension on the default pool, only to be sent on from there.
///
/// Concurrency: `enqueue` may be called from any thread. Jobs from other threads pass through a locked inbox and wake the
/// loop; jobs that the loop's own thread enqueues go straight to `pending`, which only that thread touches.
package final class LoopExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // @unchecked: `pending`, `spare` and `loopEnded` are touched on the loop's thread alone; all else is a lock, an atomic or immutable.
    private let inbox = Mutex<[UnownedJob]>([])
    private let wakeUp: EventDescriptor
    /// The identity of the loop's thread, with `lentMark` while it is on an errand.
    private let thread = Atomic<UInt>(0)
    /// An identity is the address of what the C library keeps of a thread, and even.
    private static let lentMark: UInt = 1
    private var pending: [UnownedJob] = []
    private var spare: [UnownedJob] = []
    /// Set by the loop when it is over.
    var loopEnded = false

    init() throws(SystemCallError) {
        wakeUp = try EventDescriptor()
    }

    /// Takes a job that is to run on the loop; from any thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard !isCurrent else {
            pending.append(job)
            return
        }
        inbox.withLock { $0.append(job) }
        wakeUp.signal()
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    /// Stops the process where loop state is touched from another thread.
    package func checkIsolated() {
        precondition(isCurrent, "state of a loop was touched from another thread")
    }

    /// True on the loop's own thread.
    package var isCurrent: Bool { thread.load(ordering: .relaxed) == threadIdentity() }

    /// Makes the calling thread the loop's own.
    func adoptThread() {
        thread.store(threadIdentity(), ordering: .relaxed)
    }

    /// Does `errand` on the calling thread, which is the loop's, and which another may replace meanwhile.
    ///
    /// - Returns: Whether the thread is the loop's still; if not, it has nothing to do with the loop any more.
    func lend(_ errand: () -> Void) -> Bool {
        let own = threadIdentity()
        // What the loop has done is seen by whoever takes it over.
        thread.store(own | Self.lentMark, ordering: .releasing)
        errand()
        return thread.compareExchange(expected: own | Self.lentMark, desired: own, ordering: .acquiring).exchanged
    }

    /// Makes the calling thread the loop's own where the one before is on an errand.
    func seize() -> Bool {
        let before = thread.load(ordering: .relaxed)
        guard before & Self.lentMark != 0 else { return false }
        return thread.compareExchange(expected: before, desired: threadIdentity(), ordering: .acquiring).exchanged
    }

    /// The descriptor that becomes readable when a job waits in the inbox.
    var wakeUpDescriptor: Int32 { wakeUp.descriptor.number }

    /// Runs jobs one by one until one of them has been the loop itself, which stays until it is stopped or taken over.
    func runUntilLoopEnds() {
        while isCurrent, !loopEnded {
            if pending.isEmpty {
                wakeUp.sleepUntilSignalled()
                wakeUp.wait()
                collect()
            }
            while isCurrent, !loopEnded, !pending.isEmpty {
                run(pending.removeFirst())
            }
        }
    }

    /// Takes the jobs of other threads over.
    ///
    /// The signal itself is not taken: the loop is told of each new one by its edge.
    func collect() {
        pending += inbox.withLock { box in
            defer { box.removeAll(keepingCapacity: true) }
            return box
        }
    }

    /// True while a job of the loop's own waits.
    var hasPending: Bool { !pending.isEmpty }

    /// Runs what waits now; what these jobs enqueue in turn waits for the next call, so that events get their turn.
    func runPending() {
        // The loop itself is such a job: it calls this again from inside, so what runs is held here and nowhere else.
        var jobs = spare
        spare = []
        swap(&pending, &jobs)
        for job in jobs { run(job) }
        jobs.removeAll(keepingCapacity: true)
        spare = jobs
    }

    /// Runs a job as both executors that it may ask for.
    ///
    /// A task that prefers this executor would else find, at every return to its actor, that it runs without its
    /// preference, and be enqueued again.
    private func run(_ job: UnownedJob) {
        unsafe job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }
}
