import AuditStore
import AuditTrail
import EventLoops
import LinuxBindings
import Posture

/// What is known of the kernel's rules, by what a watcher reports.
///
/// Lives on the control loop. Rules that have drifted stay so until a watcher finds them as planned: a watcher that falls
/// silent says nothing of them.
final class RulesetWatch {
    /// What readiness and posture tell of the rules.
    struct Finding: Hashable, Sendable {
        var state = RulesetState.unwatched
        /// The first difference, or why nobody watches.
        var detail = "no watcher has reported since the start"
        /// What makes the plan itself less than a boundary.
        var weaknesses: [PlanWeakness] = []
        /// The interfaces that the rules of a gateway govern; empty where they are no gateway's, `nil` while nobody has said.
        var gateway: [String]?
        /// The cgroups that the rules govern; empty where they govern none, or nobody has said.
        var cgroups: [String] = []
        /// A watcher reported, and has fallen silent.
        var isSilent = false
    }

    private(set) var finding = Finding()
    private let audit: AuditWriter
    /// Whom and where the rules must let connections go: this daemon.
    private let daemon: String
    private let port: UInt16
    private let way: CaptureWay
    private let changed: (Finding) -> Void
    private var silence: TimerToken?

    /// A report is missed after so many intervals without one.
    private static let missedIntervals: UInt64 = 3

    init(
        audit: AuditWriter,
        daemon: String,
        port: UInt16,
        way: CaptureWay,
        _ changed: @escaping (Finding) -> Void
    ) {
        self.way = way
        self.audit = audit
        self.daemon = daemon
        self.port = port
        self.changed = changed
    }

    /// Records that nobody watches yet.
    func start() {
        audit.submit(RulesetRecord(state: .unwatched, before: nil, detail: finding.detail))
        changed(finding)
    }

    /// Takes what a watcher found.
    func take(_ report: RulesetReport, from peer: PeerCredentials, on loop: isolated EventLoop) {
        var differences = report.differences
        if report.daemon != daemon || report.port != UInt64(port) {
            differences.append(
                "the rules are made for a daemon \(report.daemon) on port \(report.port), and this is \(daemon) on port "
                    + "\(port)"
            )
        }
        if report.mode != way {
            differences.append(
                "the rules are made for --mode \(report.mode.rawValue), and this daemon is set up for \(way.rawValue) "
                    + "(listen.transparent.tproxy): they hand it nothing that it lets through"
            )
        }
        var next = Finding(state: .verified, detail: "as planned", weaknesses: report.weaknesses)
        next.gateway = report.gateway
        next.cgroups = report.cgroups
        if let first = differences.first {
            next.state = .drifted
            next.detail = first
        }
        become(next, table: report.table, differences: differences, by: "watcher, PID \(peer.process) for the daemon")
        if let silence { loop.cancel(silence) }
        let wait = report.everyMilliseconds * Self.missedIntervals
        silence = loop.schedule(afterNanoseconds: wait * 1_000_000) { [weak self] in
            self?.fallSilent(after: wait)
        }
    }

    private func fallSilent(after milliseconds: UInt64) {
        silence = nil
        var next = finding
        next.isSilent = true
        let detail = "the watcher has said nothing for \(milliseconds / 1000) s"
        if finding.state == .verified {
            next.state = .unwatched
            next.detail = detail
            next.weaknesses = []
        }
        become(next, table: nil, differences: [], by: detail)
    }

    private func become(_ next: Finding, table: String?, differences: [String], by who: String) {
        let before = finding
        guard next != before else { return }
        finding = next
        if next.state != before.state {
            let record = RulesetRecord(
                state: next.state,
                before: before.state,
                table: table,
                differences: differences,
                detail: who
            )
            audit.submit(record)
            say("ruleset: \(next.state.rawValue): \(next.detail)")
        }
        changed(next)
    }
}
