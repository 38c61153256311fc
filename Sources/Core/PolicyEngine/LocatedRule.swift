import NetworkTypes
import SourceDocuments

/// A rule and the places that a message about it names.
struct LocatedRule {
    var rule: Rule
    var nameLocation: SourceLocation
    var matchLocation: SourceLocation

    /// Reads one item of `rules`; `nil` where its name or its action is wrong.
    static func read(_ reader: inout MappingReader) -> LocatedRule? {
        let name = reader.value("name", .required, ruleName)
        let match = reader.mapping("match", .required, RuleMatch.read)
        let action = reader.value("action", .required, ruleAction)
        for key in ["except_tunnels", "mode", "time", "rate", "budget"] { reader.notYet(key) }
        guard let name, let action else { return nil }
        return LocatedRule(
            rule: Rule(name, action, match ?? RuleMatch()),
            nameLocation: reader.location(of: "name"),
            matchLocation: reader.location(of: "match")
        )
    }

    private static func ruleName(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> RuleName {
        let text = try node.string(subject)
        if let name = RuleName(text) { return name }
        throw SourceProblem(
            "\(subject) is no rule name",
            at: node.location,
            remedy: "write at most 128 printable ASCII characters"
        )
    }

    private static func ruleAction(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> RuleAction {
        if node.content == .string("inspect") {
            throw SourceProblem("the action `inspect` is not supported yet", at: node.location)
        }
        return try node.choice(subject, of: RuleAction.self)
    }
}

extension RuleMatch {
    /// Reads a `match`.
    static func read(_ reader: inout MappingReader) -> RuleMatch? {
        var match = RuleMatch()
        match.hosts = reader.list("hosts", of: "host names", readHostPattern)
        match.cidrs = reader.list("cidrs", of: "address blocks", readCIDR)
        match.ports = reader.list("ports", of: "ports", readPorts)
        match.protocols = reader.list("protocols", of: "protocols", readProtocol).map(Set.init)
        match.uids = reader.mapping("workload", .optional, readUIDs)
        match.http = reader.mapping("http", .optional, RequestMatch.read)
        refuseWhatNeedsInterception(match, &reader)
        for key in ["sni", "alpn", "time", "rate", "budget"] { reader.notYet(key) }
        // Judged by what the text says: a key that is wrong, unknown or not supported has its own problem.
        if reader.isEmpty {
            reader.note(
                SourceProblem(
                    "`match` is an empty mapping, which would match every connection",
                    at: reader.location,
                    remedy: "name what it matches, or use `default`"
                )
            )
        }
        return match
    }

    /// Requests within TLS, cleartext HTTP/2 or an unknown protocol cannot be read, and a rule about them would not fire.
    private static func refuseWhatNeedsInterception(_ match: RuleMatch, _ reader: inout MappingReader) {
        // A list of protocols that is wrong has its own problem.
        let isReadable = match.protocols?.isSubset(of: [.http]) ?? reader.has("protocols")
        guard match.http != nil, !isReadable else { return }
        reader.note(
            SourceProblem(
                "`http` could meet TLS here, and to look inside needs interception, which is not configured",
                at: reader.keyLocation(of: "http"),
                remedy: "say `protocols: [http]`"
            )
        )
    }

    private static func readProtocol(
        _ node: SourceNode,
        _ subject: String
    ) throws(SourceProblem) -> ApplicationProtocol {
        try node.choice(subject, of: ApplicationProtocol.self)
    }

    private static func readUIDs(_ reader: inout MappingReader) -> Set<UInt32>? {
        for key in ["namespaces", "service_accounts"] { reader.notYet(key) }
        // The highest number means "no user" to the kernel.
        let uids = reader.integers("uids", reader.isEmpty ? .required : .optional, in: 0...4_294_967_294)
        return Set((uids ?? []).map { UInt32(clamping: $0) })
    }
}
