import NetworkTypes
import PolicyEngine

/// What the daemon is told by its configuration file: an immutable value, with a default for everything.
package struct DaemonConfiguration: Hashable, Sendable {
    /// How many loops; `nil`: one for each processor that the daemon may use.
    package var workers: Int?
    package var scheduling = Scheduling.batch
    package var listen = ListenSettings()
    package var policy = PolicySettings()
    /// The secrets that policies put into requests, by their names.
    package var secrets: [SecretName: SecretSettings] = [:]
    /// The ways out that policies may name, `direct` not among them.
    package var egress: [EgressName: EgressSettings] = [:]
    package var audit = AuditSettings()
    package var dial = DialSettings()
    /// Absent: nothing is intercepted.
    package var interception: InterceptionSettings?
    package var state = StateSettings()
    package var limits = LimitSettings()
    package var workload = WorkloadSettings()
    package var drain = DrainSettings()
    /// The defaults: what an empty file says.
    package init() {}
}

/// When the loops that carry connections get a processor, where all are busy.
package enum Scheduling: String, CaseIterable, Hashable, Sendable {
    /// Once somebody sleeps, or has had a turn: what has come until then is done in one go (`SCHED_BATCH`).
    case batch
    /// As the kernel does it for every program: at once, for the most part.
    case normal
}

/// Where the policy is.
package struct PolicySettings: Hashable, Sendable {
    /// Files, and directories that are loaded as a whole, in the order in which their rules stand.
    package var paths = ["/etc/penstock/policy"]
    /// How often it is looked whether another policy was put in their place.
    ///
    /// Zero: only on SIGHUP.
    package var watchTime = Duration.seconds(2)
}

/// A secret that policies put into requests.
package struct SecretSettings: Hashable, Sendable {
    /// The absolute path of the file that holds it.
    package var path: String
    package var scope: SecretScope

    package init(path: String, scope: SecretScope = SecretScope()) {
        self.path = path
        self.scope = scope
    }
}

/// What the daemon keeps for itself: keys, counters, index.
package struct StateSettings: Hashable, Sendable {
    /// A directory; where the file does not say, the audit file's.
    package var path = "/var/log/penstock"
}

/// Who the agent is, as its records say; never taken from traffic.
package struct WorkloadSettings: Hashable, Sendable {
    package var namespace: String?
    package var pod: String?
    package var serviceAccount: String?
    /// A directory with a file for each of them that is not given, as the Downward API writes them.
    package var path: String?
}

/// How the daemon ends.
package struct DrainSettings: Hashable, Sendable {
    /// How long open connections may go on after the daemon was told to stop.
    package var time = Duration.seconds(30)
}
