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
        let found = candidates(facts, plan)
        // The kernel takes the clothes off: what is behind them was looked at by nobody.
        let addresses = found?.filter { !$0.isMappedIPv4 }
            .map { UpstreamAddress(SocketAddress($0, port: facts.port)) }
        if let found, let addresses, addresses.isEmpty {
            let reason = found.isEmpty ? Reason.unresolvable : .specialAddress
            return .refused(reason, rule: judgement.rule, port: facts.port)
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
