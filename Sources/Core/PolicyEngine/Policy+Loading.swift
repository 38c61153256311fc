import NetworkTypes
import SourceDocuments

extension Policy {
    /// Makes a policy of its documents: those of one file, or of every file of a directory in the order of their names.
    ///
    /// The rules are taken one after the other; the policy has the first document's name. Documents that say `mode` or
    /// `default` must say the same; where none does, they are `enforce` and `deny`.
    ///
    /// - Parameters:
    ///   - documents: what the reader made of the files.
    ///   - file: what a message calls the source where it holds no document.
    ///   - hash: the SHA-256 of the source, `sha256:…`.
    ///   - canIntercept: whether an authority for interception is configured.
    ///   - secrets: those that are configured, and where they may go; `nil` where nobody knows, and every name is taken.
    ///   - egress: the ways out that are configured beside `direct`; `nil` where nobody knows, and every name is taken.
    /// - Returns: the policy, and what is right but probably not meant.
    /// - Throws: everything that is wrong with the documents, in the order of the text.
    package static func load(
        _ documents: [SourceNode],
        of file: String = "policy",
        hash: String,
        canIntercept: Bool = false,
        secrets: [SecretName: SecretScope]? = nil,
        egress: [EgressName: EgressKind]? = nil
    ) throws(SourceProblems) -> (policy: Policy, warnings: [SourceProblem]) {
        try load(
            documents.map { PolicyDocument($0) },
            of: file,
            hash: hash,
            canIntercept: canIntercept,
            secrets: secrets,
            egress: egress
        )
    }

    /// Makes a policy of its documents, those that others extend in front of them.
    ///
    /// The policy has the name of the first document that is not there for another's sake.
    package static func load(
        _ documents: [PolicyDocument],
        of file: String = "policy",
        hash: String,
        canIntercept: Bool = false,
        secrets: [SecretName: SecretScope]? = nil,
        egress: [EgressName: EgressKind]? = nil
    ) throws(SourceProblems) -> (policy: Policy, warnings: [SourceProblem]) {
        var problems: [SourceProblem] = []
        let limits = LoadingLimits(canIntercept: canIntercept, secrets: secrets, egress: egress)
        let fragments = documents.compactMap { PolicyFragment.read($0.node, limits, noting: &problems) }
        if documents.isEmpty {
            let place = SourceLocation(file: file, line: 1, column: 1)
            problems.append(SourceProblem("no document was found, expected a policy", at: place))
        }
        let mode = agreed("mode", fragments.compactMap(\.mode), noting: &problems) { $0.rawValue }
        let defaultAction = agreed("default", fragments.compactMap(\.defaultAction), noting: &problems) { $0.rawValue }
        let ways = agreed("egress", fragments.compactMap(\.egress), noting: &problems) { words($0) } ?? []
        let rules = fragments.flatMap(\.rules)
        noteRepeatedNames(rules, in: &problems)
        if canIntercept { noteTunnelsInTheWay(rules, in: &problems) }
        noteUnseenAddresses(rules, ways, defaultAction ?? .deny, in: &problems)
        // Every document has a fragment where nothing is wrong.
        let own = zip(documents, fragments).first { !$0.0.isExtended }?.1 ?? fragments.first
        guard problems.isEmpty, let own else { throw SourceProblems(inOrder: problems) }
        let policy = Policy(
            name: own.name,
            mode: mode ?? .enforce,
            defaultAction: defaultAction ?? .deny,
            hash: hash,
            rules: rules.map(\.rule),
            canIntercept: canIntercept,
            egress: ways,
            locations: rules.map(\.nameLocation)
        )
        return (policy, policy.warnings(about: rules))
    }

    /// The value that every document which says one says.
    private static func agreed<Value: Equatable>(
        _ key: String,
        _ said: [Located<Value>],
        noting problems: inout [SourceProblem],
        _ word: (Value) -> String
    ) -> Value? {
        guard let first = said.first else { return nil }
        for other in said.dropFirst() where other.value != first.value {
            problems.append(
                SourceProblem(
                    "`\(key)` is `\(word(other.value))` here and `\(word(first.value))` at \(first.location)",
                    at: other.location,
                    remedy: "say it once"
                )
            )
        }
        return first.value
    }

    /// Ways out as a message names them.
    private static func words(_ ways: EgressList) -> String { ways.meant.texts.joined(separator: ", ") }

    private static func noteRepeatedNames(_ rules: [LocatedRule], in problems: inout [SourceProblem]) {
        var places: [RuleName: SourceLocation] = [:]
        for rule in rules {
            if let first = places[rule.rule.name] {
                problems.append(
                    SourceProblem(
                        "the rule name `\(rule.rule.name)` is taken, first at \(first)",
                        at: rule.nameLocation,
                        remedy: "give the rule a name of its own: records know it by that"
                    )
                )
            } else {
                places[rule.rule.name] = rule.nameLocation
            }
        }
    }
}

/// A value and where it stands.
struct Located<Value> {
    var value: Value
    var location: SourceLocation
}

extension Located: Sendable where Value: Sendable {}
