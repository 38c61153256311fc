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
    private let thread = Atomic<UInt>(0)
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

    /// Makes the calling thread the loop's own, for good.
    func adoptThread() {
        thread.store(threadIdentity(), ordering: .relaxed)
    }

    /// The descriptor that becomes readable when a job waits in the inbox.
    var wakeUpDescriptor: Int32 { wakeUp.descriptor.number }

    /// Runs jobs one by one until one of them has been the loop itself, which stays until it is stopped.
    func runUntilLoopEnds() {
        while !loopEnded {
            wakeUp.sleepUntilSignalled()
            wakeUp.wait()
            collect()
            while !loopEnded, !pending.isEmpty {
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
