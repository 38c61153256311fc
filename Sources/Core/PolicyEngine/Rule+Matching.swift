import NetworkTypes

/// How sure it is that a rule matches.
enum Likelihood: Equatable {
    case no
    /// What the client says first will tell, or what is not known of its request.
    case maybe
    /// It does, as far as can be known; a fact that the rule asks for cannot be found out.
    case unprovable
    case yes

    /// What it is for a deny: where no later question tells more, what may be is taken to be.
    func settled(for facts: Facts) -> Likelihood {
        self == .maybe && facts.isLastQuestion ? .unprovable : self
    }
}

extension Rule {
    /// Compares the rule with the facts, as far as the original destination goes.
    ///
    /// The addresses about to be dialled are another question, which `holds(for:)` and `cidrs` answer.
    func likelihood(_ facts: Facts) -> Likelihood {
        addressHolds(facts) ? likelihoodWithoutAddress(facts) : .no
    }

    /// Compares every key but `cidrs`.
    func likelihoodWithoutAddress(_ facts: Facts) -> Likelihood {
        if let ports, !ports.contains(where: { $0.contains(facts.port) }) { return .no }
        let opening = openingLikelihood(facts)
        guard opening != .no, let uids = match.uids else { return opening }
        guard let uid = facts.workloadUID else {
            // Nobody knows the user: what would allow does not, and what would deny does.
            guard action == .deny, !uids.isEmpty else { return .no }
            return opening == .maybe ? .maybe : .unprovable
        }
        return uids.contains(uid) ? opening : .no
    }

    /// True where the rule's `cidrs` name the address.
    func names(_ address: IPAddress) -> Bool {
        match.cidrs?.contains { $0.contains(address) } ?? false
    }

    private func addressHolds(_ facts: Facts) -> Bool {
        guard let cidrs = match.cidrs else { return true }
        // What allows a name within blocks dials the name: where the agent was going is only evidence.
        if match.hosts != nil, action != .deny { return !cidrs.isEmpty }
        guard let original = facts.original else { return false }
        return names(original.socket.address)
    }

    private func openingLikelihood(_ facts: Facts) -> Likelihood {
        switch facts.opening {
        case .silent:
            if match.hosts?.isEmpty ?? false { return .no }
            let spoken = likelihoodOfAnyProtocol
            return spoken == .yes && match.hosts != nil ? .maybe : spoken
        case .asked:
            return hostHolds(facts) ? likelihoodOfAnyProtocol : .no
        case .known(let spoken, _):
            if let protocols = match.protocols, !protocols.contains(spoken) { return .no }
            guard hostHolds(facts) else { return .no }
            guard let http = match.http else { return .yes }
            return facts.isPlainHTTP ? http.likelihood(facts.request, for: action) : .no
        }
    }

    /// Where the protocol is not known yet.
    private var likelihoodOfAnyProtocol: Likelihood {
        if let http = match.http {
            let isPossible = match.protocols?.contains(.http) ?? true
            return isPossible && !http.holdsForNothing ? .maybe : .no
        }
        guard let protocols = match.protocols, protocols.count < ApplicationProtocol.allCases.count else { return .yes }
        return protocols.isEmpty ? .no : .maybe
    }

    private func hostHolds(_ facts: Facts) -> Bool {
        guard let hosts = match.hosts else { return true }
        guard let name = facts.name else { return false }
        return hosts.contains { $0.matches(name) }
    }
}
