import AuditStore
import AuditTrail
import ByteRelay
import ContentInspection
import EventLoops
import LinuxBindings
import NameResolution
import NetworkTypes
import PolicyCounters
import PolicyEngine
import TLSInterception
import Telemetry
import WireFormats

/// What all workers share.
///
/// Everything in it may be used from any thread.
package struct JourneyServices: Sendable {
    package let settings: JourneySettings
    package let audit: AuditWriter
    package let metrics: JourneyMetrics
    package let resolving: ResolverSettings
    package let counters: PolicyCounters
    /// What TLS is ended with; `nil`: nothing is intercepted.
    package let interceptor: Interceptor?

    package init(
        settings: JourneySettings,
        audit: AuditWriter,
        metrics: JourneyMetrics,
        resolving: ResolverSettings,
        counters: PolicyCounters,
        interceptor: Interceptor? = nil
    ) {
        self.interceptor = interceptor
        self.settings = settings
        self.audit = audit
        self.metrics = metrics
        self.resolving = resolving
        self.counters = counters
    }
}

/// Everything that the connections of one loop have in common.
///
/// Lives on that loop.
package final class Worker {
    let settings: JourneySettings
    let audit: AuditWriter
    let metrics: JourneyMetrics
    let counters: PolicyCounters
    let interceptor: Interceptor?
    let tickets = TicketCache(capacity: 1024)
    let pool: UpstreamPool
    let dialAllowance: DialAllowance
    let lending = UpstreamLending()
    let allowance: InspectionAllowance
    let means = RelayMeans(bufferBytes: 65536, pipes: 48)
    let registry = Registry()
    let pacer: DecisionPacer
    let netlink: NetlinkQuestions
    /// The users whom the policy names, and those whose connections have been asked about, by what stands for them in notes.
    var knownUsers: [UInt32: UInt32] = [:]
    let resolver: LoopResolver
    let gate: AuditGate
    private(set) var snapshot: PolicySnapshot {
        didSet {
            recordedPolicy = RecordedPolicy(snapshot)
            circumstances = ConnectionCircumstances(recordedPolicy, settings.workload)
        }
    }
    /// The policy in force, as records name it.
    private(set) var recordedPolicy: RecordedPolicy
    private var circumstances: ConnectionCircumstances
    let memory: ConnectionMemory
    private var identifiers: IdentifierSequence<KernelRandomness>
    private var listeners: [ConnectionListener] = []
    /// Set once the daemon has been told to stop.
    private(set) var isDraining = false
    private var whenEmpty: CheckedContinuation<Void, Never>?

    /// How often connections that have come to stay are looked after, in nanoseconds.
    private static let housekeeping: UInt64 = 15_000_000_000

    /// How many may be accepted before those are gone in whose place they come.
    private static let replacedInATurn = 8

    /// How long a connection may be undecided before another one takes its place, where there are too many, in nanoseconds.
    ///
    /// Who says what it wants, and asks for a name that is known, needs far less; those that come in one moment push nobody out, and
    /// who waits for a server to speak first has the time that it takes to believe that.
    private var grace: UInt64 { settings.silenceNanoseconds &+ 250_000_000 }

    /// Makes a worker on its loop.
    ///
    /// It accepts nothing before `serve`.
    package init(
        _ services: JourneyServices,
        snapshot: PolicySnapshot,
        on loop: isolated EventLoop
    ) throws {
        settings = services.settings
        audit = services.audit
        metrics = services.metrics
        counters = services.counters
        interceptor = services.interceptor
        let gauge = services.metrics.inspectionBytes
        allowance = InspectionAllowance(services.settings.inspectionBytes) { gauge.add(Int64($0)) }
        pool = UpstreamPool(capacity: services.settings.pooledUpstreams)
        dialAllowance = DialAllowance(services.settings.dialsBeside)
        self.snapshot = snapshot
        pacer = DecisionPacer(perSecond: settings.decisionsPerSecond)
        recordedPolicy = RecordedPolicy(snapshot)
        circumstances = ConnectionCircumstances(recordedPolicy, services.settings.workload)
        memory = ConnectionMemory(limits: services.audit.limits)
        netlink = try NetlinkQuestions()
        resolver = try LoopResolver(services.resolving)
        gate = try AuditGate(services.audit, patience: services.settings.auditNanoseconds, writes: true, on: loop)
        identifiers = IdentifierSequence(random: KernelRandomness())
        knowNamedUsers()
    }

    /// Accepts connections from sockets that listen already.
    ///
    /// Each worker has sockets of its own.
    package func serve(_ sockets: [ListeningSocket], on loop: isolated EventLoop) throws(SystemCallError) {
        for socket in sockets {
            let listener = ConnectionListener(socket, self)
            try listener.start(on: loop)
            listeners.append(listener)
        }
        scheduleHousekeeping(on: loop)
    }

    /// Has the kernel watch the upstreams of tunnels that last; for short ones four system calls would be wasted.
    private func scheduleHousekeeping(on loop: isolated EventLoop) {
        _ = loop.schedule(afterNanoseconds: Self.housekeeping) { [weak self] in
            guard let self else { return }
            self.keepHouse(on: loop)
            self.scheduleHousekeeping(on: loop)
        }
    }

    private func keepHouse(on loop: isolated EventLoop) {
        for connection in registry.live {
            connection.tunnel?.watchUpstream()
            connection.conversation?.watchUpstream()
            connection.conversation?.rest()
        }
        pool.letGo(on: loop)
        while let oldest = registry.idle.first, let since = oldest.conversation?.idleSince,
            since &+ settings.idleNanoseconds <= loop.now
        {
            registry.idle.remove(oldest)
            oldest.cut(Cut(outcome: .timedOut, isOrderly: true), on: loop)
        }
    }

    /// Lets the connection go that has been idle for longest, or else undecided, where there are too many.
    private func makeRoom(on loop: isolated EventLoop) {
        guard registry.count > settings.connections else { return }
        guard let oldest = registry.idle.first else { return cutUndecided(overdue(on: loop), on: loop) }
        registry.idle.remove(oldest)
        oldest.cut(Cut(outcome: .timedOut, isOrderly: true), on: loop)
    }

    /// The connection that has been undecided for longest, if that is longer than one may be that stands in others' way.
    private func overdue(on loop: isolated EventLoop) -> Connection? {
        guard let oldest = registry.oldestUndecided(), oldest.accepted &+ grace <= loop.now else { return nil }
        return oldest
    }

    private func cutUndecided(_ connection: Connection?, on loop: isolated EventLoop) {
        connection?.cut(Cut(outcome: .cut, reason: .undecidedLimit), on: loop)
    }

    /// Puts a new policy in force, and to every connection that the old one let through.
    package func adopt(_ snapshot: PolicySnapshot, on loop: isolated EventLoop) {
        self.snapshot = snapshot
        // What another policy let through is nobody's any more.
        pool.letGo(all: true, on: loop)
        if snapshot.policy?.asksForUsers ?? true { forgetUncertainOwners() }
        knowNamedUsers()
        judgeAgain(outcome: .policyChanged, on: loop)
    }

    /// Puts the policy in force to every connection that it let through: a time window has begun or ended.
    package func judgeAgain(on loop: isolated EventLoop) {
        judgeAgain(outcome: .windowEnded, on: loop)
    }

    /// Nothing hung on whom these connections belong to when that was asked.
    private func forgetUncertainOwners() {
        for connection in registry.live where !connection.isPortCertain {
            connection.facts.workloadUID = nil
            connection.conversation?.facts.workloadUID = nil
        }
    }

    private func judgeAgain(outcome: ConnectionOutcome, on loop: isolated EventLoop) {
        let now = policyTime
        for connection in registry.live where connection.decision?.verdict == .allow {
            guard let cut = connection.cutNow(by: snapshot, at: now, outcome: outcome) else { continue }
            connection.cut(cut, on: loop)
        }
    }

    /// False where the whole policy is on trial.
    var isEnforcing: Bool { snapshot.policy?.mode != .audit }

    /// Seconds since 1970-01-01T00:00:00Z, where the policy in force asks for the time.
    var policyTime: Int64? {
        guard snapshot.policy?.hasTimes ?? false else { return nil }
        return audit.clock() / 1_000_000
    }

    /// Accepts nothing more: from now on the kernel refuses who comes.
    package func stopAccepting(on loop: isolated EventLoop) {
        for listener in listeners { listener.close(on: loop) }
        listeners = []
        isDraining = true
        pool.letGo(all: true, on: loop)
        for connection in registry.live { connection.conversation?.endSoon(on: loop) }
    }

    /// Accepts nothing more and waits until every connection is over; `cutAll` ends the wait.
    package func drain(on loop: isolated EventLoop) async {
        stopAccepting(on: loop)
        // Asked inside: a task of another loop may be sent round once more before the body runs, and meanwhile the last leaves.
        await withCheckedContinuation { waiting in
            guard registry.count > 0 else { return waiting.resume() }
            whenEmpty = waiting
        }
    }

    /// Ends every connection that is left.
    package func cutAll(on loop: isolated EventLoop) {
        for connection in registry.live {
            connection.cut(Cut(outcome: .drained, reason: .draining), on: loop)
        }
        // What still waits for a name or for the audit file is not waited for: its end is recorded as lost at the next start.
        _ = loop.schedule(afterNanoseconds: 1_000_000_000) { self.finishDraining() }
    }

    /// Sends an accepted connection on its way.
    ///
    /// With `readsNote` it was redirected, and its client is of this machine: the rules have noted whose it is.
    func begin(
        _ accepted: consuming AcceptedSocket,
        by arrival: Arrival,
        readsNote: Bool,
        mayBeRemote: Bool,
        on loop: isolated EventLoop
    ) {
        let note = readsNote ? originNote(of: accepted.descriptor) : nil
        var peer = ClientAddress(accepted.peer)
        if let note { peer.socket.port = note.port }
        let socket = StreamSocket(accepted.takeDescriptor())
        metrics.accepted.increment()
        metrics.live.add(1)
        let connection = Connection(
            self,
            client: socket,
            clientAddress: peer,
            accepted: loop.now,
            arrival: arrival,
            id: nextIdentifier(),
            circumstances
        )
        connection.facts.workload = settings.workloadNames
        connection.mayBeRemote = mayBeRemote
        connection.isPortCertain = arrival != .redirected || note != nil
        connection.notedUser = note?.userHash
        do throws(SystemCallError) {
            try socket.attach(to: loop)
        } catch {
            // The entry records a refusal when it is let go; the socket closes.
            metrics.acceptFailures.increment()
            metrics.live.add(-1)
            return
        }
        let isOneTooMany = registry.undecidedCount >= settings.undecided
        if isOneTooMany { cutUndecided(registry.oldestUndecided(), on: loop) }
        // Now, whoever goes on with it: many are accepted in one turn, and each must see those before it.
        registry.add(connection)
        if !isOneTooMany { makeRoom(on: loop) }
        connection.setOut(on: loop)
    }

    /// Forgets a connection whose journey is over.
    func leave(_ connection: Connection, on loop: isolated EventLoop) {
        connection.client.detach(from: loop)
        connection.tunnel = nil
        connection.conversation = nil
        connection.hold?.release()
        connection.meter?.finish()
        registry.remove(connection)
        metrics.live.add(-1)
        for listener in listeners { listener.resume(on: loop) }
        if registry.count == 0 { finishDraining() }
    }

    private func finishDraining() {
        guard let waiting = whenEmpty else { return }
        whenEmpty = nil
        waiting.resume()
    }

    /// True where another connection may be accepted now.
    func hasRoom(on loop: isolated EventLoop) -> Bool {
        guard audit.hasRoom(backlog: settings.auditBacklog) else { return false }
        guard registry.count >= settings.connections else { return true }
        // Beyond the limit only those in whose place another goes; it takes until the next turn to be gone.
        return registry.count < settings.connections + Self.replacedInATurn
            && (registry.idle.first != nil || overdue(on: loop) != nil)
    }

    func nextIdentifier() -> RecordIdentifier { nextIdentifier(at: audit.clock()) }

    /// The next one, at a time in microseconds since 1970-01-01T00:00:00Z.
    func nextIdentifier(at now: Int64) -> RecordIdentifier { identifiers.next(at: now) }
}
