import NetworkTypes

/// Whether a policy's refusals are carried out.
package enum PolicyMode: String, Hashable, Sendable, CaseIterable {
    case enforce
    /// What would be refused is let through to its original destination and recorded.
    case audit
}

/// What happens to what no rule matches.
package enum DefaultAction: String, Hashable, Sendable, CaseIterable {
    case allow
    case deny
}

/// A policy as it was loaded: an immutable value, replaced as a whole.
package struct Policy: Hashable, Sendable {
    package let name: String
    package let mode: PolicyMode
    package let defaultAction: DefaultAction
    /// The SHA-256 of the policy's source, as the caller computed it: `sha256:…`.
    package let hash: String
    /// In the order of the text.
    package let rules: [Rule]
    /// The header fields that any rule asks for, in lower case, each once: of a request, policy is told these.
    package let askedFields: [String]
    /// True where any rule asks for paths.
    let asksForPaths: Bool

    package init(name: String, mode: PolicyMode, defaultAction: DefaultAction, hash: String, rules: [Rule]) {
        self.name = name
        self.mode = mode
        self.defaultAction = defaultAction
        self.hash = hash
        self.rules = rules
        let requests = rules.compactMap(\.match.http)
        askedFields = Set(requests.flatMap { $0.fields ?? [] }.map(\.name)).sorted()
        asksForPaths = requests.contains { $0.paths != nil }
    }

    /// Judges a connection: the one function behind the data path, the API and `explain`, in both phases.
    ///
    /// Any matching deny wins; otherwise the first matching rule; otherwise the default. What is left is checked against the
    /// addresses, as far as they are known. A silent connection that is allowed must be judged again by `stillAllows` when it
    /// speaks.
    package func decide(_ facts: Facts) -> Decision {
        guard !facts.isOwnListener else { return .refused(.ownListener, port: facts.port) }
        let judgement = judge(facts)
        let isLeftOpen = judgement.verdict == .undetermined && facts.isFinal
        return inMode(isLeftOpen ? .refused(.undetermined, port: facts.port) : judgement, facts)
    }

    /// Refuses a connection for a reason that only `mode: enforce` carries out, such as an end of waiting.
    package func refuse(_ facts: Facts, because reason: Reason) -> Decision {
        guard !facts.isOwnListener else { return .refused(.ownListener, port: facts.port) }
        return inMode(.refused(reason, port: facts.port), facts)
    }

    /// Judges as `mode: enforce` does.
    private func judge(_ facts: Facts) -> Decision {
        if isAmbiguous(facts) { return .refused(.ambiguousPath, port: facts.port) }
        let survey = survey(facts)
        if let denial = survey.denial { return denial }
        let isAllowed = survey.allowing != nil || defaultAction == .allow
        guard isAllowed else {
            return survey.mayAllow
                ? .undetermined(port: facts.port) : .refused(.defaultDeny, port: facts.port)
        }
        let decision = admit(facts, by: survey.allowing.map { rules[$0] })
        // A rule that comes first and may yet match would be asked instead of the one whose guard refused.
        return decision.verdict == .deny && survey.mayAllow ? .undetermined(port: facts.port) : decision
    }

    /// True where a rule could ask for the path and two slashes follow each other in it, which some servers read as one.
    func isAmbiguous(_ facts: Facts) -> Bool {
        asksForPaths && facts.isPlainHTTP && facts.request?.path?.hasEmptySegment ?? false
    }

    /// What one pass over the rules finds.
    struct Survey {
        /// The denial of the first deny that is sure; else of the first that is not.
        var denial: Decision?
        /// The index of the first rule that allows.
        var allowing: Int?
        /// True where a rule before it may allow, too.
        var mayAllow = false
    }

    /// Compares the rules with the facts, as far as the original destination goes.
    func survey(_ facts: Facts) -> Survey {
        var survey = Survey()
        // By index: a copy of each rule would cost more than the comparison.
        for index in rules.indices {
            switch rules[index].action {
            case .deny:
                switch rules[index].likelihood(facts).settled(for: facts) {
                case .no, .maybe: continue
                case .unprovable:
                    survey.denial = survey.denial ?? .refused(.undetermined, rule: rules[index].name, port: facts.port)
                case .yes:
                    survey.denial = .refused(.ruleDeny, rule: rules[index].name, port: facts.port)
                    return survey
                }
            case .allow, .tunnel:
                guard survey.allowing == nil else { continue }
                switch rules[index].likelihood(facts) {
                case .no, .unprovable: continue
                case .maybe: survey.mayAllow = true
                case .yes: survey.allowing = index
                }
            }
        }
        return survey
    }
}
