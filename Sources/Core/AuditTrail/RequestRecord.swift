/// How an HTTP request was judged: the one decision record that every request leaves.
package struct RequestRecord: Hashable, Sendable {
    /// Its own, not its connection's.
    package var id: RecordIdentifier
    /// The identifier of the connection that it came on.
    package var connection: RecordIdentifier
    package var decision: Decision
    /// What would have been decided, in audit mode only.
    package var would: Decision?
    /// `http`, `inspect` or `refuse`.
    package var treatment: Treatment
    /// The rule that decided; nil is the default or no rule at all.
    package var rule: String?
    /// From the policy engine's closed list.
    package var reason: String
    package var policy: RecordedPolicy
    package var workload: WorkloadIdentity
    /// Whether it came in TLS.
    package var scheme: RequestScheme
    /// Nil where the request could not be read so far.
    package var method: String?
    /// The host and port that the request names.
    package var authority: String?
    /// The path as it was judged, without its query: what stands there is often a secret.
    package var path: String?
    /// What the body said to an MCP server, where a rule had it read.
    package var message: RecordedMessage?
    /// Whether the target had a query.
    package var hasQuery: Bool
    /// The secrets that it held.
    package var masked: [MaskedSecret] = []
    /// The names of the secrets that were put in the place of placeholders.
    package var credentials: [String] = []
    package var destination: RecordedDestination
    /// The ways out that policy states for it, in the order in which they are tried; empty for `direct` alone.
    package var egress: [String]
    /// By what the destination was bound to the name, such as `host` or `dns`.
    package var binding: [String]
    /// What was wrong, where input was malformed.
    package var detail: String?

    package init(
        id: RecordIdentifier,
        connection: RecordIdentifier,
        decision: Decision,
        would: Decision? = nil,
        treatment: Treatment,
        rule: String? = nil,
        reason: String,
        policy: RecordedPolicy,
        workload: WorkloadIdentity,
        scheme: RequestScheme = .http,
        method: String? = nil,
        authority: String? = nil,
        path: String? = nil,
        hasQuery: Bool = false,
        destination: RecordedDestination = RecordedDestination(),
        egress: [String] = [],
        binding: [String] = [],
        detail: String? = nil
    ) {
        self.id = id
        self.connection = connection
        self.decision = decision
        self.would = would
        self.treatment = treatment
        self.rule = rule
        self.reason = reason
        self.policy = policy
        self.workload = workload
        self.scheme = scheme
        self.method = method
        self.authority = authority
        self.path = path
        self.hasQuery = hasQuery
        self.destination = destination
        self.egress = egress
        self.binding = binding
        self.detail = detail
    }
}

extension RequestRecord: RecordBody {
    package static var kind: RecordKind { .request }

    /// Writes the members; `id` comes first and `decision` follows it, because a file is read back by them.
    package func write(into members: inout JSONMembers) {
        members.identifier("id", id)
        writeBeforeOwn(into: &members)
        writeOwn(into: &members)
        writeBehindOwn(into: &members)
    }

    func writeBeforeOwn(into members: inout JSONMembers) {
        members.text("decision", decision.rawValue)
        if let would { members.text("would", would.rawValue) }
        members.identifier("connection", connection)
        members.text("treatment", treatment.rawValue)
        members.text("rule", orNull: rule)
        members.text("reason", reason)
        policy.write(into: &members)
        members.object("workload") { workload.write(into: &$0) }
        members.text("scheme", scheme.rawValue)
        members.text("method", orNull: method)
        members.text("authority", orNull: authority)
    }

    func writeOwn(into members: inout JSONMembers) {
        members.text("path", orNull: path)
        if let message { members.object("mcp") { message.write(into: &$0) } }
    }

    func writeBehindOwn(into members: inout JSONMembers) {
        if hasQuery { members.flag("query") }
        members.masked(masked)
        if !credentials.isEmpty { members.texts("credentials", credentials) }
        members.object("destination") { destination.write(into: &$0) }
        members.texts("binding", binding)
        if !egress.isEmpty { members.texts("egress", egress) }
        if let detail { members.text("detail", detail) }
    }
}
