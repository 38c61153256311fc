import NetworkTypes

extension Policy {
    /// How many of the addresses must pass.
    enum AddressNeed {
        /// Before dialling: those that do not pass are left out.
        case anyAddress
        /// After: each of them was dialled.
        case everyAddress
    }

    /// Settles what is dialled for a connection that `rule`, or the default, allows, and checks the addresses.
    func admit(_ facts: Facts, by rule: Rule?, isStrict: Bool) -> Decision {
        guard let plan = dialPlan(facts, rule) else {
            return .refused(.noOriginalDestination, rule: rule?.name, port: facts.port)
        }
        let decision = admit(facts, by: rule, dialling: plan, needing: .anyAddress, isStrict: isStrict)
        guard let rule, decision.verdict == .allow, isStrict || !rule.terms.isOnTrial else { return decision }
        return exhaustion(of: rule, facts) ?? decision
    }

    /// Checks the original destination and the addresses for a connection that `rule`, or the default, allows.
    func admit(
        _ facts: Facts,
        by rule: Rule?,
        dialling plan: DialPlan,
        needing need: AddressNeed,
        isStrict: Bool
    ) -> Decision {
        if let original = facts.original?.socket.address, !passesGuard(original, rule) {
            return .refused(.specialAddress, rule: rule?.name, port: facts.port)
        }
        var ways = egress(of: rule)
        let addresses: [UpstreamAddress]?
        let check = AddressTest(rule: rule, need: need, isStrict: isStrict)
        switch checkAddresses(facts, plan, ways, check) {
        case .unchecked: addresses = nil
        case .unseen:
            addresses = nil
            ways.removeAll { $0.kind == .here }
        case .passed(let passed): addresses = passed
        case .stopped(let decision): return decision
        }
        let permission = Permission(
            rule: rule?.name,
            basis: rule.map { .rule($0.name) } ?? .standard,
            treatment: treatment(of: facts),
            dial: plan,
            addresses: addresses,
            egress: ways,
            draws: rule.map { draws(of: $0, facts) } ?? []
        )
        return .allowed(rule == nil ? .defaultAllow : .ruleAllow, by: permission, for: facts)
    }

    /// What allowed a connection decides what is dialled; `nil` where there is nothing to dial.
    func dialPlan(_ facts: Facts, _ rule: Rule?) -> DialPlan? {
        if !(rule?.isBoundToBlocks ?? false), let name = facts.name { return .name(name) }
        return facts.original == nil ? nil : .original
    }

    /// The addresses that a plan stands for: a caller cannot put others in the place of the original destination.
    func candidates(_ facts: Facts, _ plan: DialPlan) -> [IPAddress]? {
        guard let addresses = facts.addresses else { return nil }
        switch plan {
        case .name: return addresses
        case .original: return facts.original.map { [$0.socket.address] } ?? []
        }
    }

    /// How addresses are looked at.
    private struct AddressTest {
        /// `nil` for the default.
        var rule: Rule?
        var need: AddressNeed
        /// True where denies on trial are carried out.
        var isStrict: Bool
    }

    private enum AddressCheck {
        case unchecked
        /// Nobody here dials an address: a proxy is told the name, or nothing is dialled.
        case unseen
        /// Never empty.
        case passed([UpstreamAddress])
        /// A refusal, or that the body of the request must be read first.
        case stopped(Decision)
    }

    private func checkAddresses(
        _ facts: Facts,
        _ plan: DialPlan,
        _ ways: EgressList,
        _ test: AddressTest
    ) -> AddressCheck {
        if ways.resolvingElsewhere != nil, case .name(let name) = plan {
            if let objection = objection(toLookingUp: name, elsewhereFor: facts, test) { return .stopped(objection) }
            // Where both kinds are stated, what is known here to have no address is left to the proxy.
            if !ways.needAddresses || facts.addresses?.isEmpty == true { return .unseen }
        } else if !isSeen(plan, by: ways) {
            return .unseen
        }
        guard let candidates = candidates(facts, plan) else { return .unchecked }
        var firstObjection: Decision?
        var question: Decision?
        var passed: [UpstreamAddress] = []
        passed.reserveCapacity(candidates.count)
        for address in candidates {
            if let objection = objection(to: address, facts, test) {
                if test.need == .everyAddress { return .stopped(objection) }
                if objection.verdict == .needsBody { question = question ?? objection }
                firstObjection = firstObjection ?? objection
            } else {
                passed.append(UpstreamAddress(SocketAddress(address, port: facts.port)))
            }
        }
        if let question { return .stopped(question) }
        guard passed.isEmpty else { return .passed(passed) }
        return .stopped(firstObjection ?? .refused(.unresolvable, rule: test.rule?.name, port: facts.port))
    }

    /// True where a plan comes to addresses that are known here.
    func isSeen(_ plan: DialPlan, by ways: EgressList) -> Bool {
        switch plan {
        case .name: ways.needAddresses
        // A proxy is told the address; a blackhole takes nothing.
        case .original: !ways.contains { $0.kind == .nowhere }
        }
    }

    /// What is wrong with leaving it to a proxy to look a name up: whatever rules are about addresses counts as broken.
    private func objection(
        toLookingUp name: HostName,
        elsewhereFor facts: Facts,
        _ test: AddressTest
    ) -> Decision? {
        let port = facts.port
        if name.isLoopback { return .refused(.specialAddress, rule: test.rule?.name, port: port) }
        if let rule = test.rule, rule.match.cidrs != nil { return .refused(.outsideCIDRs, rule: rule.name, port: port) }
        for place in compiled.addressDenyPlaces where test.isStrict || !rules[place].terms.isOnTrial {
            guard rules[place].match.cidrs?.isEmpty == false else { continue }
            let likelihood = rules[place].likelihoodWithoutAddress(facts, canIntercept: canIntercept)
            guard likelihood == .no else { return .refused(.deniedAddress, rule: rules[place].name, port: port) }
        }
        return nil
    }

    /// What is wrong with dialling an address under a rule, or the default, or that only the body tells; `nil` for nothing.
    private func objection(to address: IPAddress, _ facts: Facts, _ test: AddressTest) -> Decision? {
        let rule = test.rule
        let denial = addressDenial(address, facts, isStrict: test.isStrict)
        if let denial, denial.verdict == .deny { return denial }
        if !passesGuard(address, rule) { return .refused(.specialAddress, rule: rule?.name, port: facts.port) }
        if let rule, rule.match.cidrs != nil, !rule.names(address) {
            return .refused(.outsideCIDRs, rule: rule.name, port: facts.port)
        }
        return denial
    }

    /// The special-address guard: a special address is dialled only where the winning rule's own `cidrs` name it.
    ///
    /// An IPv4 address dressed as IPv6 is not dialled even then: the kernel would connect to the IPv4 address, which no block
    /// of IPv6 addresses was meant to name.
    private func passesGuard(_ address: IPAddress, _ rule: Rule?) -> Bool {
        address.specialRange == nil || (!address.isMappedIPv4 && rule?.names(address) ?? false)
    }

    /// The denial of a deny rule whose `cidrs` name the address and whose other keys hold.
    private func addressDenial(_ address: IPAddress, _ facts: Facts, isStrict: Bool) -> Decision? {
        let isLast = isLastQuestion(facts)
        var survey = Survey()
        let probe = Probe(facts, of: .deny, isLastQuestion: isLast, address: address)
        for place in compiled.addressDenies.places(probe) {
            guard isStrict || !rules[place].terms.isOnTrial, rules[place].names(address) else { continue }
            let likelihood = rules[place].likelihoodWithoutAddress(facts, canIntercept: canIntercept)
            survey.note(deny: place, likelihood.settled(isLastQuestion: isLast, isFinal: facts.isFinal))
        }
        if let place = survey.sureDeny { return .refused(.deniedAddress, rule: rules[place].name, port: facts.port) }
        if let place = survey.unprovableDeny { return unproved(rules[place], facts) }
        return survey.denyingByBody.map { .needsBody(for: rules[$0].name, port: facts.port) }
    }
}

extension Rule {
    /// True where the original destination is dialled, which must lie within the rule's blocks.
    var isBoundToBlocks: Bool { match.cidrs != nil && match.hosts == nil }
}

extension HostName {
    /// True for a name of whatever machine looks it up (RFC 6761, section 6.3): a proxy's own, where that does.
    package var isLoopback: Bool { text == "localhost" || text.hasSuffix(".localhost") }
}
