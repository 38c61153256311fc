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
    func admit(_ facts: Facts, by rule: Rule?) -> Decision {
        guard let plan = dialPlan(facts, rule) else {
            return .refused(.noOriginalDestination, rule: rule?.name, port: facts.port)
        }
        return admit(facts, by: rule, dialling: plan, needing: .anyAddress)
    }

    /// Checks the original destination and the addresses for a connection that `rule`, or the default, allows.
    func admit(_ facts: Facts, by rule: Rule?, dialling plan: DialPlan, needing need: AddressNeed) -> Decision {
        if let original = facts.original?.socket.address, !passesGuard(original, rule) {
            return .refused(.specialAddress, rule: rule?.name, port: facts.port)
        }
        let addresses: [UpstreamAddress]?
        switch checkAddresses(facts, plan, rule, need) {
        case .unchecked: addresses = nil
        case .passed(let passed): addresses = passed
        case .refused(let refusal): return refusal
        }
        return .allowed(
            rule == nil ? .defaultAllow : .ruleAllow,
            rule: rule?.name,
            dial: plan,
            addresses: addresses,
            for: facts
        )
    }

    /// What allowed a connection decides what is dialled; `nil` where there is nothing to dial.
    func dialPlan(_ facts: Facts, _ rule: Rule?) -> DialPlan? {
        let isBoundToBlocks = rule?.match.cidrs != nil && rule?.match.hosts == nil
        if !isBoundToBlocks, let name = facts.name { return .name(name) }
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

    private enum AddressCheck {
        case unchecked
        /// Never empty.
        case passed([UpstreamAddress])
        case refused(Decision)
    }

    private func checkAddresses(_ facts: Facts, _ plan: DialPlan, _ rule: Rule?, _ need: AddressNeed) -> AddressCheck {
        guard let candidates = candidates(facts, plan) else { return .unchecked }
        var firstObjection: Decision?
        var passed: [UpstreamAddress] = []
        passed.reserveCapacity(candidates.count)
        for address in candidates {
            if let objection = objection(to: address, facts, rule) {
                if need == .everyAddress { return .refused(objection) }
                firstObjection = firstObjection ?? objection
            } else {
                passed.append(UpstreamAddress(SocketAddress(address, port: facts.port)))
            }
        }
        guard passed.isEmpty else { return .passed(passed) }
        return .refused(firstObjection ?? .refused(.unresolvable, rule: rule?.name, port: facts.port))
    }

    /// What is wrong with dialling an address under a rule, or the default; `nil` for nothing.
    private func objection(to address: IPAddress, _ facts: Facts, _ rule: Rule?) -> Decision? {
        if let denial = addressDenial(address, facts) { return denial }
        if !passesGuard(address, rule) { return .refused(.specialAddress, rule: rule?.name, port: facts.port) }
        if let rule, rule.match.cidrs != nil, !rule.names(address) {
            return .refused(.outsideCIDRs, rule: rule.name, port: facts.port)
        }
        return nil
    }

    /// The special-address guard: a special address is dialled only where the winning rule's own `cidrs` name it.
    ///
    /// An IPv4 address dressed as IPv6 is not dialled even then: the kernel would connect to the IPv4 address, which no block
    /// of IPv6 addresses was meant to name.
    private func passesGuard(_ address: IPAddress, _ rule: Rule?) -> Bool {
        address.specialRange == nil || (!address.isMappedIPv4 && rule?.names(address) ?? false)
    }

    /// The denial of a deny rule whose `cidrs` name the address and whose other keys hold.
    private func addressDenial(_ address: IPAddress, _ facts: Facts) -> Decision? {
        var unprovable: Decision?
        for index in rules.indices where rules[index].action == .deny && rules[index].names(address) {
            switch rules[index].likelihoodWithoutAddress(facts).settled(for: facts) {
            case .no, .maybe: continue
            case .unprovable:
                unprovable = unprovable ?? .refused(.undetermined, rule: rules[index].name, port: facts.port)
            case .yes: return .refused(.deniedAddress, rule: rules[index].name, port: facts.port)
            }
        }
        return unprovable
    }
}
