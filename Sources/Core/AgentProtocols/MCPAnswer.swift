import AuditTrail

/// What a client is told of a refusal in the protocol that it speaks.
package struct MCPAnswer: Hashable, Sendable {
    /// Of the HTTP response.
    package let status: Int
    /// JSON, of the type `MCPAnswer.contentType`.
    package let body: [UInt8]

    package static let contentType = "application/json"
    /// The code of a call that policy refuses: within the range that JSON-RPC leaves to servers, and that MCP does not use.
    package static let denied = -32010

    /// Why policy refuses, as the answer's `data` tells it.
    package struct Refusal: Hashable, Sendable {
        /// What the audit knows the decision by.
        package var decision: RecordIdentifier?
        /// The rule that decided, if one did.
        package var rule: String?
        /// From the closed list of reasons.
        package var reason: String
        /// After how many seconds it may be asked again, where that is known.
        package var retryAfter: Int64?

        package init(decision: RecordIdentifier?, rule: String?, reason: String, retryAfter: Int64? = nil) {
            self.decision = decision
            self.rule = rule
            self.reason = reason
            self.retryAfter = retryAfter
        }
    }

    /// Refuses all calls of a message; `nil` where none of them asks for an answer.
    ///
    /// The status is 200, as of any answer in JSON-RPC: clients hand the error to whoever called, while many take another
    /// status for a broken server, and wait for an answer until they give up.
    package init?(refusing message: MCPMessage, _ refusal: Refusal) {
        let errors = message.calls.compactMap(\.id).map { id in
            Self.error(id, Self.denied, "denied by egress policy", refusal)
        }
        guard let first = errors.first else { return nil }
        status = 200
        body =
            message.isBatch
            ? [UInt8(ascii: "[")] + errors.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")] : first
    }

    /// Refuses a body that could be read in more than one way, with status 400.
    package init(refusing violation: MCPViolation, _ refusal: Refusal) {
        status = 400
        let text = "the message is refused: \(violation.fault.word)"
        body = Self.error(violation.id ?? Array("null".utf8), violation.fault.code, text, refusal)
    }

    private static func error(_ id: [UInt8], _ code: Int, _ message: String, _ refusal: Refusal) -> [UInt8] {
        var members = JSONMembers(reserving: 256, limits: .standard)
        members.text("jsonrpc", "2.0")
        // As it came: a number that is written anew could be another.
        members.json("id", id)
        members.object("error") { error in
            error.json("code", Array("\(code)".utf8))
            error.text("message", message)
            error.object("data") { data in
                if let decision = refusal.decision { data.identifier("decision_id", decision) }
                data.text("rule", orNull: refusal.rule)
                data.text("reason", refusal.reason)
                if let seconds = refusal.retryAfter { data.number("retry_after", UInt64(clamping: seconds)) }
            }
        }
        return [UInt8(ascii: "{")] + members.finish() + [UInt8(ascii: "}")]
    }
}
