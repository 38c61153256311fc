import NetworkTypes
import SourceDocuments

extension Policy {
    /// How many rules are compared with one: beyond that, the check of rules that ask for much the same gives up.
    private static let comparisons = 256

    /// Says where a rule, or one of its hosts or blocks, never decides anything, and which rules decide instead.
    func reachabilityWarnings(
        _ located: LocatedRule,
        at place: Int,
        among rules: [LocatedRule]
    ) -> [SourceProblem] {
        let parts = located.parts
        let hidings = parts.map { hiding(of: $0.rule, at: place) }
        let found = hidings.compactMap(\.self)
        if found.count == parts.count, let first = found.first {
            return [unreachable(located, hiddenBy: first, and: found.first { $0 != first }, rules)]
        }
        guard located.rule.action != .deny else { return [] }
        return zip(parts, hidings).compactMap { part, hiding in
            guard let hiding, rules[hiding].rule.action == .deny else { return nil }
            return SourceProblem(
                "`\(part.text)` is never allowed here: \(description(of: hiding, rules)) matches all of it and more",
                at: part.location,
                remedy: "narrow the deny, or remove the item"
            )
        }
    }

    private func unreachable(
        _ located: LocatedRule,
        hiddenBy one: Int,
        and other: Int?,
        _ rules: [LocatedRule]
    ) -> SourceProblem {
        let isSame = rules[one].rule.match == located.rule.match
        let what = isSame ? "matches the same" : "matches all of it and more"
        let isWiderDeny = !isSame && rules[one].rule.action == .deny && located.rule.action != .deny
        let who = other.map { "`\(rules[one].rule.name)` and `\(rules[$0].rule.name)` together match all of it" }
        return SourceProblem(
            "the rule is never reached: "
                + (who ?? (isWiderDeny ? description(of: one, rules) : "`\(rules[one].rule.name)`") + " \(what)"),
            at: located.matchLocation,
            remedy: isWiderDeny ? "narrow the deny, or remove this rule" : "remove one of them"
        )
    }

    private func description(of place: Int, _ rules: [LocatedRule]) -> String {
        "the \(rules[place].rule.action.rawValue) `\(rules[place].rule.name)` at \(rules[place].nameLocation)"
    }

    /// The place of a rule that decides whatever this one could: a deny wherever it stands, or an earlier rule of its kind.
    private func hiding(of rule: Rule, at place: Int) -> Int? {
        let probe = Probe(everythingOf: rule)
        let isDeny = rule.action == .deny
        let denies = compiled.denies.places(probe).lazy.filter { (!isDeny || $0 < place) && !rules[$0].terms.isOnTrial }
        if let deny = hiding(rule, among: denies) { return deny }
        guard !isDeny else { return nil }
        return hiding(rule, among: compiled.allows.places(probe).lazy.filter { $0 < place })
    }

    /// True where a deny refuses all that a rule allows within a block, whatever names are asked for there.
    func isDenied(_ rule: Rule, within block: CIDR) -> Bool {
        var match = rule.match
        match.hosts = nil
        match.cidrs = [block]
        match.ports = rule.ports
        let part = Rule(rule.name, rule.action, match, rule.terms)
        let denies = compiled.denies.places(Probe(everythingOf: part)).lazy.filter { !rules[$0].terms.isOnTrial }
        return hiding(part, among: denies) != nil
    }

    private func hiding(_ rule: Rule, among places: some Sequence<Int>) -> Int? {
        places.prefix(Self.comparisons).first { rules[$0].covers(rule, canIntercept: canIntercept) }
    }
}

extension LocatedRule {
    /// One of the hosts of a rule, or of its blocks, as a rule of its own.
    struct Part {
        var rule: Rule
        var text: String
        var location: SourceLocation
    }

    /// The rule by its hosts, or else by its blocks; as a whole where it has neither.
    var parts: [Part] {
        if let hosts = rule.match.hosts {
            return zip(hosts, itemLocations.hosts).map { host, location in
                Part(rule: narrowed { $0.hosts = [host] }, text: host.description, location: location)
            }
        }
        if let cidrs = rule.match.cidrs {
            return zip(cidrs, itemLocations.cidrs).map { block, location in
                Part(rule: narrowed { $0.cidrs = [block] }, text: block.description, location: location)
            }
        }
        return [Part(rule: rule, text: rule.name.text, location: matchLocation)]
    }

    private func narrowed(_ change: (inout RuleMatch) -> Void) -> Rule {
        var match = rule.match
        change(&match)
        return Rule(rule.name, rule.action, match, rule.terms)
    }
}

extension Probe {
    /// Asks for the rules that may cover a rule of one host, or of one block.
    init(everythingOf rule: Rule) {
        host =
            switch rule.match.hosts?.first {
            case .exact(let name)?: .name(name)
            // Whatever covers all names below covers this one.
            case .below(let parent)?: (try? HostName("x.\(parent)")).map(Probe.Host.name) ?? .none
            case nil: .none
            }
        let blocks = rule.match.hosts == nil || rule.action == .deny ? rule.match.cidrs : nil
        address = blocks?.first?.base
        port = rule.ports?.first?.lowerBound ?? 1
        user = rule.match.uids?.first.map(User.user) ?? .none
        path = if case .exact(let exact)? = rule.match.http?.paths?.first { exact.text } else { "" }
    }
}
