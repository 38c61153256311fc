import NetworkTypes

/// The rules for some cgroups of a machine that is otherwise left alone.
///
/// Nothing is dropped by default: whoever is in none of the cgroups is asked about once in each hook, and goes on. Being in a
/// captured cgroup is asked **before** the owner: the daemon's user and group let nobody out of one.
extension CapturePlan {
    func ruleset(for groups: ControlGroups) -> Ruleset {
        let open = inboundPorts.isEmpty ? [] : [Ruleset.PortSet(name: Self.openPorts, ports: inboundPorts)]
        return Ruleset(
            table: table,
            sets: [Ruleset.PortSet(name: Self.ownPorts, ports: ports.all.sorted())] + open,
            chains: [
                regular("captured", workloadCaptureRules),
                regular("governed", governedRules),
                regular("answers", ownPortRules),
                regular("fenced", fencedRules),
                regular("inbound", awaitedRules + (inboundPorts.isEmpty ? [] : [openPortRule]) + uninvitedRules),
                regular("uninvited", uninvitedOfFence),
                hooked("cap", type: "nat", .output, priority: Self.capturePriority, members(of: groups, "captured")),
                hooked("fence", .output, priority: 0, hostOutputRules(groups)),
                hooked("out", .postrouting, priority: -10, hostWireRules),
                hooked("in", .input, priority: 0, hostInputRules(groups)),
            ]
        )
    }

    /// What nobody governs, beside what the plan lets by.
    var ungovernedOfHost: [String] {
        guard case .controlGroups = scope else { return [] }
        return ["services of this machine on loopback and on Unix sockets"]
    }

    /// Cgroups that are not held while their rule is missing.
    var weaknessesOfHost: [String] {
        guard case .controlGroups(let groups) = scope else { return [] }
        return groups.unfenced.map { "shared parent \($0): a cgroup made again is free until its rule is swapped" }
    }

    private func regular(_ name: String, _ rules: [Rule]) -> Ruleset.Chain {
        Ruleset.Chain(name: name, type: "filter", hook: nil, priority: 0, dropsByDefault: false, rules: rules)
    }

    private func hooked(
        _ name: String,
        type: String = "filter",
        _ hook: Ruleset.Hook,
        priority: Int32,
        _ rules: [Rule]
    ) -> Ruleset.Chain {
        chain(name, type: type, hook, priority: priority, drops: false, rules)
    }

    /// One question for each captured cgroup: what is in it goes on with that chain.
    private func members(of groups: ControlGroups, _ chain: String) -> [Rule] {
        groups.captured.map { Rule([.controlGroup($0)], [.jump(chain)]) }
    }

    private func residents(of groups: ControlGroups, _ chain: String) -> [Rule] {
        groups.fences.map { Rule([.controlGroup($0)], [.jump(chain)]) }
    }

    // MARK: What leaves

    /// The captured, then what answers them, then the daemon, then what is only fenced.
    private func hostOutputRules(_ groups: ControlGroups) -> [Rule] {
        let answers = [marks.captured, marks.answer].map { Rule([.direction(.reply), .mark($0)], [.jump("answers")]) }
        return members(of: groups, "governed") + answers + [
            Rule(owned(by: daemon) + [.direction(.original)], [.setMark(marks.daemon), .accept]),
            Rule(owned(by: daemon), [.accept]),
        ] + residents(of: groups, "fenced")
    }

    /// A packet of a captured cgroup: as in a pod.
    private var governedRules: [Rule] {
        // Nobody here goes on with a flow of the daemon's.
        [Rule([.mark(marks.daemon), .direction(.original)], [.count, .drop], .staleFlow)] + innerRules
            + redirected.flatMap {
                [Rule($0 + [.newFlow], [.setMark(marks.captured), .accept]), Rule($0, [.accept])]
            } + innerLoopbackRules + resolverRules([.udp, .tcp], .accept, directed: true)
            + bypassRules(.accept, directed: true) + exemptRules + refusals(.refusedTCP, .refusedUDP, .refusedOther)
    }

    /// A packet of a fenced cgroup that is in no captured one: nothing leaves.
    ///
    /// What the closed sockets of the daemon, and of captured cgroups that are gone, have still to say goes on.
    private var fencedRules: [Rule] {
        leftoverRules(of: daemon, mark: marks.daemon, comment: Tally.leftover.rawValue) + innerRules
            + redirected.flatMap { flow in
                [marks.captured, marks.answer].map { Rule(flow + [.mark($0)], [.accept]) }
            } + innerLoopbackRules + refusals(.fenced, .fenced, .fenced)
    }

    /// No foreign source, no squatting on the daemon's ports, and only awaited answers to others' flows.
    private var innerRules: [Rule] {
        sourceRules + [
            Rule([.sourcePort(.tcp, .inSet(Self.ownPorts)), .direction(.reply)], [.count, .drop], .squatter),
            Rule([.sourcePort(.udp, .inSet(Self.ownPorts))], [.count, .drop], .squatter),
        ] + answerRules
    }

    /// Loopback; flows to the daemon's ports are marked, so that nobody else answers in them.
    private var innerLoopbackRules: [Rule] {
        let own: [[Match]] =
            [AddressFamily.ipv4, .ipv6].map {
                loopback($0) + [
                    .destinationPort(.tcp, .anyBut(ports.proxy)), .destinationPort(.tcp, .inSet(Self.ownPorts)),
                ]
            } + [[.outputDevice("lo", is: true), .destinationPort(.udp, .inSet(Self.ownPorts))]]
        return own.map { Rule($0 + [.newFlow], [.setMark(marks.captured), .accept]) } + plainLoopbackRules
    }

    private func refusals(_ tcp: Tally, _ udp: Tally, _ other: Tally) -> [Rule] {
        [
            Rule([.transport(.tcp)], [.count, .rejectWithReset], tcp),
            Rule([.transport(.udp)], [.count, .rejectAsProhibited], udp),
            Rule([], [.count, .drop], other),
        ]
    }

    /// Captured flows stay here, also those of sockets that were bound to a device.
    private var hostWireRules: [Rule] {
        [Rule([.outputDevice("lo", is: true)], [.accept])]
            + [marks.captured, marks.answer].map { Rule([.mark($0)], [.count, .drop], .wire) }
    }

    // MARK: What comes

    private func hostInputRules(_ groups: ControlGroups) -> [Rule] {
        [Rule([.inputDevice("lo")], [.accept])] + members(of: groups, "inbound") + residents(of: groups, "uninvited")
    }

    /// In a fenced cgroup only the daemon, where it lives there, is reached from outside: at its health port.
    private var uninvitedOfFence: [Rule] {
        awaitedRules + [
            Rule([.destinationPort(.tcp, .one(ports.health))], [.accept]),
            Rule([], [.count, .drop], .fenced),
        ]
    }
}
