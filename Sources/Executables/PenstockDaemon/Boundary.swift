import AuditStore
import AuditTrail
import ConnectionJourney
import EventLoops
import LinuxBindings
import NameResolution
import NetworkTypes
import OperatorEndpoints
import PolicyEngine
import Posture

/// Knows how strong the daemon's boundary is, and answers the admin socket.
///
/// Lives on the control loop.
final class Boundary: AdminParty {
    private let plan: DaemonPlan
    private let sockets: OpenSockets
    private let readiness: Readiness
    private let audit: AuditWriter
    private let mode: () -> PolicyEngine.PolicyMode?
    private let resolver: LoopResolver
    private let ruleset: RulesetWatch
    private var server: AdminServer?
    private var dns = PostureCheck("dns", .skipped, "asked only where penstock doctor asks over the admin socket")
    /// What the last record said: the names and what they came to.
    private var recorded: [RecordedPosture.Check] = []
    private var refusals = 0

    /// How often it is asked whether the trail has been read back, in nanoseconds.
    private static let recoveryInterval: UInt64 = 20_000_000
    /// How often everything is looked at without being asked, in nanoseconds.
    private static let interval: UInt64 = 10_000_000_000
    /// How long the name servers may take, in nanoseconds.
    private static let patience: UInt64 = 3_000_000_000
    /// Nobody has this name (RFC 6761): that it does not exist is an answer.
    private static let reservedName = try? HostName("penstock-posture.invalid")

    /// - Throws: `ResolverError`.
    init(
        _ plan: DaemonPlan,
        _ sockets: OpenSockets,
        _ services: JourneyServices,
        _ readiness: Readiness,
        mode: @escaping () -> PolicyEngine.PolicyMode?
    ) throws {
        self.plan = plan
        self.sockets = sockets
        self.readiness = readiness
        self.mode = mode
        audit = services.audit
        var asking = plan.resolving
        // Whether there is a server is asked here, not whether it likes the question.
        asking.hearsRefusals = true
        resolver = try LoopResolver(asking)
        let own = effectiveIdentity()
        ruleset = RulesetWatch(
            audit: services.audit,
            daemon: "\(own.user):\(own.group)",
            port: plan.transparentPort,
            way: plan.way
        ) { finding in readiness.update { $0.ruleset = finding } }
    }

    /// Opens the admin socket, and looks at everything now and from time to time.
    func start(on loop: isolated EventLoop) throws(SystemCallError) {
        ruleset.start()
        if case .open(let number) = sockets.admin {
            let server = AdminServer(
                adopting: OwnedDescriptor(adopting: number),
                allowed: plan.admin.peers,
                self
            )
            try server.start(on: loop)
            self.server = server
        }
        lookAndRecord()
        awaitTrail(on: loop)
        repeatLooking(on: loop)
    }

    func take(_ report: RulesetReport, from peer: PeerCredentials, on loop: isolated EventLoop) {
        let before = ruleset.finding
        ruleset.take(report, from: peer, on: loop)
        if ruleset.finding != before { lookAndRecord() }
    }

    func posture(on loop: isolated EventLoop) async -> PostureReport {
        await askNameServers(on: loop)
        lookAndRecord()
        return readiness.report
    }

    func refused(_ peer: PeerCredentials, on loop: isolated EventLoop) {
        refusals += 1
        // Whoever knocks a thousand times is not worth a thousand lines.
        guard refusals <= 10 else { return }
        say("admin socket: refused UID \(peer.user), GID \(peer.group), PID \(peer.process)")
    }

    /// Looks once more, and records for the first time, when the trail has been read back.
    private func awaitTrail(on loop: isolated EventLoop) {
        guard recorded.isEmpty else { return }
        _ = loop.schedule(afterNanoseconds: Self.recoveryInterval) { [weak self] in
            guard let self else { return }
            if self.audit.state != .recovering { self.lookAndRecord() }
            self.awaitTrail(on: loop)
        }
    }

    private func repeatLooking(on loop: isolated EventLoop) {
        _ = loop.schedule(afterNanoseconds: Self.interval) { [weak self] in
            guard let self else { return }
            loop.startTask(with: self) { boundary, loop in
                if boundary.dns.status.weakens { await boundary.askNameServers(on: loop) }
                boundary.lookAndRecord()
                boundary.repeatLooking(on: loop)
            }
        }
    }

    /// Asks as the data path does, for a name that nobody has.
    ///
    /// Unasked the daemon sends nothing; once they did not answer, it finds out when they do again.
    private func askNameServers(on loop: isolated EventLoop) async {
        guard let name = Self.reservedName else { return }
        let wait = LookupWait()
        let limit = loop.schedule(afterNanoseconds: Self.patience) { wait.giveUp() }
        let result = await resolver.resolve(name, wait, on: loop)
        loop.cancel(limit)
        let servers = "\(plan.resolving.servers.count) name servers configured"
        let remedy = "dial.resolvers; the rules let the daemon reach them"
        switch result {
        case .addresses, .failed(.notFound), .failed(.noData): dns = PostureCheck("dns", .ok, "\(servers), answering")
        case .failed(.refused):
            dns = PostureCheck("dns", .ok, "\(servers), answering; a name that nobody has is refused (REFUSED)")
        case .failed(let failure):
            dns = PostureCheck("dns", .failed, "\(servers), no answer: \(failure)", remedy: remedy)
        case nil: dns = PostureCheck("dns", .failed, "\(servers), no answer in 3 s", remedy: remedy)
        }
    }

    private func look() {
        let survey = PostureSurvey(
            plan: plan,
            listeners: sockets.inodes,
            missing: sockets.missing,
            admin: sockets.admin,
            ruleset: ruleset.finding,
            audit: audit,
            state: readiness.current,
            mode: mode(),
            dns: dns
        )
        let checks = survey.checks()
        readiness.update { $0.checks = checks }
    }

    /// Writes a record where a check says something else than in the last.
    ///
    /// None before the trail has been read back: it would be written only then, and tell of a moment that is over.
    private func lookAndRecord() {
        let isRecovering = audit.state == .recovering
        look()
        guard !isRecovering else { return }
        let report = readiness.report
        let shown = report.checks.map { RecordedPosture.Check($0) }
        guard shown.map(\.summary) != recorded.map(\.summary) else { return }
        recorded = shown
        var record = LifecycleRecord(event: .posture, version: DaemonPlan.version, pid: processIdentifier())
        record.posture = RecordedPosture(boundary: report.boundary, checks: shown)
        audit.submit(record)
    }
}

extension RecordedPosture.Check {
    fileprivate init(_ check: PostureCheck) {
        self.init(name: check.name, status: check.status.rawValue, detail: check.detail)
    }

    /// Details hold numbers that change; what counts is what it came to.
    fileprivate var summary: String { "\(name) \(status)" }
}
