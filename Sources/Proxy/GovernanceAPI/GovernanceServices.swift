import AuditStore
import PolicyEngine

/// What the API's servers on all loops share.
///
/// Everything in it may be used from any thread.
package struct GovernanceServices: Sendable {
    let settings: GovernanceSettings
    let audit: AuditWriter
    /// The daemon's own ports.
    let ownPorts: Set<UInt16>
    /// How long an answer may wait for its record to be written, in nanoseconds.
    let auditNanoseconds: UInt64
    /// How many questions of one user each loop decides in a second.
    let decisionsPerSecond: Int
    let isReady: @Sendable () -> Bool
    /// Nanoseconds of a clock that only goes forward.
    let clock: @Sendable () -> UInt64
    /// What stands in the way of drawing on a counter: it is looked at, and nothing is spent.
    let obstacle: @Sendable (CounterDraw) -> CounterObstacle?

    package init(
        settings: GovernanceSettings,
        audit: AuditWriter,
        ownPorts: Set<UInt16>,
        auditNanoseconds: UInt64,
        decisionsPerSecond: Int,
        isReady: @escaping @Sendable () -> Bool,
        clock: @escaping @Sendable () -> UInt64,
        obstacle: @escaping @Sendable (CounterDraw) -> CounterObstacle? = { _ in nil }
    ) {
        self.settings = settings
        self.audit = audit
        self.ownPorts = ownPorts
        self.auditNanoseconds = auditNanoseconds
        self.decisionsPerSecond = decisionsPerSecond
        self.isReady = isReady
        self.clock = clock
        self.obstacle = obstacle
    }
}

/// The policy in force, and how many there have been.
package struct GovernancePolicy: Sendable {
    /// Nil where none could be loaded: everything is denied.
    package let policy: Policy?
    /// From 1, counted by the daemon.
    package let generation: UInt64

    package init(_ policy: Policy?, generation: UInt64) {
        self.policy = policy
        self.generation = generation
    }
}
