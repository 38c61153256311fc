import AuditStore
import AuditTrail
import ConnectionJourney
import LinuxBindings
import NetworkTypes
import PolicyEngine
import Posture
import Telemetry

/// Looks at everything that the daemon can see of its own boundary, at one moment.
struct PostureSurvey {
    let plan: DaemonPlan
    /// All TCP sockets that the daemon listens on, as `fstat` numbers them.
    let listeners: Set<UInt64>
    /// Families that this network namespace did not have at the start.
    let missing: Set<AddressFamily>
    let admin: AdminOpening
    let ruleset: RulesetWatch.Finding
    let audit: AuditWriter
    let state: Readiness.State
    let mode: PolicyEngine.PolicyMode?
    let dns: PostureCheck

    /// The checks, in the order in which they are shown.
    func checks() -> [PostureCheck] {
        let first = [rules] + (gateway.map { [$0] } ?? [])
        return first + [
            ports, sockets, identity, unixSockets, policy, trail, clock, dns, ipv6, udp, trust, adminSocket,
        ]
    }

    private var rules: PostureCheck {
        switch ruleset.state {
        case .unwatched:
            return PostureCheck(
                "ruleset",
                .weak,
                "unwatched: \(ruleset.detail)",
                remedy: "run `penstock-init verify --watch` in a container of the pod"
            )
        case .drifted:
            return PostureCheck(
                "ruleset",
                .failed,
                "drifted: \(ruleset.detail)" + (ruleset.isSilent ? "; and the watcher is silent since" : ""),
                remedy: "find out who has NET_ADMIN; run penstock-init install again, or make the pod anew"
            )
        case .verified:
            guard let weakness = ruleset.weaknesses.first else {
                let whom = ruleset.cgroups.isEmpty ? "" : ", for \(printable(ruleset.cgroups.joined(separator: ", ")))"
                return PostureCheck("ruleset", .ok, "verified: as planned, IPv4 and IPv6\(whom)")
            }
            return PostureCheck(
                "ruleset",
                .weak,
                "verified, and the plan itself has a hole: \(printable(weakness.text))",
                remedy: weakness.kind.remedy
            )
        }
    }

    private var identity: PostureCheck {
        let (user, group) = effectiveIdentity()
        let status = ProcessStatus()
        let remedy = "securityContext: runAsUser and runAsGroup of the daemon alone, capabilities drop ALL"
        guard user != 0 else { return PostureCheck("identity", .weak, "the daemon runs as root", remedy: remedy) }
        guard let held = status.capabilities else {
            return PostureCheck(
                "identity",
                .weak,
                "the capabilities of the daemon are unknown: /proc/self/status cannot be read",
                remedy: "mount /proc, and give the daemon descriptors"
            )
        }
        guard held.isEmpty else {
            let sets = held.joined(separator: ", ")
            return PostureCheck("identity", .weak, "the daemon has capabilities: \(sets)", remedy: remedy)
        }
        var wishes: [String] = []
        if status.mayGainPrivileges { wishes.append("allowPrivilegeEscalation: false is not set") }
        if !status.isFiltered { wishes.append("no seccomp profile is set") }
        let detail = "UID \(user), GID \(group), no capability"
        guard wishes.isEmpty else {
            return PostureCheck(
                "identity",
                .note,
                "\(detail); \(wishes.joined(separator: ", "))",
                remedy: "securityContext: allowPrivilegeEscalation: false, seccompProfile: RuntimeDefault"
            )
        }
        return PostureCheck("identity", .ok, detail)
    }

    private var policy: PostureCheck {
        if let missing = state.missingPolicy {
            return PostureCheck("policy", .failed, missing, remedy: "mend it; the daemon refuses everything meanwhile")
        }
        if let refused = state.refusedReload {
            return PostureCheck(
                "policy",
                .note,
                "reload refused, the old one stays: \(refused)",
                remedy: "penstock policy check"
            )
        }
        guard mode != .audit else {
            return PostureCheck(
                "policy",
                .weak,
                "mode: audit lets through what the policy would refuse",
                remedy: "mode: enforce"
            )
        }
        return PostureCheck("policy", .ok, "in force, generation \(state.policyGeneration)")
    }

    private var trail: PostureCheck {
        // Each start does it: nothing is wrong, and nothing passes before it is done.
        if audit.state == .recovering {
            return PostureCheck("audit", .skipped, AuditState.recovering.problem ?? "")
        }
        guard let problem = audit.problem else { return PostureCheck("audit", .ok, "records are written") }
        return PostureCheck("audit", .failed, problem, remedy: "docs/operations.md, \"The audit file\"")
    }

    /// Rules with times, and the order of the trail, go by it.
    private var clock: PostureCheck {
        let now = wallClockMicroseconds()
        // 2026-01-01: this program is younger.
        guard now > 1_767_225_600_000_000 else {
            return PostureCheck("clock", .weak, "it is before this program was made", remedy: "set the node's clock")
        }
        guard let last = plan.lastWritten else { return PostureCheck("clock", .ok, "sane; nothing to compare it with") }
        let behind = (last - now) / 1_000_000
        guard behind <= 2 else {
            return PostureCheck(
                "clock",
                .weak,
                "the audit file was written \(behind) s in the future: the clock went back",
                remedy: "set the node's clock"
            )
        }
        return PostureCheck("clock", .ok, "not before the last audit record")
    }

    private var ipv6: PostureCheck {
        guard missing.contains(.ipv6) else {
            return PostureCheck("ipv6", .ok, "enabled, and listened on: the rules hold for both families")
        }
        guard missingFamilies().contains(.ipv6) else {
            return PostureCheck(
                "ipv6",
                .note,
                "came up after the start: what the rules capture is refused at once, and not recorded",
                remedy: "start the daemon anew"
            )
        }
        return PostureCheck("ipv6", .ok, "not available in this pod: not listened on, and the rules refuse it")
    }

    private var udp: PostureCheck {
        switch ruleset.state {
        case .verified: PostureCheck("udp", .ok, "refused by the rules, but to the name servers that they name")
        case .drifted: PostureCheck("udp", .failed, "the rules that refuse it have drifted")
        case .unwatched:
            PostureCheck(
                "udp",
                .skipped,
                "goes by the rules, which nobody watches" + (gateway == nil ? ": penstock doctor tries it" : "")
            )
        }
    }

    private var trust: PostureCheck {
        guard let files = plan.interception?.roots else {
            return PostureCheck("trust", .ok, "not used: nothing is intercepted")
        }
        for file in files {
            guard let bytes = try? readFile(file, limit: 16 << 20) else {
                return PostureCheck("trust", .failed, "\(file) cannot be read", remedy: "dial.trust names the files")
            }
            guard String(decoding: bytes, as: UTF8.self).contains("-----BEGIN CERTIFICATE-----") else {
                return PostureCheck("trust", .failed, "\(file) holds no certificate", remedy: "it must be PEM")
            }
        }
        return PostureCheck("trust", .ok, "certificates of \(files.count) files")
    }

    private var adminSocket: PostureCheck {
        switch admin {
        case .open: PostureCheck("admin", .ok, "the admin socket is open, for \(plan.admin.peers.count) owners")
        case .unavailable(let reason):
            PostureCheck(
                "admin",
                .note,
                "no admin socket, so no watcher can report: \(reason)",
                remedy: "give listen.admin.path a directory that the daemon may make"
            )
        }
    }
}
