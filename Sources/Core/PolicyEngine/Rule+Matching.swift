import NetworkTypes

/// How sure it is that a rule matches.
enum Likelihood: Equatable {
    case no
    /// What the client says first will tell, or what is not known of its request.
    case maybe
    /// The body of its request will tell.
    case body
    /// It does, as far as can be known; a fact that the rule asks for cannot be found out.
    case unprovable
    case yes

    /// What it is for a deny: where no later question tells more, what may be is taken to be.
    ///
    /// Whoever says that nothing more will be known does not read a body, either.
    func settled(isLastQuestion: Bool, isFinal: Bool) -> Likelihood {
        switch self {
        case .maybe: isLastQuestion ? .unprovable : .maybe
        case .body: isFinal ? .unprovable : .body
        case .no, .unprovable, .yes: self
        }
    }

    /// What becomes of two keys that must both hold; the body is asked for first, whatever else is missing.
    func and(_ other: Likelihood) -> Likelihood {
        let order: [Likelihood] = [.no, .body, .maybe, .unprovable]
        return order.first { $0 == self || $0 == other } ?? .yes
    }
}

extension Rule {
    /// Compares the rule with the facts, as far as the original destination goes.
    ///
    /// The addresses about to be dialled are another question, which `names` and `likelihoodWithoutAddress` answer.
    func likelihood(_ facts: Facts, canIntercept: Bool) -> Likelihood {
        addressHolds(facts) ? likelihoodWithoutAddress(facts, canIntercept: canIntercept) : .no
    }

    /// Compares every key but `cidrs`.
    func likelihoodWithoutAddress(_ facts: Facts, canIntercept: Bool) -> Likelihood {
        if let ports, !ports.contains(where: { $0.contains(facts.port) }) { return .no }
        let opening = openingLikelihood(facts, canIntercept: canIntercept)
        guard opening != .no else { return .no }
        switch (circumstances(facts), opening) {
        case (.fail, _): return .no
        case (.hold, _): return opening
        case (.unknown, .maybe): return .maybe
        case (.unknown, .body): return .body
        case (.unknown, .unprovable), (.unknown, .yes), (.unknown, .no): return .unprovable
        }
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

    private func openingLikelihood(_ facts: Facts, canIntercept: Bool) -> Likelihood {
        switch facts.opening {
        case .silent:
            guard let hosts = match.hosts else { return likelihoodOfAnyProtocol(canIntercept: canIntercept) }
            // A name is said in a server name, if in TLS, and never in cleartext HTTP/2.
            guard !hosts.isEmpty, match.sni != .absent, protocols != .h2c else { return .no }
            return likelihoodOfAnyProtocol(canIntercept: canIntercept) == .no ? .no : .maybe
        case .asked:
            return hostHolds(facts) ? likelihoodOfAnyProtocol(canIntercept: canIntercept) : .no
        case .known(let spoken, let name):
            if let protocols, !protocols.contains(ProtocolSet(spoken)) { return .no }
            guard hostHolds(facts) else { return .no }
            if let sni = match.sni, (sni == .present) != (facts.hasServerName ?? (name != nil)) { return .no }
            guard match.looksInside else { return .yes }
            let isReadable = spoken == .http || (spoken == .tls && canIntercept)
            guard isReadable else { return .no }
            let likelihood = requestLikelihood(facts.request)
            // Any request will do, but not what nobody looks into: this rule changes what it lets through.
            let isUnread = spoken == .tls && facts.request == nil && terms.changesHeads
            return isUnread && likelihood == .yes ? .maybe : likelihood
        }
    }

    private func requestLikelihood(_ request: RequestFacts?) -> Likelihood {
        let asked = match.http?.likelihood(request, for: action) ?? .yes
        guard asked != .no, let mcp = match.mcp else { return asked }
        return asked.and(mcp.likelihood(request, for: action))
    }

    /// Where the protocol is not known yet.
    private func likelihoodOfAnyProtocol(canIntercept: Bool) -> Likelihood {
        var possible = protocols ?? .all
        if match.looksInside {
            if match.http?.holdsForNothing ?? false || match.mcp?.holdsForNothing ?? false { return .no }
            possible.formIntersection(canIntercept ? [.http, .tls] : .http)
        }
        if possible.isEmpty { return .no }
        return possible == .all ? .yes : .maybe
    }

    private func hostHolds(_ facts: Facts) -> Bool {
        guard let hosts = match.hosts else { return true }
        guard let name = facts.name else { return false }
        return hostTable?.holds(name) ?? hosts.contains { $0.matches(name) }
    }

    /// What becomes of keys that traffic has no part in.
    private enum Circumstances {
        case hold
        case fail
        /// What would allow does not, and what would deny does.
        case unknown
    }

    private func circumstances(_ facts: Facts) -> Circumstances {
        guard asksForCircumstances else { return .hold }
        let match = match
        let answers: [Bool?] = [
            match.uids.map { uids in isIn(uids, facts.workloadUID) } ?? true,
            match.namespaces.map { isIn($0, facts.workload.namespace) } ?? true,
            match.serviceAccounts.map { isIn($0, facts.workload.serviceAccount) } ?? true,
            match.clientBlocks.map { isWithin($0, facts.clientAddress) } ?? true,
            match.times.map { isWithin($0, facts.now) } ?? true,
        ]
        if answers.contains(false) { return .fail }
        guard answers.contains(nil) else { return .hold }
        return action == .deny ? .unknown : .fail
    }

    /// `nil` where nobody knows.
    private func isIn<Value>(_ values: Set<Value>, _ value: Value?) -> Bool? {
        if values.isEmpty { return false }
        return value.map(values.contains)
    }

    private func isWithin(_ blocks: [CIDR], _ address: IPAddress?) -> Bool? {
        if blocks.isEmpty { return false }
        return address.map { address in blocks.contains { $0.contains(address) } }
    }

    private func isWithin(_ windows: [TimeWindow], _ now: Int64?) -> Bool? {
        if windows.isEmpty { return false }
        return now.map { now in windows.contains { $0.contains(now) } }
    }
}
