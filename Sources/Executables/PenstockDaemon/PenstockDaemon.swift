import AuditStore
import AuditTrail
import Configuration
import ConnectionJourney
import EventLoops
import GovernanceAPI
import LinuxBindings
import NetworkTypes
import PolicyCounters
import PolicyEngine
import TLSInterception

/// The composition root: reads what is to be done, opens everything, and starts the loops.
@main
enum PenstockDaemon {
    static func main() {
        holdStandardStreams()
        do throws(Arguments.Misuse) {
            switch try Arguments(CommandLine.arguments.dropFirst()) {
            case .help: answer(Arguments.helpText)
            case .version: answer("penstockd \(DaemonPlan.version)")
            case .check(let path, let workload): check(path, workload)
            case .run(let path, let workload, let owner): run(path, workload, as: owner)
            }
        } catch {
            say("\(error.text); see penstockd --help")
            exitProcess(ExitCode.usage.rawValue)
        }
    }

    /// Writes what was asked for to standard output; a reader that has gone misses nothing.
    private static func answer(_ text: String) {
        do throws(SystemCallError) {
            try deliverToStandardOutput(text + "\n")
        } catch {
            guard !error.isReaderGone else { return }
            end(Complaint("cannot write to standard output: \(error)", .output))
        }
    }

    private static func check(_ path: String, _ workload: WorkloadFlags) {
        do throws(Complaint) {
            let plan = try DaemonPlan(configurationFile: path, workload: workload)
            if let interception = plan.interception { try interception.check() }
            do {
                let policy = try plan.loadPolicy().policy
                answer("\(path): ok; policy '\(policy.name)' \(policy.hash)")
            } catch {
                throw Complaint("\(error)", .configuration)
            }
        } catch {
            end(error)
        }
    }

    private static func run(_ path: String, _ workload: WorkloadFlags, as owner: ListenSettings.AdminOwner?) {
        do throws(Complaint) {
            if let owner { try Privileges.comeDown(to: owner) }
            let plan = try DaemonPlan(configurationFile: path, workload: workload)
            if owner != nil, plan.transparentArrival != .routed { throw Privileges.needless }
            try launch(plan)
        } catch {
            end(error)
        }
        sleepForever()
    }

    private static func end(_ complaint: Complaint) -> Never {
        for line in complaint.text.split(separator: "\n") { say(String(line)) }
        exitProcess(complaint.code.rawValue)
    }

    /// Listeners first, so that nobody else gets the ports while files are opened; nothing is accepted before all is there.
    private static func launch(_ plan: DaemonPlan) throws(Complaint) {
        var plan = plan
        // Before the file is opened: when it was written to last.
        let lastWritten = plan.auditPath == "-" ? nil : try? fileStatus(openForReading(plan.auditPath)).modified
        plan.lastWritten = lastWritten
        plan.shareOut(descriptors: try descriptorLimit())
        let signals = try takeSignals()
        let sockets = try openSockets(plan)
        if plan.transparentArrival == .routed { try Privileges.giveUp(keepsMarking: plan.egress.marks) }
        let audit: AuditWriter
        do throws(AuditError) {
            audit = try AuditWriter(
                path: plan.auditPath,
                durability: plan.durability,
                store: plan.store,
                version: DaemonPlan.version,
                pid: processIdentifier(),
                clock: wallClockMicroseconds
            )
        } catch {
            let place = error.isOfState ? "state.path: \(plan.statePath)" : "audit.path: \(plan.auditPath)"
            throw Complaint("\(place): \(error)", .audit)
        }
        let counters = try openCounters(plan)
        try plan.egress.checkMeans()
        let interception = try plan.interception.map { plan throws(Complaint) in try plan.open() }
        announce(plan, sockets)
        start(plan, sockets, audit, counters, interception, signals)
    }

    /// Counters that are opened when a policy first needs them.
    private static func openCounters(_ plan: DaemonPlan) throws(Complaint) -> PolicyCounters {
        do throws(SystemCallError) {
            return try PolicyCounters(
                directory: plan.statePath,
                wall: wallClockMicroseconds,
                steady: monotonicNanoseconds,
                report: { say($0) }
            )
        } catch {
            throw Complaint("cannot start: \(error)", .unavailable)
        }
    }

    private static func takeSignals() throws(Complaint) -> SignalDescriptor {
        do throws(SystemCallError) {
            try forbidDumping()
            return try SignalDescriptor()
        } catch {
            throw Complaint("cannot start: \(error)", .unavailable)
        }
    }

    private static func descriptorLimit() throws(Complaint) -> Int {
        do throws(SystemCallError) {
            return try raiseDescriptorLimit()
        } catch {
            throw Complaint("cannot start: \(error)", .unavailable)
        }
    }

    private static func openSockets(_ plan: DaemonPlan) throws(Complaint) -> OpenSockets {
        var listening = Listening()
        guard listening.missing.count < loopback.count else {
            throw Complaint("this network namespace has neither 127.0.0.1 nor ::1: bring lo up", .unavailable)
        }
        var sockets = OpenSockets()
        for address in plan.health {
            let socket = try listening.open(address, key: "listen.health", sharedPort: false)
            if let socket { sockets.health.append(socket.release()) }
        }
        guard !sockets.health.isEmpty else {
            throw Complaint("listen.health.address: no address of a family that this pod has; name one", .unavailable)
        }
        let api = loopback.map { SocketAddress($0, port: plan.apiPort) }
        let isRouted = plan.transparentArrival == .routed
        try listening.claim(plan.transparent, key: "listen.transparent", isTransparent: isRouted)
        try listening.claim(plan.explicit, key: "listen.explicit")
        try listening.claim(api, key: "listen.api")
        for _ in 0..<plan.workers {
            let transparent = try openSockets(plan.transparent, plan.transparentArrival, &listening)
            sockets.agents.append(transparent + (try openSockets(plan.explicit, .asked, &listening)))
            var ours: [Int32] = []
            for place in api {
                let socket = try listening.open(place, key: "listen.api", sharedPort: true)
                if let socket { ours.append(socket.release()) }
            }
            sockets.api.append(ours)
        }
        sockets.missing = listening.missing
        sockets.inodes = listening.inodes
        sockets.admin = try AdminOpening(plan.admin)
        return sockets
    }

    /// A worker's own sockets on a port that agents come to.
    private static func openSockets(
        _ places: [SocketAddress],
        _ arrival: Arrival,
        _ listening: inout Listening
    ) throws(Complaint) -> [ListeningSocket] {
        var sockets: [ListeningSocket] = []
        for place in places {
            let socket = try listening.open(
                place,
                key: "listen.\(arrival.capture.rawValue)",
                sharedPort: true,
                isTransparent: arrival == .routed,
                isNoted: arrival == .redirected,
                awaited: !loopback.contains(place.address)
            )
            if let socket { sockets.append(ListeningSocket(adopting: socket, address: place, arrival: arrival)) }
        }
        return sockets
    }

    private static func announce(_ plan: DaemonPlan, _ sockets: OpenSockets) {
        func places(_ places: [SocketAddress]) -> String {
            places.filter { !sockets.missing.contains($0.address.family) }.map(\.description).joined(separator: " and ")
        }
        let given = plan.egress.marks ? "all capabilities but NET_ADMIN are given up" : "all capabilities are given up"
        let way = plan.transparentArrival == .routed ? " by TPROXY; \(given)" : ""
        say("version \(DaemonPlan.version), \(plan.workers) workers, listening on \(places(plan.transparent))\(way)")
        say("governance API on \(places(loopback.map { SocketAddress($0, port: plan.apiPort) }))")
        say("explicit proxy on \(places(plan.explicit))")
        if let ways = plan.egress.announcement { say(ways) }
        for family in sockets.missing { say("\(family.name) is not available in this pod: not listened on") }
        switch sockets.admin {
        case .open: say("admin socket \(plan.admin.path)")
        case .unavailable(let reason): say("no admin socket: \(reason)")
        }
        if effectiveIdentity().user == 0 {
            say("warning: running as root; the daemon needs a UID and a GID of its own and no capability")
        }
    }

    private static func start(
        _ plan: DaemonPlan,
        _ sockets: OpenSockets,
        _ audit: AuditWriter,
        _ counters: PolicyCounters,
        _ interception: OpenInterception?,
        _ signals: consuming SignalDescriptor
    ) {
        let metrics = JourneyMetrics()
        let services = JourneyServices(
            settings: plan.journeys,
            audit: audit,
            metrics: metrics,
            resolving: plan.resolving,
            counters: counters,
            interceptor: interception?.interceptor
        )
        let readiness = Readiness(
            audit: audit,
            journeys: metrics,
            counters: counters,
            mint: interception?.interceptor.mint,
            version: DaemonPlan.version
        )
        let questions = GovernanceServices(
            settings: GovernanceSettings(workload: plan.journeys.workload),
            audit: audit,
            ownPorts: plan.journeys.ownPorts,
            auditNanoseconds: plan.journeys.auditNanoseconds,
            decisionsPerSecond: plan.journeys.decisionsPerSecond,
            isReady: { readiness.readinessProblems().isEmpty },
            clock: monotonicNanoseconds,
            obstacle: { counters.obstacle(to: $0) }
        )
        let number = signals.release()
        let snapshot = PolicySnapshot(policy: nil, generation: 0, upstreamTLS: interception?.upstreamTLS)
        do throws(SystemCallError) {
            let control = try EventLoop(index: plan.workers)
            try control.start()
            Task(executorPreference: control.executor) {
                await bringUp(plan, snapshot, sockets, services, questions, readiness, number, on: control)
            }
        } catch {
            say("cannot start the control loop: \(error)")
            exitProcess(ExitCode.unavailable.rawValue)
        }
    }
}

private func bringUp(
    _ plan: DaemonPlan,
    _ snapshot: PolicySnapshot,
    _ sockets: OpenSockets,
    _ services: JourneyServices,
    _ questions: GovernanceServices,
    _ readiness: Readiness,
    _ signals: Int32,
    on control: isolated EventLoop
) async {
    let daemon = Daemon(
        plan,
        audit: services.audit,
        counters: services.counters,
        interceptor: services.interceptor,
        snapshot: snapshot,
        readiness: readiness,
        signals: SignalDescriptor(adopting: signals)
    )
    do {
        try await daemon.start(sockets, services, questions, on: control)
    } catch {
        say("cannot start: \(error)")
        exitProcess(ExitCode.unavailable.rawValue)
    }
}
