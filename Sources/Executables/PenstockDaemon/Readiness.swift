import AuditStore
import AuditTrail
import ConnectionJourney
import LinuxBindings
import OperatorEndpoints
import PolicyCounters
import Posture
import Synchronization
import TLSInterception
import Telemetry

/// What the daemon knows of its own state; any thread may ask.
final class Readiness: HealthSource {
    /// What changes while the daemon runs.
    struct State {
        var isServing = false
        var isDraining = false
        /// Why no policy is in force.
        var missingPolicy: String? = "no policy is loaded yet"
        /// Why the last reload was refused; the old policy is still in force.
        var refusedReload: String?
        /// Why the authority was not read again; the one before signs on.
        var refusedAuthority: String?
        /// Why clients get no answer; it counts until the first does.
        var silenced: String?
        /// What is known of the kernel's rules.
        var ruleset = RulesetWatch.Finding()
        /// What was found when everything was looked at last.
        var checks: [PostureCheck] = []
        var policyGeneration: UInt64 = 0
        var policyHash: String?
        var reloads: UInt64 = 0
        var refusedReloads: UInt64 = 0
    }

    private let audit: AuditWriter
    private let journeys: JourneyMetrics
    private let counters: PolicyCounters
    /// `nil` where nothing is intercepted.
    private let mint: LeafMint?
    /// Those of the mint; without one all are 0, so that what is asked of every daemon has an answer.
    private let leaves: LeafMintMetrics
    private let version: String
    private let state = Mutex(State())

    init(
        audit: AuditWriter,
        journeys: JourneyMetrics,
        counters: PolicyCounters,
        mint: LeafMint?,
        version: String
    ) {
        self.mint = mint
        leaves = mint?.metrics ?? LeafMintMetrics()
        self.audit = audit
        self.journeys = journeys
        self.counters = counters
        self.version = version
    }

    func update(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
    }

    /// What is known at this moment.
    var current: State { state.withLock { $0 } }

    /// What is known of the boundary, with the numbers of this moment.
    var report: PostureReport {
        let own = effectiveIdentity()
        return PostureReport(
            version: version,
            user: own.user,
            group: own.group,
            problems: readinessProblems(),
            refused: journeys.allRefused,
            recorded: audit.writtenThrough,
            cgroups: current.ruleset.cgroups,
            checks: current.checks
        )
    }

    func posture() -> [UInt8]? { current.checks.isEmpty ? nil : report.json }

    func readinessProblems() -> [String] {
        let state = self.state.withLock { $0 }
        var problems: [String] = []
        if let missing = state.missingPolicy { problems.append("policy: \(missing)") }
        if let refused = state.refusedReload {
            problems.append("policy: reload refused, the old one stays: \(refused)")
        }
        if let refused = state.refusedAuthority {
            problems.append("interception: authority not read again, the old one signs on: \(refused)")
        }
        if let end = mint?.expired {
            problems.append("interception: the authority expired at \(timeText(end)); every interception is refused")
        }
        if !state.isServing { problems.append("listeners: not bound yet") }
        if let silenced = state.silenced, journeys.accepted.value == 0 { problems.append("listeners: \(silenced)") }
        if state.ruleset.state == .drifted { problems.append("ruleset: drifted: \(state.ruleset.detail)") }
        if state.isDraining { problems.append("draining: the daemon was told to stop") }
        if let problem = counters.problem {
            problems.append("counters: \(problem); rules with a rate or a budget allow nothing")
        }
        if let problem = audit.problem { problems.append("audit: \(problem)") }
        return problems
    }

    func metrics() -> String {
        let state = self.state.withLock { $0 }
        var text = MetricsText()
        text.write(
            "penstock_build_info",
            kind: "gauge",
            help: "The version that runs.",
            label: "version",
            samples: [(version, 1)]
        )
        text.write(
            "penstock_ready",
            kind: "gauge",
            help: "1 while /readyz says ready.",
            samples: [("", readinessProblems().isEmpty ? 1 : 0)]
        )
        text.write(
            "penstock_ruleset_state",
            kind: "gauge",
            help: "1 for what the watcher says of the kernel's rules.",
            label: "state",
            samples: RulesetState.allCases.map { ($0.rawValue, $0 == state.ruleset.state ? 1 : 0) }
        )
        text.write(
            "penstock_boundary_strong",
            kind: "gauge",
            help: "1 while no check of the posture weakens the boundary.",
            samples: [("", !state.checks.isEmpty && !state.checks.contains { $0.status.weakens } ? 1 : 0)]
        )
        journeys.write(to: &text)
        leaves.write(to: &text)
        text.write(
            "penstock_policy_generation",
            kind: "gauge",
            help: "Counts the policies loaded since the start.",
            samples: [("", Int64(clamping: state.policyGeneration))]
        )
        text.write(
            "penstock_policy_reloads_total",
            kind: "counter",
            help: "Reloads, by result.",
            label: "result",
            samples: [
                ("loaded", Int64(clamping: state.reloads)), ("refused", Int64(clamping: state.refusedReloads)),
            ]
        )
        counters.writeMetrics(to: &text)
        audit.writeMetrics(to: &text)
        return text.text
    }
}
