import NetworkTypes
import SourceDocuments

extension Policy {
    /// What is right but probably not meant, in the order of the text.
    static func warnings(about rules: [LocatedRule]) -> [SourceProblem] {
        var warnings: [SourceProblem] = []
        for (index, rule) in rules.enumerated() {
            if let key = emptyKey(rule.rule.match) {
                warnings.append(
                    SourceProblem("`\(key)` is an empty list: the rule matches nothing", at: rule.matchLocation)
                )
            } else if let earlier = rules[..<index].first(where: { hides($0.rule, rule.rule) }) {
                warnings.append(
                    SourceProblem(
                        "the rule is never reached: `\(earlier.rule.name)` matches "
                            + (earlier.rule.match == rule.rule.match ? "the same" : "all of it and more"),
                        at: rule.matchLocation,
                        remedy: "remove one of them"
                    )
                )
            }
            warnings += metadataWarnings(rule)
        }
        return warnings.inOrderOfText
    }

    private static func emptyKey(_ match: RuleMatch) -> String? {
        if match.hosts?.isEmpty ?? false { return "hosts" }
        if match.cidrs?.isEmpty ?? false { return "cidrs" }
        if match.ports?.isEmpty ?? false { return "ports" }
        if match.protocols?.isEmpty ?? false { return "protocols" }
        if match.uids?.isEmpty ?? false { return "workload.uids" }
        return match.http.flatMap(emptyKey)
    }

    private static func emptyKey(_ match: RequestMatch) -> String? {
        if match.methods?.isEmpty ?? false { return "http.methods" }
        if match.paths?.isEmpty ?? false { return "http.paths" }
        return match.fields?.first { $0.values?.isEmpty ?? false }.map { "http.headers.\($0.name)" }
    }

    private static func hides(_ earlier: Rule, _ later: Rule) -> Bool {
        // What asks less of a connection, or nothing of its requests, matches those of the later rule, too.
        var asked = later.match
        if earlier.match.http == nil { asked.http = nil }
        if earlier.match.protocols == nil { asked.protocols = nil }
        guard earlier.match == asked else { return false }
        return earlier.action == .deny || later.action != .deny
    }

    /// A block so wide that it lets the agent reach the cloud's credentials.
    ///
    /// The addresses themselves are probed, so that a block written in halves is found like a whole one.
    private static func metadataWarnings(_ rule: LocatedRule) -> [SourceProblem] {
        guard rule.rule.action != .deny, let cidrs = rule.rule.match.cidrs else { return [] }
        return cidrs.compactMap { block in
            guard let probe = metadataProbes.first(where: { block.contains($0) && block != CIDR(single: $0) }) else {
                return nil
            }
            return SourceProblem(
                "the block \(block) lets the agent reach the cloud metadata service at \(probe)",
                at: rule.matchLocation,
                remedy: "name narrower blocks, or deny \(CIDR(single: probe))"
            )
        }
    }

    /// The instance metadata service of most clouds, and Amazon's on IPv6.
    private static let metadataProbes: [IPAddress] = [
        .v4(IPv4Address(169, 254, 169, 254)), .v6(IPv6Address(high: 0xfd00_0ec2_0000_0000, low: 0x254)),
    ]
}
