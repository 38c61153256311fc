/// How an allowed request went: the one end record that it leaves.
///
/// Nil is what nobody knows.
package struct RequestEndRecord: Hashable, Sendable {
    package var id: RecordIdentifier
    /// The identifier of the connection that it came on; nil where only `id` is left to know of it.
    package var connection: RecordIdentifier?
    package var outcome: ConnectionOutcome
    /// The status of the upstream's final answer.
    package var status: UInt16?
    package var closedBy: ClosingSide?
    /// Where policy cut it: the reason, from the policy engine's closed list.
    package var reason: String?
    /// Where policy cut it: the rule.
    package var rule: String?
    /// Of the request, as it was sent upstream: its head and its body.
    package var bytesUp: UInt64?
    /// Of the answer, as it was sent to the agent.
    package var bytesDown: UInt64?
    package var durationMilliseconds: UInt64?
    /// Address and port of the upstream socket that it was sent on, or that a proxy was told.
    package var dialled: String?
    /// The way out that was taken; nil for `direct`.
    package var egress: String?
    /// Address and port of the proxy that led out.
    package var via: String?
    /// What went wrong, where something did.
    package var detail: String?
    /// What inspectors noted: at most eight, each of at most 32 letters, digits and `_.:-`.
    package var findings: [String]

    package init(
        id: RecordIdentifier,
        connection: RecordIdentifier?,
        outcome: ConnectionOutcome,
        status: UInt16? = nil,
        closedBy: ClosingSide? = nil,
        reason: String? = nil,
        rule: String? = nil,
        bytesUp: UInt64? = nil,
        bytesDown: UInt64? = nil,
        durationMilliseconds: UInt64? = nil,
        dialled: String? = nil,
        egress: String? = nil,
        via: String? = nil,
        detail: String? = nil,
        findings: [String] = []
    ) {
        self.id = id
        self.connection = connection
        self.outcome = outcome
        self.status = status
        self.closedBy = closedBy
        self.reason = reason
        self.rule = rule
        self.bytesUp = bytesUp
        self.bytesDown = bytesDown
        self.durationMilliseconds = durationMilliseconds
        self.dialled = dialled
        self.egress = egress
        self.via = via
        self.detail = detail
        self.findings = findings
    }
}

extension RequestEndRecord: EndRecord {
    package static var kind: RecordKind { .requestEnd }

    package init(id: RecordIdentifier, outcome: ConnectionOutcome) {
        self.init(id: id, connection: nil, outcome: outcome)
    }

    /// Writes the members; `id` comes first, because a file is read back by it.
    package func write(into members: inout JSONMembers) {
        members.identifier("id", id)
        writeBeforeOwn(into: &members)
        writeOwn(into: &members)
        writeBehindOwn(into: &members)
    }

    func writeBeforeOwn(into members: inout JSONMembers) {
        if let connection { members.identifier("connection", connection) }
        members.text("outcome", outcome.rawValue)
        members.number("status", orNull: status.map(UInt64.init))
        members.text("closed_by", orNull: closedBy?.rawValue)
        if let reason { members.text("reason", reason.cut(to: 60)) }
        if let rule { members.text("rule", rule.cut(to: 128)) }
    }

    func writeOwn(into members: inout JSONMembers) {
        members.number("bytes_up", orNull: bytesUp)
        members.number("bytes_down", orNull: bytesDown)
        members.number("duration_ms", orNull: durationMilliseconds)
    }

    func writeBehindOwn(into members: inout JSONMembers) {
        members.text("dialled", orNull: dialled?.cut(to: 60))
        if let egress { members.text("egress", egress.cut(to: 11)) }
        if let via { members.text("via", via.cut(to: 8)) }
        if let detail { members.text("detail", detail.cut(to: 120)) }
        if !findings.isEmpty { members.texts("findings", findings.prefix(8).map(Self.short)) }
    }

    /// So short that `RecordLimits.endBytes` holds.
    private static func short(_ finding: String) -> String {
        let octets = finding.utf8.prefix(32).filter { octet in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: ":")).contains(octet)
                || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-")].contains(octet)
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
