import AuditTrail
import HTTPExchange
import NetworkTypes
import PolicyEngine

extension OwnAnswer {
    /// The answer to a question: one object that says the same in the words of every kind of caller.
    ///
    /// Whoever takes the absence of a member for consent finds every member there. Nothing of what the caller sent is in
    /// it but `request_id`.
    static func check(
        _ request: CheckRequest,
        _ judgement: CheckJudgement,
        _ situation: GovernanceSituation,
        microseconds: UInt64
    ) -> OwnAnswer {
        let decision = judgement.decision
        let isAllowed = decision.isAllowed
        let word = isAllowed ? "allow" : "deny"
        return json { members in
            members.boolean("allowed", isAllowed)
            members.text("decision", word)
            members.text("action", word)
            members.text("reason", decision.reason.rawValue)
            members.text("matched_rule", orNull: decision.rule?.text)
            members.text("policy_name", orNull: situation.policy?.name)
            members.text("policyId", orNull: situation.policy?.name)
            members.text("ruleId", orNull: decision.rule?.text)
            members.thousandths("evaluationMs", microseconds)
            members.text("audit_entry_id", situation.id.description)
            members.text("request_id", orNull: request.requestID)
            members.boolean("success", isAllowed)
            members.null("data")
            members.text("error", orNull: isAllowed ? nil : "Denied: \(decision.reason.rawValue)")
            members.text("signal", orNull: isAllowed ? nil : "SIGKILL")
            members.text("address", judgement.address.rawValue)
            members.text("policy_hash", orNull: situation.policy?.hash)
            if decision.wouldDeny { members.text("would", "deny") }
            if isAllowed, !decision.egress.isEmpty { members.texts("egress", decision.egress.texts) }
            if let detail = judgement.detail { members.text("detail", detail) }
        }
    }
}

extension CheckRecord {
    init(
        _ request: CheckRequest,
        _ judgement: CheckJudgement,
        _ situation: GovernanceSituation,
        _ workload: WorkloadIdentity
    ) {
        let decision = judgement.decision
        let destination = request.destination
        self.init(
            id: situation.id,
            decision: decision.isAllowed ? .allow : .deny,
            would: decision.wouldDeny ? .deny : nil,
            rule: decision.rule?.text,
            reason: decision.reason.rawValue,
            policy: RecordedPolicy(
                hash: situation.policy?.hash,
                mode: situation.policy?.mode == .audit ? .audit : .enforce,
                generation: situation.generation
            ),
            workload: workload,
            callerUID: situation.callerUID,
            action: destination == nil ? nil : request.action,
            claimedAgent: request.agent,
            requestID: request.requestID,
            protocol: destination?.spoken.flatMap { RecordedProtocol(rawValue: $0.rawValue) },
            method: destination?.method?.text,
            path: judgement.path,
            hasQuery: destination?.hasQuery ?? false,
            destination: destination?.recorded ?? RecordedDestination(),
            address: judgement.address,
            detail: destination == nil ? request.action : judgement.detail
        )
        if let destination, destination.hasQuery, let query = destination.query, let mask = situation.mask {
            masked.add(query: query, hashing: mask)
        }
        egress = decision.egress.texts
    }
}

extension CheckedDestination {
    fileprivate var recorded: RecordedDestination {
        switch host {
        case .name(let name): RecordedDestination(name: name.text, port: port)
        case .address(let address):
            RecordedDestination(port: port, original: SocketAddress(address, port: port).description)
        case .malformed: RecordedDestination(port: port)
        }
    }
}
