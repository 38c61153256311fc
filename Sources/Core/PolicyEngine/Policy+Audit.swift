import NetworkTypes

extension Policy {
    /// What a judgement comes to in the policy's mode.
    ///
    /// `mode: audit` dials the original destination, without asking what the name's addresses are, and refuses only where
    /// there is nothing to dial.
    func inMode(_ judgement: Decision, _ facts: Facts) -> Decision {
        guard mode == .audit else { return judgement }
        let wouldDeny: Bool
        switch judgement.verdict {
        case .undetermined: return judgement
        case .allow: wouldDeny = false
        case .deny: wouldDeny = true
        }
        let plan = facts.original == nil ? facts.name.map(DialPlan.name) : .original
        guard let plan else { return .refused(.noOriginalDestination, rule: judgement.rule, port: facts.port) }
        let addresses = candidates(facts, plan)?.map { UpstreamAddress(SocketAddress($0, port: facts.port)) }
        if let addresses, addresses.isEmpty {
            return .refused(.unresolvable, rule: judgement.rule, port: facts.port)
        }
        return .allowed(
            judgement.reason,
            rule: judgement.rule,
            wouldDeny: wouldDeny,
            dial: plan,
            addresses: addresses,
            for: facts
        )
    }
}
