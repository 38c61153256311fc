import AuditTrail
import LinuxBindings
import Synchronization

/// What the writer's thread and the keeper's tell each other about the files.
final class StoreAccount: Sendable {
    /// What both may look at.
    struct Shared: Sendable {
        /// The last line that is written.
        var position = ChainPosition.beginning
        /// The number of the last line that was there before this writer's first.
        var numberBefore: UInt64 = 0
        /// The number of the last checkpoint's line; 0: there is none.
        var checkpoint: UInt64 = 0
        /// Of the file that is being written, in bytes.
        var activeBytes = 0
        /// Of all other files of the trail, in bytes.
        var otherBytes = 0
        var segments = 0
        /// Counts what the writer did to the files, so that the keeper can tell that what it counted is old.
        var generation: UInt64 = 0
        /// The writer is to look whether the file still has its name.
        var wantsReopening = false
        /// Records of allowed connections and requests without an end.
        var open = 0
    }

    let settings: AuditStoreSettings
    /// Of standard output: none.
    let directory: AuditDirectory?
    let state: StateDirectory?
    /// Of standard output: what is kept beside each write.
    let stream: StreamState?
    /// Wakes the keeper.
    let bell: EventDescriptor
    private let shared = Mutex(Shared())
    private let lastReports = Mutex<[AuditTask: String]>([:])
    /// What stopped the traffic when the operator was told of it last; nil: nothing did.
    private let lastObstacle = Mutex<String?>(nil)

    init(
        _ settings: AuditStoreSettings,
        _ directory: AuditDirectory?,
        _ state: StateDirectory?,
        _ stream: StreamState?
    ) throws(SystemCallError) {
        self.settings = settings
        self.directory = directory
        self.state = state
        self.stream = stream
        bell = try EventDescriptor(blocking: true)
    }

    /// What both know now.
    var now: Shared { shared.withLock { $0 } }

    func change<Value: Sendable>(_ body: (inout sending Shared) -> sending Value) -> Value {
        shared.withLock { body(&$0) }
    }

    /// Tells the operator what goes wrong with a task, once for each change; nil: it goes right again.
    func report(_ task: AuditTask, _ problem: String?) {
        let isNews = lastReports.withLock { last in
            defer { last[task] = problem }
            return last[task] != problem
        }
        guard isNews else { return }
        settings.report.say("audit: \(task.rawValue): \(problem ?? "it works again")")
    }

    /// Tells the operator that the trail stops all traffic, once for each reason, and that it no longer does.
    func report(_ state: AuditState) {
        // That the file is closed is no news of what was wrong with it.
        if case .finished = state { return }
        let obstacle = state.obstacle
        let isNews = lastObstacle.withLock { last in
            defer { last = obstacle }
            return last != obstacle
        }
        guard isNews else { return }
        settings.report.say("audit: \(obstacle == nil ? "records are written again" : state.problem ?? "")")
    }

    /// The tasks that go wrong now.
    var troubles: Set<AuditTask> { lastReports.withLock { Set($0.keys) } }
}
