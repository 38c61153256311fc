import NetworkTypes

extension CapturePlan {
    /// `cap`: every TCP connection but the daemon's own, loopback and what is let by goes to the daemon.
    var captureRules: [Rule] {
        uncapturedRules + [redirectRule]
    }

    /// What is captured goes to the daemon's port.
    var redirectRule: Rule { Rule([.transport(.tcp)], [.count, .redirect(port: ports.proxy)], .captured) }

    /// What leaves the chain that captures.
    var uncapturedRules: [Rule] { [Rule(owned(by: daemon), [.leave])] + uncapturedWorkloadRules }

    /// The same for whom the rules are about, which the daemon is not.
    var uncapturedWorkloadRules: [Rule] {
        var rules = exemptions.map {
            Rule([.outputDevice("lo", is: false)] + owned(by: $0), [.leave], Grant.exemption($0).comment)
        }
        rules += [Rule(loopback(.ipv4), [.leave]), Rule(loopback(.ipv6), [.leave])]
        rules += resolverRules([.tcp], .leave, directed: false)
        rules += bypassRules(.leave, directed: false)
        return rules
    }

    /// `fence`: refuses at once whatever was not captured.
    ///
    /// The device is still the one from before the redirect here.
    var fenceRules: [Rule] {
        transparentAnswerRules + sourceRules + ownPortRules + markedRules + sharedQuestionRules + daemonRules
            + neighborRules(Self.outgoingDiscovery) + answerRules + loopbackRules
            + resolverRules([.tcp], .accept, directed: true) + bypassRules(.accept, directed: true) + exemptRules
            + [
                Rule([.transport(.tcp)], [.count, .rejectWithReset], .refusedTCP),
                // A refusal that the sender hears: QUIC clients then go on by TCP.
                Rule([.transport(.udp)], [.count, .rejectAsProhibited], .refusedUDP),
                Rule([], [.count, .drop], .refusedOther),
            ]
    }

    /// Nobody speaks for an address that is not this machine's.
    ///
    /// The kernel would answer a captured SYN from such an address on the wire, from whatever address it was meant for, and a
    /// datagram over loopback could pass for a resolver's answer. It holds for the daemon as well, and for what has no owner.
    /// Resets pass: the refusals below answer in the name of whom the sender called.
    var sourceRules: [Rule] {
        [
            Rule([.tcpFlags(mask: .rst, value: []), .foreignSource], [.count, .drop], .foreignSource),
            Rule([.transport(.udp), .foreignSource], [.count, .drop], .foreignSource),
        ]
    }

    /// The daemon's ports answer only from the daemon's sockets: nobody can squat on them while it is away.
    var ownPortRules: [Rule] {
        let answer: [Match] = [.sourcePort(.tcp, .inSet(Self.ownPorts)), .direction(.reply)]
        let datagram = Match.sourcePort(.udp, .inSet(Self.ownPorts))
        return [
            Rule(answer + owned(by: daemon), [.setMark(marks.answer), .accept]),
            Rule(answer + [.user(daemon.user, is: false)], [.count, .drop], .squatter),
            Rule(answer + [.group(daemon.group, is: false)], [.count, .drop], .squatter),
            Rule(answer + [.mark(marks.answer)], [.accept]),
            // Nobody listens: the kernel's own reset, so that the caller hears it at once.
            Rule(answer + [.tcpFlags(mask: .rst, value: .rst)], [.accept]),
            // A SYN that meets what is left of an old connection from the same port is asked for its sequence number; without
            // this ACK it would be repeated in vain for a minute. Whoever could send data in it has an owner, or had no answer.
            Rule(answer + [.tcpFlags(mask: [.fin, .syn, .rst, .ack], value: .ack)], [.accept]),
            Rule(answer, [.count, .drop], .ownerlessAnswer),
            Rule([datagram] + owned(by: daemon), [.accept]),
            Rule([datagram], [.count, .drop], .squatter),
        ]
    }

    /// What the daemon dials with a port that a captured connection had just now would go where that went: to the daemon.
    ///
    /// The kernel remembers the redirect of a connection that was reset for a while. Refused at once, the daemon takes another port.
    var strayDialRules: [Rule] {
        redirected.map { Rule(owned(by: daemon) + $0, [.count, .rejectWithReset], .staleFlow) }
    }

    /// What an exempt owner opens with such a port would go to the daemon as well, and be judged there.
    ///
    /// Refused, it takes another one.
    /// Connections that were captured before their owner was exempt go on. The device is still the one from before the redirect.
    var strayExemptionRules: [Rule] {
        exemptions.flatMap { owner in
            redirected.map {
                let opening: [Match] = [.tcpFlags(mask: [.syn, .ack], value: .syn), .outputDevice("lo", is: false)]
                return Rule($0 + opening + owned(by: owner), [.count, .rejectWithReset], .staleFlow)
            }
        }
    }

    /// Datagrams that anybody may send, from a port that the daemon has asked from as well.
    ///
    /// The kernel remembers a question for half a minute and longer, and whoever gets its port next goes on with its flow. That is no way
    /// that was not open, and a question dropped as stale costs whoever asks the seconds of his resolver's patience.
    var sharedQuestionRules: [Rule] {
        let flow: [Match] = [
            .mark(marks.daemon), .direction(.original), .outputDevice("lo", is: true), .transport(.udp),
        ]
        return [Rule(flow + staying, [.accept])] + resolverRules([.udp], .accept, directed: true)
    }

    /// The daemon, and what its closed sockets (orphans and TIME_WAIT have no owner) still have to say.
    var daemonRules: [Rule] {
        strayDialRules + [
            Rule(owned(by: daemon) + [.direction(.original)], [.setMark(marks.daemon), .accept]),
            Rule(owned(by: daemon), [.accept]),
        ] + leftoverRules(of: daemon, mark: marks.daemon, comment: Tally.leftover.rawValue)
    }

    /// Answers within flows that somebody else opened.
    var answerRules: [Rule] {
        [
            Rule(
                [.direction(.reply), .tcpFlags(mask: [.syn, .ack], value: .syn)],
                [.count, .drop],
                .simultaneousOpen
            )
        ] + inboundRules([.reply]) + [Rule([.direction(.reply), .outputDevice("lo", is: true)], [.accept])]
    }

    /// Exactly our own redirect and nobody else's, then loopback without the redirect's target: that port is not dialled.
    private var loopbackRules: [Rule] {
        strayExemptionRules + originNotes + redirected.map { Rule($0, [.accept]) } + plainLoopbackRules
    }

    /// Who opened a redirected connection, and from which port, is noted in its SYN.
    ///
    /// Several sockets may have one port, for different destinations. The redirect gives all of them the same destination, and
    /// all but one of them, behind this hook, another port: from that nobody could tell whose they are. Nor from what the kernel
    /// says of that port later: it may tell of another connection.
    var originNotes: [Rule] {
        redirected.map { Rule($0 + [.tcpFlags(mask: [.syn, .ack], value: .syn)], [.noteOrigin]) }
    }

    /// How a packet of our redirect looks once its destination has been rewritten, one line of matches for each family.
    var redirected: [[Match]] {
        guard mechanism == .redirect else { return [] }
        return [IPAddress.v4(IPv4Address(127, 0, 0, 1)), .v6(IPv6Address(high: 0, low: 1))].map {
            [.destinationRewritten, .destination(CIDR(single: $0)), .destinationPort(.tcp, .one(ports.proxy))]
        }
    }

    /// Loopback without the redirect's target.
    var plainLoopbackRules: [Rule] {
        var rules = [AddressFamily.ipv4, .ipv6].map {
            Rule(loopback($0) + [.destinationPort(.tcp, .anyBut(ports.proxy))], [.accept])
        }
        // ICMP carries the refusals below to local senders.
        rules += [Match.Transport.udp, .icmp, .icmpv6].map {
            Rule([.outputDevice("lo", is: true), .transport($0)] + staying, [.accept])
        }
        return rules
    }

    /// What is sent over loopback stays here.
    ///
    /// The device is the one from before a rewriting: on a machine that has others' tables, a published port of its own may lead
    /// elsewhere. In a pod the last hook refuses that.
    private var staying: [Match] { scope == .everything ? [] : [.localDestination(is: true)] }

    var exemptRules: [Rule] {
        exemptions.enumerated().flatMap { index, owner in
            let comment = Grant.exemption(owner).comment
            let mark = marks.exemption(index)
            return [
                Rule(
                    [.outputDevice("lo", is: false)] + owned(by: owner) + [.direction(.original)],
                    [.setMark(mark), .accept],
                    comment
                )
            ] + leftoverRules(of: owner, mark: mark, comment: comment)
        }
    }

    static let outgoingDiscovery: [Match.ICMPv6Type] = [
        .neighborSolicitation, .neighborAdvertisement, .routerSolicitation,
    ]
}
