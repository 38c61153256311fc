import NetworkTypes
import SourceDocuments

/// What a policy may ask for where it is loaded.
struct LoadingLimits {
    /// True where TLS can be looked into.
    var canIntercept: Bool
    /// The secrets that are configured; `nil` where nobody knows.
    var secrets: [SecretName: SecretScope]?
    /// The ways out that are configured, `direct` not among them; `nil` where nobody knows.
    var egress: [EgressName: EgressKind]?
}

/// A rule and the places that a message about it names.
struct LocatedRule {
    var rule: Rule
    var nameLocation: SourceLocation
    var matchLocation: SourceLocation
    /// Where the items of `hosts` and `cidrs` stand; their order is that of the items.
    var itemLocations: ItemLocations
    /// What the match says that is right but probably not meant.
    var doubts: [SourceProblem]

    /// Reads one item of `rules`; `nil` where its name or its action is wrong.
    static func read(_ reader: inout MappingReader, _ limits: LoadingLimits) -> LocatedRule? {
        let name = reader.value("name", .required, ruleName)
        var items = ItemLocations()
        var doubts: [SourceProblem] = []
        var match = reader.mapping("match", .required) { RuleMatch.read(&$0, limits, &items, doubting: &doubts) }
        let action = reader.value("action", .required) { node, subject throws(SourceProblem) in
            try ruleAction(node, subject, limits)
        }
        let terms = RuleTerms.read(&reader, action, match, limits)
        reader.refuseMisplaced(["time", "http", "mcp", "workload"], remedy: "write it under `match`")
        guard let name, let action else { return nil }
        if terms.limits != nil, action != .deny { refuseUnseenContent(action, match, limits, &reader) }
        if let match { refuseContradictions(action, match, limits, &reader) }
        // What is to be changed has to be read: any request, where the match asks for none.
        if terms.changesHeads, match?.http == nil { match?.http = RequestMatch() }
        return LocatedRule(
            rule: Rule(name, action, match ?? RuleMatch(), terms),
            nameLocation: reader.location(of: "name"),
            matchLocation: reader.location(of: "match"),
            itemLocations: items,
            doubts: doubts
        )
    }

    private static func ruleName(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> RuleName {
        let text = try node.string(subject)
        guard text != "none" else {
            throw SourceProblem(
                "\(subject) is `none`, which stands for no rule in cases and in what `explain` says",
                at: node.location,
                remedy: "give the rule another name"
            )
        }
        if let name = RuleName(text) { return name }
        throw SourceProblem(
            "\(subject) is no rule name",
            at: node.location,
            remedy: "write at most 128 printable ASCII characters"
        )
    }

    private static func ruleAction(
        _ node: SourceNode,
        _ subject: String,
        _ limits: LoadingLimits
    ) throws(SourceProblem) -> RuleAction {
        let action = try node.choice(subject, of: RuleAction.self, synonyms: synonymsOfActions)
        guard action != .inspect || limits.canIntercept else {
            throw SourceProblem(
                "the action `inspect` needs interception, which is not configured",
                at: node.location,
                remedy: "write `allow`"
            )
        }
        return action
    }

    /// Bodies have limits only where they are read: in plain HTTP, and in TLS that is looked into.
    private static func refuseUnseenContent(
        _ action: RuleAction,
        _ match: RuleMatch?,
        _ limits: LoadingLimits,
        _ reader: inout MappingReader
    ) {
        guard match != nil else { return }
        let readable: Set<ApplicationProtocol> = limits.canIntercept && action != .tunnel ? [.tls, .http] : [.http]
        if let protocols = match?.protocols, protocols.isSubset(of: readable) { return }
        reader.note(
            SourceProblem(
                "`limits` is about bodies, and what this rule matches may be carried unread",
                at: reader.keyLocation(of: "limits"),
                remedy: limits.canIntercept && action != .tunnel
                    ? "say `protocols: [tls, http]`" : "say `protocols: [http]`"
            )
        )
    }

    /// What the action and the match do not say together.
    private static func refuseContradictions(
        _ action: RuleAction,
        _ match: RuleMatch,
        _ limits: LoadingLimits,
        _ reader: inout MappingReader
    ) {
        if action == .inspect, let blind = match.protocols?.subtracting([.tls, .http]), !blind.isEmpty {
            reader.note(
                SourceProblem(
                    "`inspect` cannot look into \(words(blind))",
                    at: reader.location(of: "action"),
                    remedy: "name `tls` and `http` alone under `protocols`"
                )
            )
        }
        guard action == .tunnel, let key = match.keyLookingInside, match.protocols?.isSubset(of: [.http]) != true else {
            return
        }
        // Without interception, the key has its own problem.
        guard limits.canIntercept else { return }
        reader.note(
            SourceProblem(
                "`tunnel` never looks inside TLS, and `\(key)` asks what is inside",
                at: reader.location(of: "action"),
                remedy: "write `allow`, or leave out `\(key)`"
            )
        )
    }
}

/// What other products call it.
private let synonymsOfActions = [
    "block": "deny", "drop": "deny", "reject": "deny", "accept": "allow", "permit": "allow", "pass": "allow",
    "intercept": "inspect",
]

/// Protocols by name, for a message.
func words(_ protocols: Set<ApplicationProtocol>) -> String {
    ApplicationProtocol.allCases.filter(protocols.contains).map { "`\($0.rawValue)`" }.joined(separator: " and ")
}

/// Where the items of the lists of a match stand.
struct ItemLocations {
    var hosts: [SourceLocation] = []
    var cidrs: [SourceLocation] = []
}

extension MappingReader {
    /// Refuses keys of the language that stand in the wrong place.
    mutating func refuseMisplaced(_ keys: [String], remedy: String) {
        for key in keys where has(key) {
            dismiss(key)
            note(SourceProblem("`\(key)` does not belong here", at: keyLocation(of: key), remedy: remedy))
        }
    }

    /// Refuses a mapping that is there and asks for nothing.
    mutating func refuseEmpty(_ key: String, wouldMatch everything: String, remedy: String) {
        guard isEmpty else { return }
        note(
            SourceProblem(
                "`\(key)` is an empty mapping, which would match \(everything)",
                at: location,
                remedy: remedy
            )
        )
    }
}
