import AuditTrail

/// A refusal that says why, for programs and people (RFC 9457).
package struct Problem: Hashable, Sendable {
    package var status: Int
    package var title: String
    package var detail: String
    /// From the closed list of reasons.
    package var reason: String
    /// The rule that decided, if one did.
    package var rule: String?
    /// What the audit knows the decision by.
    package var decision: RecordIdentifier?
    /// After how many seconds it may be asked again (RFC 9110, section 10.2.3); `nil`: nobody knows.
    package var retryAfter: Int64?

    package init(
        _ status: Int,
        title: String,
        detail: String,
        reason: String,
        rule: String? = nil,
        decision: RecordIdentifier? = nil,
        retryAfter: Int64? = nil
    ) {
        self.status = status
        self.title = title
        self.detail = detail
        self.reason = reason
        self.rule = rule
        self.decision = decision
        self.retryAfter = retryAfter
    }

    /// The answer that tells it.
    package var answer: OwnAnswer {
        var members = JSONMembers(reserving: 320, limits: .standard)
        members.text("type", "urn:penstock:reason:\(reason)")
        members.text("title", title)
        members.number("status", UInt64(status))
        members.text("detail", detail)
        members.text("reason", reason)
        members.text("rule", orNull: rule)
        if let decision { members.identifier("decision_id", decision) }
        let body = [UInt8(ascii: "{")] + members.finish() + [UInt8(ascii: "}"), UInt8(ascii: "\n")]
        let fields = retryAfter.map { [OwnAnswer.Field("Retry-After", "\($0)")] } ?? []
        return OwnAnswer(status, fields: fields, contentType: "application/problem+json", body: body)
    }
}
