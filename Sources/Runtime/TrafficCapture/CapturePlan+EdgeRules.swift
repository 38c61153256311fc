extension CapturePlan {
    /// `out`: the last hook, where the device is the true one.
    ///
    /// A captured connection of a socket that was bound to a device (no capability needed) would leave here, with the payload of
    /// TCP Fast Open in its first packet.
    var wireRules: [Rule] {
        var rules = [Rule([.outputDevice("lo", is: true)], [.accept])]
        rules += strayRules
        rules += [
            // Answers to captured connections never leave: their clients are here.
            Rule([.sourcePort(.tcp, .one(ports.proxy))], [.count, .drop], .wire)
        ]
        rules += resolverRules([.udp], .accept, directed: true) + [Rule(owned(by: daemon), [.accept])]
        rules += leftoverRules(of: daemon, mark: marks.daemon, comment: Tally.leftover.rawValue)
        rules += inboundRules([.reply]) + [Rule([.direction(.reply), .mark(marks.answer)], [.accept])]
        rules += neighborRules(Self.outgoingDiscovery)
        rules += resolverRules([.tcp], .accept, directed: true)
        rules += bypassRules(.accept, directed: true)
        for (index, owner) in exemptions.enumerated() {
            let comment = Grant.exemption(owner).comment
            rules.append(Rule(owned(by: owner) + [.direction(.original)], [.accept], comment))
            rules += leftoverRules(of: owner, mark: marks.exemption(index), comment: comment)
        }
        rules.append(Rule([], [.count, .drop], .wire))
        return rules
    }

    /// `in`: answers to what was let out, connections to declared ports, nothing else.
    var inboundRules: [Rule] {
        [Rule([.inputDevice("lo")], [.accept])] + intruderRules + awaitedRules
            + neighborRules([.neighborSolicitation, .neighborAdvertisement, .routerAdvertisement])
            + [openPortRule] + uninvitedRules
    }

    /// What belongs to flows that were let out or in.
    var awaitedRules: [Rule] {
        [
            Rule(
                [.direction(.reply), .tcpFlags(mask: [.syn, .ack], value: .syn)],
                [.count, .drop],
                .simultaneousOpen
            ),
            Rule([.direction(.reply)], [.accept]),
        ] + inboundRules([.original]) + [Rule([.mark(marks.answer)], [.accept])]
    }

    /// Flows from outside to a declared port, and the ICMP errors that belong to them.
    ///
    /// The port is asked again for each packet: a flow to one that was withdrawn since does not go on.
    func inboundRules(_ directions: [Match.Direction]) -> [Rule] {
        guard scope == .everything || !inboundPorts.isEmpty else { return [] }
        return directions.flatMap { direction in
            let port: Match =
                switch direction {
                case .original: .destinationPort(.tcp, .inSet(Self.openPorts))
                case .reply: .sourcePort(.tcp, .inSet(Self.openPorts))
                }
            let flow: [Match] = [.direction(direction), .mark(marks.inbound)]
            return ([port] + [.icmp, .icmpv6].map { Match.transport($0) }).map { Rule(flow + [$0], [.accept]) }
        }
    }

    /// A first packet to a port that was declared.
    var openPortRule: Rule {
        Rule(
            Self.firstPacket + [.destinationPort(.tcp, .inSet(Self.openPorts)), .newFlow],
            [.setMark(marks.inbound), .accept]
        )
    }

    private static let firstPacket: [Match] = [.tcpFlags(mask: [.fin, .syn, .rst, .ack], value: .syn)]

    /// Everything else from outside.
    var uninvitedRules: [Rule] {
        [
            // Not told apart from other first packets, a flow older than the rules would live on as "reply".
            Rule(Self.firstPacket, [.count, .drop], .inbound),
            Rule([.transport(.tcp)], [.count, .drop], .midStream),
            Rule([.transport(.udp)], [.count, .drop], .inboundUDP),
            Rule([], [.count, .drop], .inbound),
        ]
    }
}
