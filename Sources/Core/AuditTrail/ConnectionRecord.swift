/// What became of a question.
package enum Decision: String, CaseIterable, Sendable {
    case allow
    case deny
}

/// What is done with a connection.
package enum Treatment: String, CaseIterable, Sendable {
    /// Bytes are relayed unseen.
    case tunnel
    /// Each plain HTTP request is judged on its own.
    case http
    /// TLS is ended on both sides.
    case inspect
    /// Nothing goes upstream.
    case refuse
}

/// Whether decisions bind.
package enum PolicyMode: String, CaseIterable, Sendable {
    case enforce
    case audit
}

/// How a connection came to us.
package enum CaptureMode: String, CaseIterable, Sendable {
    case transparent
    case explicit
}

/// What a client's first bytes were.
package enum RecordedProtocol: String, CaseIterable, Sendable {
    case tls
    case http
    case h2c
    case opaque
    case serverFirst = "server_first"
}

/// Whose pod this is, from configuration and the kernel; never from traffic.
package struct WorkloadIdentity: Hashable, Sendable {
    package var namespace: String?
    package var pod: String?
    package var serviceAccount: String?
    /// The user that the agent runs as.
    package var uid: UInt32?
    /// Where the agent is that comes through a gateway; such a one has no user here.
    package var address: String?

    package init(namespace: String?, pod: String?, serviceAccount: String?, uid: UInt32?, address: String? = nil) {
        self.namespace = namespace
        self.pod = pod
        self.serviceAccount = serviceAccount
        self.uid = uid
        self.address = address
    }
}

/// Where a connection was going, and where it was dialled.
package struct RecordedDestination: Hashable, Sendable {
    /// The name that was judged.
    package var name: String?
    package var port: UInt16?
    /// Address and port that the agent's kernel was asked for.
    package var original: String?
    /// Address and port chosen to be dialled, or to be named to a proxy, where that is known before.
    package var dialled: String?

    package init(name: String? = nil, port: UInt16? = nil, original: String? = nil, dialled: String? = nil) {
        self.name = name
        self.port = port
        self.original = original
        self.dialled = dialled
    }
}

/// How a connection was judged: the one decision record that every accepted connection leaves.
package struct ConnectionRecord: Hashable, Sendable {
    package var id: RecordIdentifier
    package var decision: Decision
    /// What would have been decided, in audit mode only.
    package var would: Decision?
    package var treatment: Treatment
    /// The rule that decided; nil is the default or no rule at all.
    package var rule: String?
    /// From the policy engine's closed list.
    package var reason: String
    /// `sha256:` and 64 digits; nil where no policy is loaded.
    package var policyHash: String?
    package var mode: PolicyMode
    package var workload: WorkloadIdentity
    package var capture: CaptureMode
    /// Nil where the bytes were never looked at.
    package var `protocol`: RecordedProtocol?
    package var destination: RecordedDestination
    /// The ways out that policy states for it, in the order in which they are tried; empty for `direct` alone.
    package var egress: [String]
    package var sni: String?
    /// `Host`, `:authority` or what CONNECT asked for.
    package var authority: String?
    /// By what the destination was bound to the name, such as `sni`, `host` or `dns`.
    package var binding: [String]
    /// Address and port of the agent's socket.
    package var client: String?
    /// Counts the policies that this daemon has loaded.
    package var policyGeneration: UInt64?
    /// Whether the ClientHello was encrypted (ECH).
    package var encryptedHello: Bool
    /// The highest version of TLS that the client offered: `1.3`.
    package var tlsVersion: String?
    /// The protocols that the client offered within TLS (ALPN), in its order.
    package var alpn: [String]
    /// What was wrong, where input was malformed.
    package var detail: String?

    package init(
        id: RecordIdentifier,
        decision: Decision,
        would: Decision? = nil,
        treatment: Treatment,
        rule: String? = nil,
        reason: String,
        policyHash: String?,
        mode: PolicyMode,
        workload: WorkloadIdentity,
        capture: CaptureMode,
        protocol: RecordedProtocol? = nil,
        destination: RecordedDestination = RecordedDestination(),
        egress: [String] = [],
        sni: String? = nil,
        authority: String? = nil,
        binding: [String] = [],
        client: String? = nil,
        policyGeneration: UInt64? = nil,
        encryptedHello: Bool = false,
        tlsVersion: String? = nil,
        alpn: [String] = [],
        detail: String? = nil
    ) {
        self.id = id
        self.decision = decision
        self.would = would
        self.treatment = treatment
        self.rule = rule
        self.reason = reason
        self.policyHash = policyHash
        self.mode = mode
        self.workload = workload
        self.capture = capture
        self.protocol = `protocol`
        self.destination = destination
        self.egress = egress
        self.sni = sni
        self.authority = authority
        self.binding = binding
        self.client = client
        self.policyGeneration = policyGeneration
        self.encryptedHello = encryptedHello
        self.tlsVersion = tlsVersion
        self.alpn = alpn
        self.detail = detail
    }
}

extension ConnectionRecord: RecordBody {
    package static var kind: RecordKind { .connection }

    /// Writes the members; `id` and `decision` come first, because a file is read back by them.
    package func write(into members: inout JSONMembers) {
        members.identifier("id", id)
        writeBeforeClient(into: &members)
        members.text("client", orNull: client)
        writeBehindClient(into: &members)
    }

    func writeBeforeClient(into members: inout JSONMembers) {
        members.text("decision", decision.rawValue)
        if let would { members.text("would", would.rawValue) }
        members.text("treatment", treatment.rawValue)
        members.text("rule", orNull: rule)
        members.text("reason", reason)
        members.text("policy_hash", orNull: policyHash)
        members.text("mode", mode.rawValue)
        members.object("workload") { workload.write(into: &$0) }
        members.text("capture", capture.rawValue)
        members.text("protocol", orNull: `protocol`?.rawValue)
        members.object("destination") { destination.write(into: &$0) }
        members.text("sni", orNull: sni)
        members.text("authority", orNull: authority)
        members.texts("binding", binding)
    }

    func writeBehindClient(into members: inout JSONMembers) {
        if !egress.isEmpty { members.texts("egress", egress) }
        if let policyGeneration { members.number("policy_generation", policyGeneration) }
        if let tlsVersion { members.text("tls_version", tlsVersion) }
        if !alpn.isEmpty { members.texts("alpn", alpn) }
        if encryptedHello { members.flag("ech") }
        if let detail { members.text("detail", detail) }
    }
}

extension WorkloadIdentity {
    func write(into members: inout JSONMembers) {
        members.text("namespace", orNull: namespace)
        members.text("pod", orNull: pod)
        members.text("service_account", orNull: serviceAccount)
        members.number("uid", orNull: uid.map(UInt64.init))
        if let address { members.text("address", address) }
    }
}

extension RecordedDestination {
    func write(into members: inout JSONMembers) {
        members.text("name", orNull: name)
        members.number("port", orNull: port.map(UInt64.init))
        members.text("original", orNull: original)
        members.text("dialled", orNull: dialled)
    }
}
