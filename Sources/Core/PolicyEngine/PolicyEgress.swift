import NetworkTypes
import SourceDocuments

/// Rules about addresses where a proxy resolves the names: what nobody here sees, no rule can be kept about.
extension Policy {
    /// Notes the rules whose `cidrs` are about addresses that only a proxy would know.
    static func noteUnseenAddresses(
        _ rules: [LocatedRule],
        _ standard: EgressList,
        _ defaultAction: DefaultAction,
        in problems: inout [SourceProblem]
    ) {
        let denies = rules.filter { $0.rule.action == .deny && $0.rule.match.cidrs?.isEmpty == false }
        for located in rules where located.rule.action != .deny && !located.rule.isBoundToBlocks {
            guard let way = (located.rule.terms.egress ?? standard).resolvingElsewhere else { continue }
            if located.rule.match.cidrs != nil { problems.append(.unseenBlocks(of: located, by: way)) }
            let carried = located.rule.anywhere
            for deny in denies where deny.rule.overlaps(carried) {
                let who = "the rule `\(located.rule.name)` at \(located.nameLocation)"
                problems.append(.unseenDeny(deny, by: way, of: who))
            }
        }
        guard defaultAction == .allow, let way = standard.resolvingElsewhere else { return }
        for deny in denies { problems.append(.unseenDeny(deny, by: way, of: "`default: allow`")) }
    }
}

extension Rule {
    /// The rule without its blocks: what it asks of anything but addresses.
    fileprivate var anywhere: Rule {
        var match = match
        match.cidrs = nil
        return Rule(name, action, match, terms)
    }
}

extension SourceProblem {
    fileprivate static func unseenBlocks(of rule: LocatedRule, by way: Egress) -> SourceProblem {
        SourceProblem(
            "`cidrs` beside `hosts` are about the addresses of the names, and the proxy `\(way)` looks these up where nobody "
                + "sees them",
            at: rule.matchLocation,
            remedy: "leave out `cidrs`, or say `resolve: local` for `\(way)` in the daemon's `egress`"
        )
    }

    fileprivate static func unseenDeny(_ deny: LocatedRule, by way: Egress, of who: String) -> SourceProblem {
        SourceProblem(
            "the deny `\(deny.rule.name)` is about addresses, and the proxy `\(way)`, by which \(who) goes out, looks names up "
                + "where nobody sees their addresses",
            at: deny.matchLocation,
            remedy:
                "say `resolve: local` for `\(way)` in the daemon's `egress`, or narrow the deny with `ports` or `hosts`"
        )
    }
}
