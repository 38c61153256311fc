import NetfilterBindings

/// What the kernel holds, as far as it matters for the rules.
package struct RulesetReading: Hashable, Sendable {
    /// `nil` where there is no table of this name.
    package var table: NetfilterTable?
    /// Of this table, without their rules.
    package var chains: [NetfilterChain] = []
    package var sets: [NetfilterSet] = []
    package var rules: [NetfilterRule] = []
    /// Chains of other tables that rewrite destinations before ours may, of packets that go out or come in.
    package var earlierRewriters: [NetfilterChain] = []
    /// Other tables that have our chains `cap` and `in` in our places: ours too, under names of their own.
    package var similarTables: [String] = []
    /// The interfaces whose traffic other tables of ours govern, each table a gateway of its own.
    package var otherGateways: [String: Set<String>] = [:]
    /// Read only where the plan has policy routing.
    package var routing = RoutingReading()

    /// Reads the table of this name, and the chains of all others.
    package init(table name: String, from socket: inout NetfilterSocket) throws(NetfilterError) {
        let isOurs = { (table: String, family: UInt32) in table == name && family == NetfilterFamily.inet }
        table = try socket.tables().first { isOurs($0.name, $0.family) }
        let all = try socket.chains()
        chains = all.filter { isOurs($0.table, $0.family) }
        earlierRewriters = all.filter { !isOurs($0.table, $0.family) && $0.rewritesBeforeOurs }
        let others = all.filter { $0.family == NetfilterFamily.inet && $0.table != name }
        let guarded = others.filter(\.isInboundGuard).map(\.table)
        similarTables = others.filter { $0.isCapture && guarded.contains($0.table) }.map(\.table)
        for table in similarTables {
            let first = try socket.rules(table: table).first { $0.chain == CapturePlan.captureChain }
            if let interfaces = first?.exceptedInterfaces { otherGateways[table] = interfaces }
        }
        guard table != nil else { return }
        sets = try socket.sets(table: name)
        rules = try socket.rules(table: name)
    }

    /// The fences that are in force: paths of `groups.fences` whose very cgroup the rules refuse.
    package func establishedFences(of groups: ControlGroups) -> Set<String> {
        let established = groups.fences.filter { fence in
            let rule = Rule([.controlGroup(fence)], [.jump("fenced")])
            return rules.contains { $0.expressions == rule.expressions }
        }
        return Set(established.map(\.path))
    }

    /// True where the rules in force refuse whatever this network namespace sends and no rule lets through: a pod's.
    fileprivate var fencesEverything: Bool {
        chains.contains { chain in
            guard let base = chain.base, base.type == "filter", base.dropsByDefault else { return false }
            return base.hook == Ruleset.Hook.output.rawValue
        }
    }

    /// How many packets each kind of rule has counted; kinds without any rule are left out.
    package var tallies: [(tally: Tally, packets: UInt64)] {
        Tally.allCases.compactMap { tally in
            let counts = rules.filter { $0.comment == tally.rawValue }.compactMap(\.packets)
            return counts.isEmpty ? nil : (tally, counts.reduce(0, &+))
        }
    }
}

extension CapturePlan {
    /// True where its rules, in the place of those that were read, would set free what a network namespace sends.
    package func wouldFree(_ reading: RulesetReading) -> Bool { scope != .everything && reading.fencesEverything }
}

extension NetfilterChain {
    /// A chain that may rewrite the destination of a packet before our own chain, if it is at that hook, sees it.
    ///
    /// Of chains with the same priority the one that was registered first comes first, and the kernel does not tell: it counts.
    fileprivate var rewritesBeforeOurs: Bool {
        guard let base, base.type == "nat", [Ruleset.Hook.output, .prerouting].map(\.rawValue).contains(base.hook)
        else { return false }
        let families = [NetfilterFamily.inet, NetfilterFamily.ipv4, NetfilterFamily.ipv6]
        return families.contains(family) && base.priority <= CapturePlan.capturePriority
    }
}

extension NetfilterChain {
    /// The chain `cap` of a plan, whatever its mechanism.
    fileprivate var isCapture: Bool {
        let places = [CapturePlan.capturePriority, CapturePlan.markPriority]
        return name == CapturePlan.captureChain && base.map { places.contains($0.priority) } ?? false
    }

    /// The chain `in` of a plan.
    fileprivate var isInboundGuard: Bool { name == "in" && base?.hook == Ruleset.Hook.input.rawValue }
}

extension NetfilterRule {
    /// The interfaces that a gateway's first rule does not let by; `nil` where it is no such rule.
    ///
    /// Such a rule, whatever its interfaces: not in by this one, nor by that one; leaves the chain.
    fileprivate var exceptedInterfaces: Set<String>? {
        var names: Set<String> = []
        for expression in expressions {
            guard case .compare(_, .notEqual, let octets) = expression else { continue }
            names.insert(String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self))
        }
        let rule = Rule(names.map { .inputDevice($0, is: false) }, [.leave])
        return !names.isEmpty && Set(rule.expressions) == Set(expressions) ? names : nil
    }

    /// What its counter says, if it has one.
    package var packets: UInt64? {
        for case .counter(let packets, _) in expressions { return packets }
        return nil
    }
}
