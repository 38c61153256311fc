import AuditTrail
import ContentInspection
import PolicyEngine
import WireFormats

/// What the operator set for every connection's journey.
///
/// Immutable.
package struct JourneySettings: Sendable {
    /// Bytes looked at before a connection must have said what it is.
    package var sniffing = SniffLimits()
    /// How much of a request, or of an answer, is read before it is refused.
    package var http = HTTP1Limits()
    /// How far content is looked into, for rules that need to know it.
    package var inspection = InspectionLimits()
    /// How much memory all that one loop looks into may take together, in octets.
    package var inspectionBytes = 134_217_728
    /// How long a client may take to send a body that must be known before it is decided, in nanoseconds.
    package var bodyNanoseconds: UInt64 = 60_000_000_000
    /// How long a connection may wait for its next request, in nanoseconds.
    package var idleNanoseconds: UInt64 = 3_600_000_000_000
    /// How long a client may take to say it, in nanoseconds.
    package var sniffNanoseconds: UInt64 = 5_000_000_000
    /// How long a client may be silent before the server is taken to speak first, in nanoseconds.
    package var silenceNanoseconds: UInt64 = 300_000_000
    /// How long either side may take to begin TLS, in nanoseconds.
    package var handshakeNanoseconds: UInt64 = 10_000_000_000
    /// How long all attempts to dial may take together, in nanoseconds.
    package var dialNanoseconds: UInt64 = 10_000_000_000
    /// How long a decision may wait to be written, in nanoseconds.
    package var auditNanoseconds: UInt64 = 10_000_000_000
    /// Connections of one loop that are not yet decided; the oldest goes first.
    package var undecided = 1000
    /// Connections of one loop at a time.
    package var connections = 4000
    /// Upstream connections of one loop that are kept while nobody uses them.
    package var pooledUpstreams = 128
    /// Attempts to connect of one loop that run beside another for the same connection.
    package var dialsBeside = 256
    /// Decisions of one loop for one user in a second.
    package var decisionsPerSecond = 25_000
    /// Records that may wait for the audit file before nobody new is accepted.
    package var auditBacklog = 20_000
    /// The daemon's own ports, which nobody is connected to at a local address.
    package var ownPorts: Set<UInt16> = []
    /// The daemon's own user, where what it dials itself might be led back to it; `nil` where nothing can be.
    package var loopUser: UInt32?
    /// From configuration; the UID comes from the kernel for each connection.
    package var workload = WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: nil)

    /// The same, as policy knows it.
    var workloadNames: WorkloadNames {
        WorkloadNames(namespace: workload.namespace, serviceAccount: workload.serviceAccount)
    }

    package init() {}
}
