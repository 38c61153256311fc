import AuditStore
import AuditTrail
import Configuration
import ConnectionJourney
import EventLoops
import GovernanceAPI
import LinuxBindings
import NetworkTypes
import OperatorEndpoints
import PolicyCounters
import PolicyEngine
import TLSInterception

/// The daemon while it runs.
///
/// Lives on the control loop, which carries no agent's traffic: it may wait for a file.
final class Daemon: EventHandler {
    let plan: DaemonPlan
    let audit: AuditWriter
    let counters: PolicyCounters
    /// `nil` where nothing is intercepted.
    let interceptor: Interceptor?
    let readiness: Readiness
    private let signals: SignalDescriptor
    private(set) var workers: [LoopBound<Worker>] = []
    private(set) var governance: [LoopBound<GovernanceServer>] = []
    var snapshot: PolicySnapshot
    /// Set from the start until all workers are there: each of them gets every policy.
    var isReloading = true
    var wantsReload = false
    /// Set where somebody asked for it, and not only another policy seems to stand there.
    var wasAsked = false
    private(set) var isDraining = false
    private var health: [HealthServer] = []
    private var boundary: Boundary?
    /// What stood at the policy's paths when it was read last.
    var policyPlace: PolicyPlace?
    /// When the policy's times were looked at last, in seconds since 1970-01-01T00:00:00Z.
    var judgedAt: Int64 = 0
    /// Set while the next beginning or end of a time window is waited for.
    var timeWatch: TimerToken?

    /// How long after the last step of the start its pages are let go.
    private static let startNanoseconds: UInt64 = 500_000_000

    init(
        _ plan: DaemonPlan,
        audit: AuditWriter,
        counters: PolicyCounters,
        interceptor: Interceptor?,
        snapshot: PolicySnapshot,
        readiness: Readiness,
        signals: consuming SignalDescriptor
    ) {
        self.plan = plan
        self.audit = audit
        self.counters = counters
        self.interceptor = interceptor
        self.snapshot = snapshot
        self.readiness = readiness
        self.signals = signals
    }

    /// Brings everything up, in this order: policy, workers, signals, and only then the first accept.
    func start(
        _ sockets: OpenSockets,
        _ services: JourneyServices,
        _ questions: GovernanceServices,
        on loop: isolated EventLoop
    ) async throws {
        if let news = loadPolicy() { tell(news) }
        for listener in sockets.health {
            let server = HealthServer(adopting: OwnedDescriptor(adopting: listener), readiness)
            try server.start(on: loop)
            health.append(server)
        }
        watchTimes(on: loop)
        watchPolicy(on: loop)
        _ = try loop.watch(signals.descriptor, self)
        for (index, listeners) in sockets.agents.enumerated() {
            let workerLoop = try EventLoop(index: index, interruptsOthers: plan.interruptsOthers)
            try workerLoop.start()
            workers.append(try await makeWorker(services, snapshot, listeners, on: workerLoop))
            let policy = GovernancePolicy(snapshot)
            governance.append(try await makeServer(questions, policy, sockets.api[index], on: workerLoop))
        }
        isReloading = false
        readiness.update { $0.isServing = true }
        if wantsReload { await reload(on: loop) }
        boundary = try Boundary(plan, sockets, services, readiness) { [weak self] in self?.snapshot.policy?.mode }
        try boundary?.start(on: loop)
        // By then the first checkpoint is signed as well, which takes most of libcrypto's start.
        _ = loop.schedule(afterNanoseconds: Self.startNanoseconds) { releaseProgramPages() }
        let readiness = self.readiness
        let watch = AnswerWatch(plan, metrics: services.metrics) { problem in
            say(problem)
            readiness.update { $0.silenced = problem }
        }
        watch.look(on: loop)
    }

    func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        while let signal = try? signals.next() {
            switch signal {
            case .hangUp:
                audit.reopen()
                reloadAuthority()
                loop.startTask(with: self) { daemon, loop in await daemon.reload(on: loop) }
            case .terminate, .interrupt: loop.startTask(with: self) { daemon, loop in await daemon.stop(on: loop) }
            }
        }
    }

    // MARK: The end

    private func stop(on loop: isolated EventLoop) async {
        guard !isDraining else { return }
        isDraining = true
        readiness.update { $0.isDraining = true }
        record(.draining)
        say("stopping: live connections have \(plan.drainSeconds) s to end")
        let workers = self.workers
        let limit = loop.schedule(afterNanoseconds: UInt64(plan.drainSeconds) * 1_000_000_000) {
            for worker in workers {
                Task(executorPreference: worker.loop.executor) { await cutAll(worker, on: worker.loop) }
            }
        }
        // All of them first: a worker may wait long for its last connection.
        for worker in workers { await stopAccepting(worker, on: worker.loop) }
        for server in governance { await stopAnswering(server, on: server.loop) }
        for worker in workers { await drain(worker, on: worker.loop) }
        loop.cancel(limit)
        record(.stopped)
        // What was leased and not spent is given back: the next start counts on from here.
        if !counters.finish(milliseconds: 5000) { say("the counters could not be written to the end") }
        let isWhole = audit.finish(timeout: .seconds(5))
        if !isWhole { say("the audit file could not be written to the end: \(audit.problem ?? "it took too long")") }
        exitProcess(isWhole ? ExitCode.done.rawValue : ExitCode.audit.rawValue)
    }

    private func record(_ event: LifecycleEvent) {
        audit.submit(LifecycleRecord(event: event, version: DaemonPlan.version, pid: processIdentifier()))
    }
}

private func makeWorker(
    _ services: JourneyServices,
    _ snapshot: PolicySnapshot,
    _ listeners: [ListeningSocket],
    on loop: isolated EventLoop
) throws -> LoopBound<Worker> {
    let worker = try Worker(services, snapshot: snapshot, on: loop)
    try worker.serve(listeners, on: loop)
    return LoopBound(worker, on: loop)
}

private func makeServer(
    _ services: GovernanceServices,
    _ policy: GovernancePolicy,
    _ listeners: [Int32],
    on loop: isolated EventLoop
) throws -> LoopBound<GovernanceServer> {
    let server = try GovernanceServer(services, policy, on: loop)
    for listener in listeners { try server.serve(adopting: OwnedDescriptor(adopting: listener), on: loop) }
    return LoopBound(server, on: loop)
}

private func stopAnswering(_ server: LoopBound<GovernanceServer>, on loop: isolated EventLoop) {
    server.value(on: loop).stop(on: loop)
}

private func stopAccepting(_ worker: LoopBound<Worker>, on loop: isolated EventLoop) {
    worker.value(on: loop).stopAccepting(on: loop)
}

private func drain(_ worker: LoopBound<Worker>, on loop: isolated EventLoop) async {
    await worker.value(on: loop).drain(on: loop)
}

private func cutAll(_ worker: LoopBound<Worker>, on loop: isolated EventLoop) {
    worker.value(on: loop).cutAll(on: loop)
}
