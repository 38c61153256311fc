/// How an allowed connection, or an allowed request, came to its end.
package enum ConnectionOutcome: String, CaseIterable, Sendable {
    /// Both sides were done; of a request, its answer was passed on whole.
    case closed
    /// The answer lasted as long as the server's connection, which ended without saying that it does: it may be cut short.
    case truncated
    /// The upstream could not be reached, or refused.
    case upstreamFailed = "upstream_failed"
    /// Policy lets it go nowhere: nothing was dialled.
    case blackholed
    /// A side reset it.
    case reset
    /// The client did not take the certificate that it was shown in the server's place.
    case clientRejectedInterception = "client_rejected_interception"
    /// Its TLS could not be ended here.
    case interceptionFailed = "interception_failed"
    /// What was said later is denied by policy.
    case cut
    /// A new policy no longer allows it.
    case policyChanged = "policy_changed"
    /// The time in which policy allows it is over, or a time in which policy denies it has begun.
    case windowEnded = "window_ended"
    /// The daemon was told to stop and did not wait longer.
    case drained
    /// It was idle, or alive, for longer than allowed.
    case timedOut = "timed_out"
    /// Its record could not be written in time.
    case auditUnavailable = "audit_unavailable"
    /// The daemon let it go without an end: a defect of ours.
    case abandoned
    /// It was open when the daemon died.
    case lost
}

/// Who closed a connection, or broke a request off, first.
package enum ClosingSide: String, CaseIterable, Sendable {
    case client
    case upstream
    case ours
}

/// How an allowed connection went: the one end record that it leaves.
///
/// Nil is what nobody knows.
package struct ConnectionEndRecord: Hashable, Sendable {
    package var id: RecordIdentifier
    package var outcome: ConnectionOutcome
    package var closedBy: ClosingSide?
    /// Where policy cut it: the reason, from the policy engine's closed list.
    package var reason: String?
    /// Where policy cut it: the rule.
    package var rule: String?
    /// From the agent.
    package var bytesUp: UInt64?
    /// To the agent.
    package var bytesDown: UInt64?
    package var durationMilliseconds: UInt64?
    /// From the first attempt to dial to the upstream's answer.
    package var connectMilliseconds: UInt64?
    /// Address and port that the upstream socket was connected to, or that a proxy was told.
    package var dialled: String?
    /// The way out that was taken; nil for `direct`.
    package var egress: String?
    /// Address and port of the proxy that led out.
    package var via: String?
    /// What went wrong, where something did.
    package var detail: String?
    /// How many scalars of `detail` are kept; of printable ASCII six times as many.
    ///
    /// A rule for a client that pins its server fits.
    private static let detailLength = 120

    package init(
        id: RecordIdentifier,
        outcome: ConnectionOutcome,
        closedBy: ClosingSide? = nil,
        reason: String? = nil,
        rule: String? = nil,
        bytesUp: UInt64? = nil,
        bytesDown: UInt64? = nil,
        durationMilliseconds: UInt64? = nil,
        connectMilliseconds: UInt64? = nil,
        dialled: String? = nil,
        egress: String? = nil,
        via: String? = nil,
        detail: String? = nil
    ) {
        self.id = id
        self.outcome = outcome
        self.closedBy = closedBy
        self.reason = reason
        self.rule = rule
        self.bytesUp = bytesUp
        self.bytesDown = bytesDown
        self.durationMilliseconds = durationMilliseconds
        self.connectMilliseconds = connectMilliseconds
        self.dialled = dialled
        self.egress = egress
        self.via = via
        self.detail = detail
    }
}

extension ConnectionEndRecord: EndRecord {
    package static var kind: RecordKind { .connectionEnd }

    package init(id: RecordIdentifier, outcome: ConnectionOutcome) {
        self.init(id: id, outcome: outcome, closedBy: nil)
    }

    /// Writes the members; `id` comes first, because a file is read back by it.
    package func write(into members: inout JSONMembers) {
        members.identifier("id", id)
        writeBeforeFigures(into: &members)
        ConnectionFigures(
            bytesUp: bytesUp,
            bytesDown: bytesDown,
            durationMilliseconds: durationMilliseconds,
            connectMilliseconds: connectMilliseconds
        ).write(into: &members)
        writeBehindFigures(into: &members)
    }

    func writeBeforeFigures(into members: inout JSONMembers) {
        members.text("outcome", outcome.rawValue)
        members.text("closed_by", orNull: closedBy?.rawValue)
        if let reason { members.text("reason", reason.cut(to: 60)) }
        if let rule { members.text("rule", rule.cut(to: 128)) }
    }

    func writeBehindFigures(into members: inout JSONMembers) {
        members.text("dialled", orNull: dialled?.cut(to: 60))
        if let egress { members.text("egress", egress.cut(to: 11)) }
        if let via { members.text("via", via.cut(to: 8)) }
        if let detail { members.text("detail", detail.cut(to: Self.detailLength)) }
    }
}

extension ConnectionEndRecord {
    /// True where nothing of this `detail` would be cut off.
    package static func keepsWhole(_ detail: String) -> Bool { detail.cut(to: detailLength) == detail }
}

extension String {
    /// At most so many scalars: what `RecordLimits.endBytes` counts on.
    ///
    /// Printable ASCII, of which a scalar takes two bytes in a line and not twelve, may have six times as many.
    func cut(to count: Int) -> String {
        guard utf8.count > count else { return self }
        let isPlain = utf8.allSatisfy { (0x20...0x7e).contains($0) }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(isPlain ? 6 * count : count)))
    }
}
