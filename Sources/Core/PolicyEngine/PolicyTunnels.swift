import NetworkTypes
import SourceDocuments

extension Policy {
    /// A deny that must look inside what a `tunnel` rule carries unseen: one of the two cannot be kept.
    static func noteTunnelsInTheWay(_ rules: [LocatedRule], in problems: inout [SourceProblem]) {
        let tunnels = rules.filter { $0.rule.action == .tunnel && $0.rule.mayMeetTLS }
        let denies = rules.filter { $0.rule.looksIntoTLS && $0.rule.action == .deny && !$0.rule.terms.exceptsTunnels }
        for deny in denies {
            guard let tunnel = tunnels.first(where: { deny.rule.overlaps($0.rule) }) else { continue }
            problems.append(
                SourceProblem(
                    "the deny `\(deny.rule.name)` looks inside what the tunnel `\(tunnel.rule.name)` at "
                        + "\(tunnel.nameLocation) carries unseen",
                    at: deny.matchLocation,
                    remedy: "say `except_tunnels: true` beside its `action`, or make the tunnel an `allow`"
                )
            )
        }
    }
}

extension Policy {
    /// The first deny that looks inside what a tunnel to this place would carry unseen: with such a tunnel the policy does not load
    /// before that deny says `except_tunnels: true`.
    package func denyInTheWayOfTunnel(to name: HostName?, port: UInt16) -> RuleName? {
        let deny = rules.first { rule in
            guard rule.action == .deny, rule.looksIntoTLS, !rule.terms.exceptsTunnels else { return false }
            guard rule.ports?.contains(where: { $0.contains(port) }) ?? true else { return false }
            guard let hosts = rule.match.hosts else { return true }
            return name.map { name in hosts.contains { $0.matches(name) } } ?? false
        }
        return deny?.name
    }
}

extension Rule {
    fileprivate var mayMeetTLS: Bool { protocols?.contains(.tls) ?? true }

    fileprivate var looksIntoTLS: Bool { match.looksInside && mayMeetTLS }

    /// True where a connection could match both, as far as what is inside is not looked at.
    func overlaps(_ other: Rule) -> Bool {
        meets(ports, other.ports) { $0.overlaps($1) }
            && meets(match.hosts, other.match.hosts) { $0.overlaps($1) }
            && meets(match.cidrs, other.match.cidrs) { $0.overlaps($1) }
            && meetsSet(match.uids, other.match.uids)
            && meetsSet(match.namespaces, other.match.namespaces)
            && meetsSet(match.serviceAccounts, other.match.serviceAccounts)
            && meets(match.clientBlocks, other.match.clientBlocks) { $0.overlaps($1) }
            && (match.sni == nil || other.match.sni == nil || match.sni == other.match.sni)
    }
}

private func meets<Item>(_ one: [Item]?, _ other: [Item]?, _ overlap: (Item, Item) -> Bool) -> Bool {
    guard let one else { return !(other?.isEmpty ?? false) }
    guard let other else { return !one.isEmpty }
    return one.contains { item in other.contains { overlap(item, $0) } }
}

private func meetsSet<Item: Hashable>(_ one: Set<Item>?, _ other: Set<Item>?) -> Bool {
    guard let one, let other else { return true }
    return !one.isDisjoint(with: other)
}

extension HostPattern {
    /// True where both match a name.
    func overlaps(_ other: HostPattern) -> Bool {
        switch (self, other) {
        case (.exact(let one), .exact(let two)): one == two
        case (.exact(let name), .below), (.below, .exact(let name)):
            matches(name) && other.matches(name)
        case (.below(let one), .below(let two)): one == two || one.isBelow(two) || two.isBelow(one)
        }
    }
}
