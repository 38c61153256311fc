/// Whether the addresses of what was asked about took part in the answer.
package enum AddressCheck: String, CaseIterable, Sendable {
    /// The question named an address, which was judged.
    case checked
    /// It named a host, whose addresses nobody looked up.
    case unchecked
}

/// How a question of the governance API was answered: the one record that every question leaves.
///
/// What the caller says of itself is written as a claim; who it is, the kernel tells.
package struct CheckRecord: Hashable, Sendable {
    package var id: RecordIdentifier
    package var decision: Decision
    /// What would have been decided, in audit mode only.
    package var would: Decision?
    /// The rule that decided; nil is the default or no rule at all.
    package var rule: String?
    /// From the policy engine's closed list.
    package var reason: String
    package var policy: RecordedPolicy
    package var workload: WorkloadIdentity
    /// The user that owns the asking socket; nil where the kernel does not know.
    package var callerUID: UInt32?
    /// One that this build knows; nil for any other, which `detail` tells.
    package var action: String?
    /// Who the caller says that it is.
    package var claimedAgent: String?
    /// By what the caller will know the answer.
    package var requestID: String?
    package var `protocol`: RecordedProtocol?
    package var method: String?
    /// The path as it was judged, without its query.
    package var path: String?
    /// Whether what was asked about had a query.
    package var hasQuery: Bool
    /// The secrets that it held.
    package var masked: [MaskedSecret] = []
    package var destination: RecordedDestination
    /// The ways out that policy states for it, in their order; empty for `direct` alone.
    package var egress: [String] = []
    package var address: AddressCheck
    package var detail: String?

    package init(
        id: RecordIdentifier,
        decision: Decision,
        would: Decision? = nil,
        rule: String? = nil,
        reason: String,
        policy: RecordedPolicy,
        workload: WorkloadIdentity,
        callerUID: UInt32?,
        action: String? = nil,
        claimedAgent: String? = nil,
        requestID: String? = nil,
        protocol: RecordedProtocol? = nil,
        method: String? = nil,
        path: String? = nil,
        hasQuery: Bool = false,
        destination: RecordedDestination = RecordedDestination(),
        address: AddressCheck = .unchecked,
        detail: String? = nil
    ) {
        self.id = id
        self.decision = decision
        self.would = would
        self.rule = rule
        self.reason = reason
        self.policy = policy
        self.workload = workload
        self.callerUID = callerUID
        self.action = action
        self.claimedAgent = claimedAgent
        self.requestID = requestID
        self.protocol = `protocol`
        self.method = method
        self.path = path
        self.hasQuery = hasQuery
        self.destination = destination
        self.address = address
        self.detail = detail
    }
}

extension CheckRecord: RecordBody {
    package static var kind: RecordKind { .check }

    /// Writes the members.
    package func write(into members: inout JSONMembers) {
        members.identifier("id", id)
        members.text("decision", decision.rawValue)
        if let would { members.text("would", would.rawValue) }
        members.text("rule", orNull: rule)
        members.text("reason", reason)
        policy.write(into: &members)
        members.object("workload") { workload.write(into: &$0) }
        members.object("caller") { $0.number("uid", orNull: callerUID.map(UInt64.init)) }
        members.text("action", orNull: action)
        members.text("claimed_agent", orNull: claimedAgent)
        members.text("request_id", orNull: requestID)
        writeSubject(into: &members)
    }

    private func writeSubject(into members: inout JSONMembers) {
        members.text("protocol", orNull: `protocol`?.rawValue)
        members.text("method", orNull: method)
        members.text("path", orNull: path)
        if hasQuery { members.flag("query") }
        members.masked(masked)
        members.object("destination") { destination.write(into: &$0) }
        members.text("address", address.rawValue)
        if !egress.isEmpty { members.texts("egress", egress) }
        if let detail { members.text("detail", detail) }
    }
}
