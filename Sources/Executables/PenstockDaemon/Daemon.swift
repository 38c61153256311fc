import AuditStore
import AuditTrail
import ConnectionJourney
import EventLoops
import GovernanceAPI
import LinuxBindings
import NetworkTypes
import OperatorEndpoints
import PolicyEngine

/// The daemon while it runs.
///
/// Lives on the control loop, which carries no agent's traffic: it may wait for a file.
final class Daemon: EventHandler {
    private let plan: DaemonPlan
    private let audit: AuditWriter
    private let readiness: Readiness
    private let signals: SignalDescriptor
    private var workers: [LoopBound<Worker>] = []
    private var governance: [LoopBound<GovernanceServer>] = []
    private var snapshot = PolicySnapshot(policy: nil, generation: 0)
    /// Set from the start until all workers are there: each of them gets every policy.
    private var isReloading = true
    private var wantsReload = false
    private var isDraining = false
    private var health: [HealthServer] = []
    private var boundary: Boundary?

    /// How long after the last step of the start its pages are let go.
    private static let startNanoseconds: UInt64 = 500_000_000

    init(_ plan: DaemonPlan, audit: AuditWriter, readiness: Readiness, signals: consuming SignalDescriptor) {
        self.plan = plan
        self.audit = audit
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
        loadPolicy()
        for listener in sockets.health {
            let server = HealthServer(adopting: OwnedDescriptor(adopting: listener), readiness)
            try server.start(on: loop)
            health.append(server)
        }
        _ = try loop.watch(signals.descriptor, self)
        for (index, listeners) in sockets.agents.enumerated() {
            let workerLoop = try EventLoop(index: index)
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
        let ports: Set = [plan.transparentPort, plan.explicitPort, plan.apiPort]
        let readiness = self.readiness
        let watch = AnswerWatch(ports: ports, metrics: services.metrics) { problem in
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
                loop.startTask(with: self) { daemon, loop in await daemon.reload(on: loop) }
            case .terminate, .interrupt: loop.startTask(with: self) { daemon, loop in await daemon.stop(on: loop) }
            }
        }
    }

    // MARK: Policy

    private func loadPolicy() {
        do {
            adopt(try plan.loadPolicy())
        } catch {
            refusePolicy("\(error)")
        }
    }

    /// Loads the policy, and once more if that was asked for meanwhile: the file may have changed after it was read.
    private func reload(on loop: isolated EventLoop) async {
        wantsReload = true
        guard !isReloading else { return }
        isReloading = true
        defer { isReloading = false }
        while wantsReload, !isDraining {
            wantsReload = false
            let before = snapshot.generation
            loadPolicy()
            guard snapshot.generation != before else { continue }
            for worker in workers { await putInForce(snapshot, worker, on: worker.loop) }
            for server in governance { await putInForce(GovernancePolicy(snapshot), server, on: server.loop) }
        }
    }

    private func adopt(_ policy: Policy) {
        let before = snapshot.policy?.hash
        snapshot = PolicySnapshot(policy: policy, generation: snapshot.generation + 1)
        audit.submit(
            PolicyRecord(
                event: .loaded,
                hashBefore: before,
                hashAfter: policy.hash,
                generation: snapshot.generation
            )
        )
        let generation = snapshot.generation
        readiness.update {
            $0.missingPolicy = nil
            $0.refusedReload = nil
            $0.policyGeneration = generation
            $0.policyHash = policy.hash
            $0.reloads += 1
        }
        say(
            "policy '\(policy.name)' in force, rules: \(policy.rules.count), mode \(policy.mode.rawValue), \(policy.hash)"
        )
        if policy.mode == .audit { say("warning: mode: audit lets through what the policy would refuse") }
    }

    private func refusePolicy(_ problem: String) {
        audit.submit(
            PolicyRecord(
                event: .refused,
                hashBefore: snapshot.policy?.hash,
                hashAfter: snapshot.policy?.hash,
                problems: problem.split(separator: "\n").map(String.init)
            )
        )
        let firstLine = problem.split(separator: "\n").first.map(String.init) ?? problem
        let hasPolicy = snapshot.policy != nil
        readiness.update {
            if hasPolicy { $0.refusedReload = firstLine } else { $0.missingPolicy = firstLine }
            $0.refusedReloads += 1
        }
        say(hasPolicy ? "policy not reloaded, the old one stays in force:" : "no policy, so everything is refused:")
        for line in problem.split(separator: "\n") { say("  \(line)") }
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
        let isWhole = audit.finish(timeout: .seconds(5))
        if !isWhole { say("the audit file could not be written to the end") }
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

private func putInForce(
    _ policy: GovernancePolicy,
    _ server: LoopBound<GovernanceServer>,
    on loop: isolated EventLoop
) {
    server.value(on: loop).adopt(policy)
}

private func stopAnswering(_ server: LoopBound<GovernanceServer>, on loop: isolated EventLoop) {
    server.value(on: loop).stop(on: loop)
}

extension GovernancePolicy {
    fileprivate init(_ snapshot: PolicySnapshot) {
        self.init(snapshot.policy, generation: snapshot.generation)
    }
}

private func putInForce(_ snapshot: PolicySnapshot, _ worker: LoopBound<Worker>, on loop: isolated EventLoop) {
    worker.value(on: loop).adopt(snapshot, on: loop)
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
