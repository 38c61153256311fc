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
            Rule([.sourcePort(.tcp, .one(ports.proxy))], [.count, .drop], .wire),
            Rule(owned(by: daemon), [.accept]),
        ]
        rules += leftoverRules(of: daemon, mark: marks.daemon, comment: Tally.leftover.rawValue)
        rules += [marks.inbound, marks.answer].map { Rule([.direction(.reply), .mark($0)], [.accept]) }
        rules += neighborRules(Self.outgoingDiscovery)
        rules += resolverRules([.udp, .tcp], .accept, directed: true)
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
        let first: [Match] = [.tcpFlags(mask: [.fin, .syn, .rst, .ack], value: .syn)]
        var rules = [Rule([.inputDevice("lo")], [.accept])]
        rules += intruderRules
        rules += [
            Rule(
                [.direction(.reply), .tcpFlags(mask: [.syn, .ack], value: .syn)],
                [.count, .drop],
                .simultaneousOpen
            ),
            Rule([.direction(.reply)], [.accept]),
            Rule([.mark(marks.inbound)], [.accept]),
            Rule([.mark(marks.answer)], [.accept]),
        ]
        rules += neighborRules([.neighborSolicitation, .neighborAdvertisement, .routerAdvertisement])
        rules += [
            Rule(
                first + [.destinationPort(.tcp, .inSet(Self.openPorts)), .newFlow],
                [.setMark(marks.inbound), .accept]
            ),
            // Not told apart from other first packets, a flow older than the rules would live on as "reply".
            Rule(first, [.count, .drop], .inbound),
            Rule([.transport(.tcp)], [.count, .drop], .midStream),
            Rule([.transport(.udp)], [.count, .drop], .inboundUDP),
            Rule([], [.count, .drop], .inbound),
        ]
        return rules
    }
}
