import NetworkTypes
import SourceDocuments

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
package struct Policy: Sendable {
    /// One reference, because a policy is handed on with each connection and each request.
    private let content: Content

    private final class Content: Sendable {
        let name: String
        let mode: PolicyMode
        let defaultAction: DefaultAction
        let hash: String
        let rules: [Rule]
        /// Where the names of the rules stand; empty for a policy that was not read from text.
        let locations: [SourceLocation]
        let canIntercept: Bool
        let egress: EgressList
        let compiled: CompiledRules

        init(
            name: String,
            mode: PolicyMode,
            defaultAction: DefaultAction,
            hash: String,
            rules: [Rule],
            locations: [SourceLocation],
            canIntercept: Bool,
            egress: EgressList,
            compiled: CompiledRules
        ) {
            self.name = name
            self.mode = mode
            self.defaultAction = defaultAction
            self.hash = hash
            self.rules = rules
            self.locations = locations
            self.canIntercept = canIntercept
            self.egress = egress
            self.compiled = compiled
        }
    }

    package var name: String { content.name }
    package var mode: PolicyMode { content.mode }
    package var defaultAction: DefaultAction { content.defaultAction }
    /// The SHA-256 of the policy's source, as the caller computed it: `sha256:…`.
    package var hash: String { content.hash }
    /// In the order of the text.
    package var rules: [Rule] { content.rules }
    /// True where TLS can be looked into: an authority that signs for the names of others is configured.
    package var canIntercept: Bool { content.canIntercept }
    /// By which ways goes out what no rule says otherwise of; empty for `direct`.
    package var egress: EgressList { content.egress }
    /// The rules in the form in which they are found.
    var compiled: CompiledRules { content.compiled }

    /// Makes a policy of its rules.
    ///
    /// - Parameters:
    ///   - name: what people call it.
    ///   - mode: whether refusals are carried out.
    ///   - defaultAction: what happens to what no rule matches.
    ///   - hash: the SHA-256 of the source, `sha256:…`.
    ///   - rules: in the order in which they are weighed; no two of the same name.
    ///   - canIntercept: whether TLS can be looked into.
    ///   - egress: by which ways goes out what no rule says otherwise of.
    ///   - leafSize: how many rules are compared one after the other rather than looked up.
    ///   - locations: where their names stand, in the same order.
    package init(
        name: String,
        mode: PolicyMode,
        defaultAction: DefaultAction,
        hash: String,
        rules: [Rule],
        canIntercept: Bool = false,
        egress: EgressList = [],
        leafSize: Int = 4,
        locations: [SourceLocation] = []
    ) {
        content = Content(
            name: name,
            mode: mode,
            defaultAction: defaultAction,
            hash: hash,
            rules: rules,
            locations: locations,
            canIntercept: canIntercept,
            egress: egress,
            compiled: CompiledRules(rules, leafSize: leafSize)
        )
    }

    /// Where the name of a rule stands; `nil` where there is no such rule, or it was not read from text.
    package func location(of name: RuleName) -> SourceLocation? {
        guard let place = compiled.places[name], content.locations.indices.contains(place) else { return nil }
        return content.locations[place]
    }

    /// The header fields that any rule asks for, in lower case, each once: of a request, policy is told these.
    package var askedFields: [String] { compiled.traits.askedFields }
    /// The header fields that rules name in any way; `nil` where they name none.
    package var fieldSpellings: FieldSpellings? { compiled.traits.fieldSpellings }
    /// True where any rule asks for the query of a request.
    package var asksForQuery: Bool { compiled.traits.asksForQuery }
    /// True where any rule asks for the calls in the body of a request: a decision may need them.
    package var asksForCalls: Bool { compiled.traits.asksForCalls }
    /// True where any rule asks for anything of a request: requests that are alike otherwise may be judged differently.
    package var asksForRequests: Bool { compiled.traits.asksForRequests }
    /// True where any rule asks for the time: what is allowed at one moment may not be at another.
    package var hasTimes: Bool { !compiled.traits.timeWindows.isEmpty }
    /// True where whom a connection belongs to makes a difference.
    package var asksForUsers: Bool { compiled.traits.asksForUsers }
    /// The users whom rules ask for, in order.
    package var namedUsers: [UInt32] { compiled.traits.namedUsers }
    /// True where any rule has a `rate` or a `budget`.
    package var hasCounters: Bool { compiled.traits.hasCounters }

    /// True where any rule must have bodies read.
    package var looksAtContent: Bool { compiled.traits.looksAtContent }

    /// By which ways goes out what a rule, or the default, allows; empty for `direct`.
    func egress(of rule: Rule?) -> EgressList { rule?.terms.egress ?? egress }

    /// True where some rule changes the heads of what it lets through.
    package var changesHeads: Bool { compiled.traits.changesHeads }

    /// What the rule says that lets something through; `nil` where none does.
    package func terms(behind decision: Decision) -> (rule: RuleName, terms: RuleTerms)? {
        guard case .rule(let name) = decision.basis, let place = compiled.places[name] else { return nil }
        return (name, rules[place].terms)
    }

    /// True where any rule says `mode: audit`.
    var hasTrials: Bool { compiled.traits.hasTrials }

    /// Judges a connection: the one function behind the data path, the API and `explain`, in both phases.
    ///
    /// Any matching deny wins; otherwise the first matching rule; otherwise the default. What is left is checked against the
    /// addresses, as far as they are known. A silent connection that is allowed must be judged again by `stillAllows` when it
    /// speaks.
    package func decide(_ facts: Facts) -> Decision {
        guard !facts.isOwnListener else { return .refused(.ownListener, port: facts.port) }
        switch mode {
        case .enforce:
            let decision = settle(facts, isStrict: false)
            guard hasTrials, decision.verdict == .allow else { return decision }
            return onTrial(decision, strict: settle(facts, isStrict: true))
        case .audit: return inMode(settle(facts, isStrict: true), facts)
        }
    }

    /// Refuses a connection for a reason that only `mode: enforce` carries out, such as an end of waiting.
    package func refuse(_ facts: Facts, because reason: Reason) -> Decision {
        guard !facts.isOwnListener else { return .refused(.ownListener, port: facts.port) }
        return inMode(.refused(reason, port: facts.port), facts)
    }

    /// Judges; what is left open where nothing more will be known is refused.
    private func settle(_ facts: Facts, isStrict: Bool) -> Decision {
        let judgement = judge(facts, isStrict: isStrict)
        guard facts.isFinal else { return judgement }
        switch judgement.verdict {
        case .allow, .deny: return judgement
        case .undetermined, .needsBody: return .refused(.undetermined, rule: judgement.rule, port: facts.port)
        }
    }

    /// Judges as `mode: enforce` does; with `isStrict`, rules on trial are carried out, too.
    private func judge(_ facts: Facts, isStrict: Bool) -> Decision {
        if isAmbiguous(facts, isStrict: isStrict) { return .refused(.ambiguousPath, port: facts.port) }
        switch facts.request?.calls {
        case .malformed: return judgeWithoutCalls(facts, because: .malformedCall, isStrict: isStrict)
        case .unreadable: return judgeWithoutCalls(facts, because: .unreadableContent, isStrict: isStrict)
        case nil, .calls, .unread: break
        }
        let survey = survey(facts, isStrict: isStrict)
        if let denial = denial(survey, facts) { return denial }
        if let look = lookInside(survey, facts) { return look }
        let isAllowed = survey.allowing != nil || defaultAction == .allow
        guard isAllowed || survey.mayAllowByBody else {
            return survey.mayAllow
                ? .undetermined(port: facts.port) : .refused(.defaultDeny, port: facts.port)
        }
        // The first rule that matches decides, and the body tells which that is.
        if survey.mayAllowByBody { return needsBody(survey, facts) }
        let decision = admit(facts, by: survey.allowing.map { rules[$0] }, isStrict: isStrict)
        switch decision.verdict {
        // A rule that comes first and may yet match would be asked instead of the one whose guard refused.
        case .deny: return survey.mayAllow ? .undetermined(port: facts.port) : decision
        case .allow:
            if let look = lookInside(decision, survey, facts) { return look }
            return survey.denyingByBody == nil ? decision : needsBody(survey, facts)
        case .undetermined, .needsBody: return decision
        }
    }

    private func needsBody(_ survey: Survey, _ facts: Facts) -> Decision {
        .needsBody(for: survey.asking.map { rules[$0].name }, port: facts.port)
    }

    /// Judges a request whose calls could be read in more than one way, or in none: it is refused where the answer depends on
    /// them.
    private func judgeWithoutCalls(_ facts: Facts, because reason: Reason, isStrict: Bool) -> Decision {
        var facts = facts
        facts.request?.calls = nil
        let decision = judge(facts, isStrict: isStrict)
        return decision.verdict == .needsBody
            ? .refused(reason, rule: decision.rule, port: facts.port) : decision
    }

    /// True where a rule could ask for the path, with `isStrict` one on trial, too, and two slashes follow each other in it, which some servers read as one.
    func isAmbiguous(_ facts: Facts, isStrict: Bool) -> Bool {
        (isStrict ? compiled.traits.asksForPaths : compiled.traits.asksForPathsInForce) && canRead(facts)
            && facts.request?.path?.hasEmptySegment ?? false
    }

    /// True where the requests of the connection can be read.
    func canRead(_ facts: Facts) -> Bool {
        facts.isPlainHTTP || (canIntercept && facts.isTLS)
    }

    /// True where no later question will know what this one does not.
    func isLastQuestion(_ facts: Facts) -> Bool {
        switch facts.opening {
        case .known: facts.isFinal || !(canIntercept && facts.isUnreadTLS)
        case .silent, .asked: facts.isFinal
        }
    }

    /// What is done with a connection that is allowed.
    func treatment(of facts: Facts) -> Treatment {
        if facts.isPlainHTTP { return .http }
        return canIntercept && facts.isTLS && facts.request != nil ? .intercept : .tunnel
    }
}

extension Policy: Hashable {
    package static func == (one: Policy, other: Policy) -> Bool {
        one.name == other.name && one.mode == other.mode && one.defaultAction == other.defaultAction
            && one.hash == other.hash && one.canIntercept == other.canIntercept
            && one.egress == other.egress && one.rules == other.rules
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(hash)
        hasher.combine(rules)
    }
}
