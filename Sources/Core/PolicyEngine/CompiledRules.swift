/// The rules of a policy in the form in which they are found; a shared value that never changes.
final class CompiledRules: Sendable {
    let denies: RuleIndex
    let allows: RuleIndex
    /// The denies with `cidrs`, for the addresses about to be dialled.
    let addressDenies: RuleIndex
    /// The places of the same, for addresses that nobody knows.
    let addressDenyPlaces: [Int]
    /// The places of the rules with hosts that allow, by port, for clients that have not said a name.
    let allowsByName: PortTable<[Int]>
    let traits: RuleTraits
    /// The places of all rules by their names.
    let places: [RuleName: Int]

    init(_ rules: [Rule], leafSize: Int) {
        let denying = rules.indices.filter { rules[$0].action == .deny }
        let allowing = rules.indices.filter { rules[$0].action != .deny }
        denies = RuleIndex(rules, denying, leafSize: leafSize)
        allows = RuleIndex(rules, allowing, leafSize: leafSize)
        let naming = denying.filter { rules[$0].match.cidrs != nil }
        addressDenies = RuleIndex(rules, naming, leafSize: leafSize)
        addressDenyPlaces = naming
        let named = allowing.filter { rules[$0].match.hosts != nil }
        allowsByName = PortTable(named.map { (rules[$0].ports, $0) })
        traits = RuleTraits(rules)
        places = Dictionary(rules.indices.map { (rules[$0].name, $0) }) { first, _ in first }
    }
}

/// What rules ask for, as a whole.
struct RuleTraits: Sendable {
    let askedFields: [String]
    let asksForRequests: Bool
    let asksForPaths: Bool
    /// The same without rules on trial.
    let asksForPathsInForce: Bool
    let asksForQuery: Bool
    /// `nil` where no rule asks for methods.
    let methodCases: MethodCases?
    /// The same without rules on trial.
    let methodCasesInForce: MethodCases?
    /// `nil` where no rule names a header field.
    let fieldSpellings: FieldSpellings?
    /// The same without rules on trial.
    let fieldSpellingsInForce: FieldSpellings?
    let asksForCalls: Bool
    /// Whom a connection belongs to makes a difference.
    let asksForUsers: Bool
    /// Those that rules ask for, in order.
    let namedUsers: [UInt32]
    let hasCounters: Bool
    let hasTrials: Bool
    let looksAtContent: Bool
    let changesHeads: Bool
    /// Those of all credentials, each once.
    let placeholders: [Placeholder]
    let timeWindows: Set<TimeWindow>

    init(_ rules: [Rule]) {
        let requests = rules.compactMap(\.match.http)
        askedFields = Set(requests.flatMap { $0.fields ?? [] }.map(\.name)).sorted()
        asksForRequests = rules.contains(where: \.match.looksInside)
        asksForPaths = requests.contains { $0.paths != nil }
        asksForPathsInForce = rules.contains { $0.match.http?.paths != nil && !$0.terms.isOnTrial }
        asksForQuery = requests.contains { $0.query != nil }
        methodCases = MethodCases(rules)
        methodCasesInForce = MethodCases(rules.lazy.filter { !$0.terms.isOnTrial })
        fieldSpellings = FieldSpellings(rules)
        fieldSpellingsInForce = FieldSpellings(rules.lazy.filter { !$0.terms.isOnTrial })
        asksForCalls = rules.contains { $0.match.mcp != nil }
        hasCounters = rules.contains { $0.terms.rate != nil || $0.terms.budget != nil }
        asksForUsers = hasCounters || rules.contains { $0.match.uids != nil }
        namedUsers = Set(rules.flatMap { $0.match.uids ?? [] }).sorted()
        hasTrials = rules.contains(where: \.terms.isOnTrial)
        looksAtContent = rules.contains(where: \.terms.looksAtContent)
        changesHeads = rules.contains(where: \.terms.changesHeads)
        placeholders = Set(rules.flatMap { $0.terms.credentials.map(\.placeholder) }).sorted { $0.text < $1.text }
        timeWindows = Set(rules.flatMap { $0.match.times ?? [] })
    }
}
