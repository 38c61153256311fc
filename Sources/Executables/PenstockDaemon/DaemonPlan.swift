import AuditStore
import ConnectionJourney
import NameResolution
import NetworkTypes
import PolicyEngine
import Posture
import Telemetry

/// What the daemon is to do, read and checked before anything is opened.
struct DaemonPlan: Sendable {
    var workers: Int
    /// Workers interrupt others when something comes.
    var interruptsOthers: Bool
    /// Where captured connections come.
    var transparent: [SocketAddress]
    var transparentPort: UInt16
    /// How the kernel hands over what comes to it.
    var transparentArrival: Arrival
    /// The explicit proxy.
    var explicit: [SocketAddress]
    var explicitPort: UInt16
    /// The governance API's; listened to on 127.0.0.1 and ::1.
    var apiPort: UInt16
    /// Health and metrics: each a listener of its own.
    var health: [SocketAddress]
    var admin: AdminPlan
    /// How TLS is ended; nil where nothing is intercepted.
    var interception: InterceptionPlan?
    var auditPath: String
    /// When the audit file was written to before this start, in microseconds since 1970-01-01T00:00:00Z.
    var lastWritten: Int64?
    var durability: AuditDurability
    /// How audit files are rotated, kept and bounded.
    var store: AuditStoreSettings
    var journeys: JourneySettings
    var resolving: ResolverSettings
    var drainSeconds: Int
    /// Where the policy is.
    var policyPaths: [String]
    /// The ways out that policies may name.
    var egress: EgressPlan
    /// The files of secrets, of ways out and of trust; another one in their place is a reason to read the policy again.
    var secretPaths: [String]
    /// How often it is looked whether another policy stands there, in seconds; 0: never.
    var watchSeconds: Int
    /// Where keys and counters are kept.
    var statePath: String
    /// Reads the policy again each time.
    var loadPolicy: @Sendable () throws -> ReadPolicy

    /// How the kernel's rules must hand connections over.
    var way: CaptureWay { transparentArrival == .routed ? .tproxy : .redirect }

    static let version = productVersion
}
