import NetworkTypes

extension Policy {
    /// Judges a connection that is already allowed again: the agent has spoken late, or this policy replaces the one that
    /// allowed it.
    ///
    /// It goes on only if no rule denies it, the same rule (by its name; or the default) still allows it, what was dialled is
    /// still what would be dialled, and every one of `facts.addresses` may still be dialled. Another rule that would allow it
    /// does not help: the connection was bound to what the first one asked for. `mode: audit` lets it go on, and says what
    /// `mode: enforce` would say if the connection came now. Nothing is drawn anew: `draws` says what a live flow draws on from
    /// now on, and that a counter is exhausted does not end it.
    ///
    /// - Parameters:
    ///   - decision: what let the connection through.
    ///   - facts: what is known now; `addresses` is what was dialled.
    /// - Returns: a decision that allows, or one that refuses and says why; never an undetermined one.
    package func stillAllows(_ decision: Decision, _ facts: Facts) -> Decision {
        guard !facts.isOwnListener else { return .refused(.ownListener, port: facts.port) }
        guard decision.verdict == .allow else {
            return .refused(decision.reason, rule: decision.rule, port: facts.port)
        }
        // Each request is judged on its own, not the connection that carries them.
        if decision.reason == .perRequest { return decision }
        var facts = facts
        // A body that nobody has read by now nobody will: it is on its way, or gone.
        if facts.request != nil, facts.request?.calls == nil { facts.request?.calls = .unread }
        let isHTTPInTunnel = decision.treatment == .tunnel && facts.isPlainHTTP
        switch mode {
        case .enforce:
            var verdict = rejudge(decision, facts, isStrict: false)
            if hasTrials, verdict.verdict == .allow {
                verdict = onTrial(verdict, strict: rejudge(decision, facts, isStrict: true))
            }
            guard isHTTPInTunnel, verdict.verdict == .allow else { return verdict }
            return .refused(.perRequest, port: facts.port)
        case .audit:
            // Not even here do requests pass that nobody judges.
            if isHTTPInTunnel { return .refused(.perRequest, port: facts.port) }
            let fresh = decide(facts)
            return fresh.verdict == .undetermined ? refuse(facts, because: .undetermined) : fresh
        }
    }

    /// Judges a connection that is already allowed again, under the policy that allowed it: a time has come, or the agent has
    /// spoken late.
    ///
    /// As `stillAllows`; but where what allowed it no longer does, the reason is that for which a new connection would be refused,
    /// and `policy_changed` only where another rule would let that through.
    package func stillAllowsNow(_ decision: Decision, _ facts: Facts) -> Decision {
        let verdict = stillAllows(decision, facts)
        guard verdict.verdict == .deny, verdict.reason == .policyChanged else { return verdict }
        let fresh = decide(facts)
        guard fresh.verdict == .deny else { return verdict }
        return .refused(fresh.reason, rule: fresh.rule ?? verdict.rule, port: facts.port)
    }

    private func rejudge(_ decision: Decision, _ facts: Facts, isStrict: Bool) -> Decision {
        if isAmbiguous(facts, isStrict: isStrict) { return .refused(.ambiguousPath, port: facts.port) }
        let survey = survey(facts, isStrict: isStrict)
        if let denial = denial(survey, facts) { return denial }
        guard let plan = decision.dial, let basis = basis(of: decision, facts) else {
            return .refused(.policyChanged, rule: decision.rule, port: facts.port)
        }
        // The original destination, dialled while no name was known, stays right for a rule that asks for no name.
        let staysOriginal = plan == .original && facts.original != nil && basis.rule?.match.hosts == nil
        guard staysOriginal || plan == dialPlan(facts, basis.rule) else {
            return .refused(.policyChanged, rule: decision.rule, port: facts.port)
        }
        guard decision.egress.isStill(within: egress(of: basis.rule)) else {
            return .refused(.policyChanged, rule: decision.rule, port: facts.port)
        }
        // A tunnel that is open cannot be looked into any more.
        if decision.treatment == .tunnel, lookInside(survey, facts) != nil {
            return .refused(.perRequest, port: facts.port)
        }
        let verdict = admit(facts, by: basis.rule, dialling: plan, needing: .everyAddress, isStrict: isStrict)
        if decision.treatment == .tunnel, verdict.verdict == .allow, lookInside(verdict, survey, facts) != nil {
            return .refused(.perRequest, port: facts.port)
        }
        return verdict
    }

    /// What still stands behind a decision.
    private struct Basis {
        /// `nil` for the default.
        var rule: Rule?
    }

    private func basis(of decision: Decision, _ facts: Facts) -> Basis? {
        switch decision.basis {
        // What `mode: audit` alone let through has nothing behind it.
        case .nothing: return nil
        case .standard: return defaultAction == .allow ? Basis(rule: nil) : nil
        case .rule(let name):
            guard let place = compiled.places[name] else { return nil }
            let rule = rules[place]
            switch rule.action {
            case .deny: return nil
            case .allow, .tunnel, .inspect:
                return rule.likelihood(facts, canIntercept: canIntercept) == .yes ? Basis(rule: rule) : nil
            }
        }
    }
}
