import NetworkTypes

/// What is found in comparing rules with facts, in whatever order they come; rules are named by their places.
struct Survey {
    /// Servers may take the method of the request for another one.
    fileprivate(set) var hasAmbiguousMethod = false
    /// Servers may take a field of the request for another one.
    fileprivate(set) var hasAmbiguousField = false
    /// The first deny that is sure.
    private(set) var sureDeny: Int?
    /// The first deny that cannot be disproved.
    private(set) var unprovableDeny: Int?
    /// A deny may match, once somebody looks inside.
    private(set) var mayDeny = false
    /// The same, and it does not except tunnels.
    private(set) var mayDenyTunnel = false
    /// The first deny that matches if the body of the request calls what it asks for.
    private(set) var denyingByBody: Int?
    /// The first rule that allows.
    private(set) var allowing: Int?
    /// The first rule that may allow.
    private(set) var maybeAllowing: Int?
    /// The first rule that allows if the body of the request calls what it asks for.
    private(set) var allowingByBody: Int?

    /// True where a rule before the one that allows may allow, too.
    var mayAllow: Bool {
        maybeAllowing.map { $0 < allowing ?? .max } ?? false
    }

    /// True where a rule before the one that allows may do so by the body.
    var mayAllowByBody: Bool {
        allowingByBody.map { $0 < allowing ?? .max } ?? false
    }

    /// The first rule for whose sake the body is read.
    var asking: Int? {
        let allowing = mayAllowByBody ? allowingByBody : nil
        return [denyingByBody, allowing].compactMap(\.self).min()
    }

    mutating func note(deny place: Int, _ likelihood: Likelihood) {
        switch likelihood {
        case .no, .maybe: return
        case .body: denyingByBody = min(denyingByBody ?? .max, place)
        case .unprovable: unprovableDeny = min(unprovableDeny ?? .max, place)
        case .yes: sureDeny = min(sureDeny ?? .max, place)
        }
    }

    mutating func note(possibleDenyExceptingTunnels exceptsTunnels: Bool) {
        mayDeny = true
        mayDenyTunnel = mayDenyTunnel || !exceptsTunnels
    }

    mutating func note(allow place: Int, _ likelihood: Likelihood) {
        switch likelihood {
        case .no, .unprovable: return
        case .maybe: maybeAllowing = min(maybeAllowing ?? .max, place)
        case .body: allowingByBody = min(allowingByBody ?? .max, place)
        case .yes: allowing = min(allowing ?? .max, place)
        }
    }
}

extension Policy {
    /// Compares the rules with the facts, as far as the original destination goes.
    func survey(_ facts: Facts, isStrict: Bool) -> Survey {
        var survey = Survey()
        survey.hasAmbiguousMethod = hasAmbiguousMethod(facts, isStrict: isStrict)
        guard !survey.hasAmbiguousMethod else { return survey }
        survey.hasAmbiguousField = hasAmbiguousField(facts, isStrict: isStrict)
        guard !survey.hasAmbiguousField else { return survey }
        surveyDenies(facts, isStrict: isStrict, &survey)
        guard survey.sureDeny == nil else { return survey }
        for place in compiled.allows.places(Probe(facts, of: .allow)) {
            // What stands behind one that allows changes nothing.
            guard place < survey.allowing ?? .max else { continue }
            survey.note(allow: place, rules[place].likelihood(facts, canIntercept: canIntercept))
        }
        surveySilence(facts, &survey)
        return survey
    }

    /// True where a rule could ask for the method, with `isStrict` one on trial, too, and servers may take it for another one.
    private func hasAmbiguousMethod(_ facts: Facts, isStrict: Bool) -> Bool {
        guard let cases = isStrict ? compiled.traits.methodCases : compiled.traits.methodCasesInForce, canRead(facts),
            let method = facts.request?.method
        else { return false }
        return cases.isAmbiguous(method)
    }

    /// True where a rule, with `isStrict` one on trial, too, names a field that servers may take another one for.
    private func hasAmbiguousField(_ facts: Facts, isStrict: Bool) -> Bool {
        guard let lookalikes = facts.request?.fields?.lookalikes, !lookalikes.isEmpty, canRead(facts),
            let spellings = isStrict ? compiled.traits.fieldSpellings : compiled.traits.fieldSpellingsInForce
        else { return false }
        return lookalikes.contains { spellings.isLookalike(Array($0.utf8).span) }
    }

    /// The denial that a survey found: of a method or a field that is another one to some servers; of the first deny that is sure; else of
    /// the first that cannot be disproved.
    func denial(_ survey: Survey, _ facts: Facts) -> Decision? {
        if survey.hasAmbiguousMethod { return .refused(.ambiguousMethod, port: facts.port) }
        if survey.hasAmbiguousField { return .refused(.ambiguousField, port: facts.port) }
        if let place = survey.sureDeny { return .refused(.ruleDeny, rule: rules[place].name, port: facts.port) }
        return survey.unprovableDeny.map { unproved(rules[$0], facts) }
    }

    /// The denial of a deny that cannot be disproved.
    func unproved(_ rule: Rule, _ facts: Facts) -> Decision {
        let isForItsQuery =
            canRead(facts) && rule.match.http?.likelihood(facts.request, for: .deny) == .unprovable
        return .refused(isForItsQuery ? .ambiguousQuery : .undetermined, rule: rule.name, port: facts.port)
    }

    private func surveyDenies(_ facts: Facts, isStrict: Bool, _ survey: inout Survey) {
        let isLast = isLastQuestion(facts)
        let isUnread = canIntercept && facts.isUnreadTLS
        for place in compiled.denies.places(Probe(facts, of: .deny, isLastQuestion: isLast)) {
            let likelihood = rules[place].likelihood(facts, canIntercept: canIntercept)
            if isUnread, likelihood == .maybe {
                survey.note(possibleDenyExceptingTunnels: rules[place].terms.exceptsTunnels)
            }
            guard isStrict || !rules[place].terms.isOnTrial else { continue }
            survey.note(deny: place, likelihood.settled(isLastQuestion: isLast, isFinal: facts.isFinal))
        }
    }

    /// While a client is silent, every rule with hosts may yet allow; the first is what counts.
    private func surveySilence(_ facts: Facts, _ survey: inout Survey) {
        guard facts.opening == .silent else { return }
        var lists: [[Int]] = []
        compiled.allowsByName.collect(facts.port, into: &lists)
        for places in lists {
            for place in places {
                guard place < min(survey.allowing ?? .max, survey.maybeAllowing ?? .max) else { break }
                guard rules[place].likelihood(facts, canIntercept: canIntercept) == .maybe else { continue }
                survey.note(allow: place, .maybe)
                break
            }
        }
    }

    /// The answer for TLS that nobody has looked into and that must be: its requests are judged one by one.
    ///
    /// `nil` where a tunnel can enforce every rule that might apply, and for what is no such connection.
    func lookInside(_ survey: Survey, _ facts: Facts) -> Decision? {
        guard canIntercept, facts.isUnreadTLS, !facts.isFinal else { return nil }
        if survey.mayAllow, let place = survey.maybeAllowing { return look(for: rules[place].name, facts) }
        guard let place = survey.allowing else {
            return defaultAction == .allow && survey.mayDeny ? look(for: nil, facts) : nil
        }
        let isNeeded =
            switch rules[place].action {
            case .inspect: true
            case .tunnel: survey.mayDenyTunnel
            case .allow, .deny: survey.mayDeny || rules[place].terms.looksAtContent
            }
        return isNeeded ? look(for: rules[place].name, facts) : nil
    }

    /// The same where what is to be dialled is known: a deny that names one of these addresses may match inside.
    func lookInside(_ decision: Decision, _ survey: Survey, _ facts: Facts) -> Decision? {
        guard canIntercept, facts.isUnreadTLS, !facts.isFinal, let addresses = decision.addresses else { return nil }
        var survey = survey
        for address in addresses {
            let probe = Probe(facts, of: .deny, isLastQuestion: false, address: address.socket.address)
            for place in compiled.addressDenies.places(probe) where rules[place].names(address.socket.address) {
                guard rules[place].likelihoodWithoutAddress(facts, canIntercept: true) == .maybe else { continue }
                survey.note(possibleDenyExceptingTunnels: rules[place].terms.exceptsTunnels)
            }
        }
        return lookInside(survey, facts)
    }

    private func look(for rule: RuleName?, _ facts: Facts) -> Decision {
        .perRequest(port: facts.port, rule: rule, treatment: .intercept)
    }
}
