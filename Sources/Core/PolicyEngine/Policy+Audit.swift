import NetworkTypes

extension Policy {
    /// What a judgement comes to in the policy's mode.
    ///
    /// `mode: audit` dials the original destination, without asking what the name's addresses are, and refuses only where
    /// there is nothing to dial. It goes out by the ways of the rule that allows it, or else by those of the policy.
    func inMode(_ judgement: Decision, _ facts: Facts) -> Decision {
        guard mode == .audit else { return judgement }
        let wouldDeny: Bool
        switch judgement.verdict {
        case .undetermined, .needsBody: return judgement
        case .allow: wouldDeny = false
        case .deny: wouldDeny = true
        }
        // Each request is judged on its own, not the connection that carries them.
        if judgement.verdict == .allow, judgement.reason == .perRequest { return judgement }
        let plan = facts.original == nil ? facts.name.map(DialPlan.name) : .original
        guard let plan else { return .refused(.noOriginalDestination, rule: judgement.rule, port: facts.port) }
        var ways = judgement.verdict == .allow ? judgement.egress : egress
        if case .name(let name) = plan, name.isLoopback, ways.resolvingElsewhere != nil {
            return .refused(.specialAddress, rule: judgement.rule, port: facts.port)
        }
        var found = isSeen(plan, by: ways) ? candidates(facts, plan) : nil
        if found?.isEmpty == true, ways.resolvingElsewhere != nil, plan != .original {
            found = nil
            ways.removeAll { $0.kind == .here }
        }
        // The kernel takes the clothes off: what is behind them was looked at by nobody.
        let addresses = found?.filter { !$0.isMappedIPv4 }
            .map { UpstreamAddress(SocketAddress($0, port: facts.port)) }
        if let found, let addresses, addresses.isEmpty {
            let reason = found.isEmpty ? Reason.unresolvable : .specialAddress
            return .refused(reason, rule: judgement.rule, port: facts.port)
        }
        let permission = Permission(
            rule: judgement.rule,
            basis: judgement.basis,
            wouldDeny: wouldDeny,
            treatment: treatment(of: facts),
            dial: plan,
            addresses: addresses,
            egress: ways,
            draws: judgement.draws.map(\.onTrial)
        )
        return .allowed(judgement.reason, by: permission, for: facts)
    }

    /// What comes of a decision where rules say `mode: audit`: what they would refuse is let through and says so.
    ///
    /// - Parameters:
    ///   - decision: what comes of the rules that are not on trial.
    ///   - strict: what comes of all of them.
    /// - Returns: the decision, marked where all of them would refuse.
    func onTrial(_ decision: Decision, strict: Decision) -> Decision {
        switch strict.verdict {
        case .allow, .undetermined: decision
        // Whether it would be refused, only the body tells.
        case .needsBody: strict
        case .deny: decision.thatWouldBeDenied(strict.reason, by: strict.rule)
        }
    }
}
