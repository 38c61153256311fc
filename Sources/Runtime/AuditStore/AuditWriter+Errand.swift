import EventLoops
import Synchronization

/// What a loop's thread does for the writer while connections of that loop wait.
extension AuditWriter: LoopErrand {
    /// How much a loop writes, in bytes of bodies; what is more is left to the writer's thread.
    private static let loopBytes = 256 << 10

    /// Writes what waits, or wakes the thread that will.
    ///
    /// The watchers are not told yet.
    package func perform(for loop: EventLoop) {
        let mayWrite = isForLoops.load(ordering: .relaxed) && queue.backlogBytes <= Self.loopBytes
        if !mayWrite || !pen.lend(to: loop, for: queue) { press() }
    }

    /// Tells the watchers what was written.
    package func finishAlone() { notifyWatchers() }
}
