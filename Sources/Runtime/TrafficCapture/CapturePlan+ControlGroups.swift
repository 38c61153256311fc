import NetworkTypes
import Posture

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
                regular("captured", capturedRules),
                regular("governed", governedRules),
                regular("answers", ownPortRules),
                regular("fenced", fencedRules),
                regular("inbound", awaitedRules + (inboundPorts.isEmpty ? [] : [openPortRule]) + uninvitedRules),
                regular("uninvited", uninvitedOfFence),
            ] + hostCaptureChains(groups) + [
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
    var weaknessesOfHost: [PlanWeakness] {
        guard case .controlGroups(let groups) = scope else { return [] }
        return groups.unfenced.map { path in
            PlanWeakness(
                .sharedParent,
                "shared parent \(path): a cgroup made again is free until its rule is swapped"
            )
        }
    }

    /// The cgroups that are governed, those that are not there yet among them; empty where none are.
    package var controlGroupPaths: [String] {
        guard case .controlGroups(let groups) = scope else { return [] }
        return groups.captured.map(\.path) + groups.absent
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

    // MARK: How it is captured

    private var capturedRules: [Rule] {
        switch mechanism {
        case .redirect: uncapturedWorkloadRules + [redirectRule]
        case .tproxy: uncapturedWorkloadRules + markingRules
        }
    }

    private func hostCaptureChains(_ groups: ControlGroups) -> [Ruleset.Chain] {
        let members = members(of: groups, "captured")
        return switch mechanism {
        case .redirect: [hooked("cap", type: "nat", .output, priority: Self.capturePriority, members)]
        case .tproxy:
            [
                hooked("cap", type: "route", .output, priority: Self.markPriority, carriedRules + members),
                hooked("keep", type: "nat", .output, priority: Self.capturePriority, keepRules),
                hooked("pre", .prerouting, priority: -150, handoverRules),
            ]
        }
    }

    /// What has no owner any more, or one in a cgroup that is gone, and goes on with a captured connection: by the flow's mark.
    ///
    /// Not a SYN: that may be somebody else's.
    private var carriedRules: [Rule] {
        let loopbacks = [AddressFamily.ipv4, .ipv6].map { Rule(loopback($0), [.leave]) }
        return loopbacks
            + [marks.captured, marks.served].map {
                Rule(Self.capturable + [.mark($0), .tcpFlags(mask: .syn, value: [])], [setsMark])
            }
    }

    /// Connections that were captured from a cgroup that is gone by now: they lead to the daemon, and go on.
    private var carriedOnRules: [Rule] {
        let flows = mechanism == .redirect ? redirected : [[isMarked] + Self.capturable]
        let marks = mechanism == .redirect ? [marks.captured, marks.answer] : [marks.captured, marks.served]
        return flows.flatMap { flow in marks.map { Rule(flow + [.mark($0)], [.accept]) } }
    }

    // MARK: What leaves

    /// The captured, then what answers them, then the daemon, then what is only fenced.
    private func hostOutputRules(_ groups: ControlGroups) -> [Rule] {
        let answers = [marks.captured, marks.answer].map { Rule([.direction(.reply), .mark($0)], [.jump("answers")]) }
        return members(of: groups, "governed") + transparentAnswerRules + answers + strayDialRules + strayOpeningRules
            + [
                Rule(owned(by: daemon) + [.direction(.original)], [.setMark(marks.daemon), .accept]),
                Rule(owned(by: daemon), [.accept]),
            ] + residents(of: groups, "fenced")
    }

    /// What is not captured, and is led to the daemon all the same.
    ///
    /// The kernel remembers where a captured connection of that port was redirected to. Refused at once, it is opened from another port.
    private var strayOpeningRules: [Rule] {
        let opening = Match.tcpFlags(mask: [.syn, .ack], value: .syn)
        return redirected.map { Rule($0 + [opening], [.count, .rejectWithReset], .staleFlow) }
    }

    /// A packet of a captured cgroup: as in a pod.
    private var governedRules: [Rule] {
        innerRules + sharedQuestionRules
            // Nobody here goes on with a flow of the daemon's.
            + [Rule([.mark(marks.daemon), .direction(.original)], [.count, .drop], .staleFlow)]
            + markedRules + strayExemptionRules + originNotes
            + redirected.flatMap {
                [Rule($0 + [.newFlow], [.setMark(marks.captured), .accept]), Rule($0, [.accept])]
            } + innerLoopbackRules + resolverRules([.tcp], .accept, directed: true)
            + bypassRules(.accept, directed: true) + exemptRules + refusals(.refusedTCP, .refusedUDP, .refusedOther)
    }

    /// A packet of a fenced cgroup that is in no captured one: nothing leaves.
    ///
    /// What the closed sockets of the daemon, and of captured cgroups that are gone, have still to say goes on.
    private var fencedRules: [Rule] {
        leftoverRules(of: daemon, mark: marks.daemon, comment: Tally.leftover.rawValue) + innerRules
            + carriedOnRules + innerLoopbackRules + refusals(.fenced, .fenced, .fenced)
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
        [Rule([.outputDevice("lo", is: true)], [.accept])] + strayRules
            + [marks.captured, marks.answer].map { Rule([.mark($0)], [.count, .drop], .wire) }
    }

    // MARK: What comes

    private func hostInputRules(_ groups: ControlGroups) -> [Rule] {
        [Rule([.inputDevice("lo")], [.accept])] + intruderRules + members(of: groups, "inbound")
            + residents(of: groups, "uninvited")
    }

    /// In a fenced cgroup only the daemon, where it lives there, is reached from outside: at its health port.
    private var uninvitedOfFence: [Rule] {
        awaitedRules + [
            Rule([.destinationPort(.tcp, .one(ports.health))], [.accept]),
            Rule([], [.count, .drop], .fenced),
        ]
    }
}
