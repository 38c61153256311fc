import NetworkTypes

extension CapturePlan {
    /// The rules of this plan.
    package var ruleset: Ruleset {
        if case .controlGroups(let groups) = scope { return ruleset(for: groups) }
        if case .gateway(let interfaces) = scope { return gatewayRuleset(interfaces) }
        return Ruleset(
            table: table,
            sets: [
                Ruleset.PortSet(name: Self.ownPorts, ports: ports.all.sorted()),
                Ruleset.PortSet(name: Self.openPorts, ports: ([ports.health] + inboundPorts).sorted()),
            ],
            chains: captureChains + [
                chain("fence", .output, priority: 0, fenceRules),
                // Just before the usual places of source translation and mangling, at the last hook of all.
                chain("out", .postrouting, priority: -10, wireRules),
                chain("in", .input, priority: 0, inboundRules),
                chain("forward", .forward, priority: 0, [Rule([], [.count, .drop], .forwarded)]),
            ]
        )
    }

    /// One before the place where other programs rewrite destinations (-100): of several rewritings the first one stands.
    package static let capturePriority: Int32 = -101

    /// The chain that captures.
    static let captureChain = "cap"

    /// The set of the daemon's ports.
    static let ownPorts = "own"
    /// The set of the ports that may be reached from outside.
    static let openPorts = "open"

    func chain(
        _ name: String,
        type: String = "filter",
        _ hook: Ruleset.Hook,
        priority: Int32,
        drops: Bool = true,
        _ rules: [Rule]
    ) -> Ruleset.Chain {
        Ruleset.Chain(
            name: name,
            type: type,
            hook: hook,
            priority: priority,
            dropsByDefault: drops,
            rules: rules
        )
    }

    // MARK: What several chains share

    /// The socket belongs to this owner, by user and by group.
    func owned(by owner: Owner) -> [Match] { [.user(owner.user, is: true), .group(owner.group, is: true)] }

    /// Loopback addresses on the loopback device: a socket bound to another device, or an address of the outside, is neither.
    func loopback(_ family: AddressFamily) -> [Match] {
        [.outputDevice("lo", is: true), .destination(family == .ipv4 ? Self.loopbackIPv4 : Self.loopbackIPv6)]
    }

    /// The questions to resolvers that are let out.
    func resolverRules(_ transports: [Match.Transport], _ last: Statement, directed: Bool) -> [Rule] {
        resolvers.flatMap { address in
            transports.map { transport in
                let target: [Match] = [.destination(CIDR(single: address)), .destinationPort(transport, .one(53))]
                return Rule(target + (directed ? [.direction(.original)] : []), [last], Grant.dns(address).comment)
            }
        }
    }

    /// The destinations that are let by.
    func bypassRules(_ last: Statement, directed: Bool) -> [Rule] {
        bypasses.map { bypass in
            let target: [Match] = [
                .outputDevice("lo", is: false), .destination(bypass.block), .destinationPort(.tcp, .one(bypass.port)),
            ]
            return Rule(target + (directed ? [.direction(.original)] : []), [last], Grant.bypass(bypass).comment)
        }
    }

    /// A flow of `owner` known by its mark: nobody else may go on with it, and what has no owner any more is a leftover.
    ///
    /// Written as "is not": a packet without an owner matches no question about owners.
    func leftoverRules(of owner: Owner, mark: UInt32, comment: String) -> [Rule] {
        let flow: [Match] = [.mark(mark), .direction(.original)]
        return [
            Rule(flow + [.user(owner.user, is: false)], [.count, .drop], .staleFlow),
            Rule(flow + [.group(owner.group, is: false)], [.count, .drop], .staleFlow),
            // A socket that nobody owns any more opens nothing.
            Rule(flow + [.tcpFlags(mask: .syn, value: .syn)], [.count, .drop], .staleFlow),
            Rule(flow, [.count, .accept], comment),
        ]
    }

    /// Without these IPv6 cannot find its neighbours.
    ///
    /// No multicast listener reports: any program could write what it liked
    /// into them by joining groups.
    func neighborRules(_ types: [Match.ICMPv6Type]) -> [Rule] {
        types.map { Rule([.ipv6HopLimit(255), .icmpv6Type($0)], [.accept]) }
    }

    private static let loopbackIPv4 =
        CIDR(.v4(IPv4Address(127, 0, 0, 0)), prefixLength: 8)
        ?? CIDR(single: .v4(IPv4Address(127, 0, 0, 1)))
    private static let loopbackIPv6 = CIDR(single: .v6(IPv6Address(high: 0, low: 1)))
}

extension Rule {
    init(_ matches: [Match], _ statements: [Statement], _ tally: Tally) {
        self.init(matches, statements, tally.rawValue)
    }
}
