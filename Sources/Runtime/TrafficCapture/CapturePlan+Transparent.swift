import NetfilterBindings
import NetworkTypes

/// Capture by TPROXY: packets are marked, led back to this machine by policy routing, and handed over unchanged.
extension CapturePlan {
    /// The policy routing that goes with the rules; `nil` where none is needed.
    package var routes: RoutePlan? { mechanism == .tproxy ? routing : nil }

    /// The chains that capture.
    var captureChains: [Ruleset.Chain] {
        switch mechanism {
        case .redirect: [chain("cap", type: "nat", .output, priority: Self.capturePriority, drops: false, captureRules)]
        case .tproxy:
            [
                chain("cap", type: "route", .output, priority: Self.markPriority, drops: false, markRules),
                chain("keep", type: "nat", .output, priority: Self.capturePriority, drops: false, keepRules),
                chain("pre", .prerouting, priority: -150, drops: false, handoverRules),
            ]
        }
    }

    /// Behind the usual place of those who mark packets (-150): what they make of a mark, ours is added to.
    static let markPriority: Int32 = -149

    /// The packet has our mark.
    var isMarked: Match { .packetMark(value: routing.mark.value, mask: routing.mark.mask) }

    /// `cap`: what is to be captured gets our mark, and is routed anew for it.
    ///
    /// Packet after packet, so that what the daemon's closed sockets still have to say must be let by as well.
    private var markRules: [Rule] { uncapturedRules + markingRules }

    /// What is left once all that is let by has gone.
    var markingRules: [Rule] { leftRules + [Rule(Self.capturable, [setsMark])] }

    static let capturable: [Match] = [.transport(.tcp), .direction(.original)]

    var setsMark: Statement { .setPacketMark(value: routing.mark.value, mask: routing.mark.mask) }

    /// Flows of the daemon, and of exempt owners, whose sockets may be closed.
    private var leftRules: [Rule] {
        ([marks.daemon] + exemptions.indices.map(marks.exemption)).map { Rule([.mark($0)], [.leave]) }
    }

    /// `keep`: the destination stays what it is: of several translations the first one stands, and this one changes nothing.
    var keepRules: [Rule] {
        RoutePlan.families.map { Rule([isMarked, .transport(.tcp)], [.keepDestination($0)]) }
    }

    /// `pre`: what comes back over loopback with our mark goes to the daemon's transparent socket, whatever its destination.
    var handoverRules: [Rule] {
        // Not the daemon's answers: they have the mark as well where the kernel hands it on (tcp_fwmark_accept, fwmark_reflect).
        let captured: [Match] = [.inputDevice("lo"), isMarked, .direction(.original), .transport(.tcp)]
        return [
            Rule(captured + [.newFlow], [.count], .captured),
            // A connection that the daemon has taken; a SYN may be for another one from the same port, and asks the listener.
            Rule(captured + [.tcpFlags(mask: .syn, value: []), .transparentSocket], [.accept]),
        ]
            + RoutePlan.families.map { Rule(captured, [.transparentProxy($0, port: ports.proxy), .accept]) }
            // Nobody listens there, or without the right to be transparent.
            + [Rule(captured, [.count, .rejectWithReset], .unanswered)]
    }

    /// The daemon's answers to captured connections, which come from addresses that are not this machine's.
    ///
    /// Over loopback alone: to an address that this machine has no more nothing is said.
    var transparentAnswerRules: [Rule] {
        guard mechanism == .tproxy else { return [] }
        let owners = [marks.captured, marks.served].flatMap { mark in
            let answer = transparentAnswer(mark)
            return [
                Rule(answer + owned(by: daemon), [.setMark(marks.served), .accept]),
                Rule(answer + [.user(daemon.user, is: false)], [.count, .drop], .squatter),
                Rule(answer + [.group(daemon.group, is: false)], [.count, .drop], .squatter),
            ]
        }
        let first = transparentAnswer(marks.captured)
        return owners + [
            Rule(transparentAnswer(marks.served), [.accept]),
            // The same as for the daemon's own ports: refusals, and questions for a sequence number, have no owner.
            Rule(first + [.tcpFlags(mask: .rst, value: .rst)], [.accept]),
            Rule(first + [.tcpFlags(mask: [.fin, .syn, .rst, .ack], value: .ack)], [.accept]),
            Rule(first, [.count, .drop], .ownerlessAnswer),
        ]
    }

    private func transparentAnswer(_ mark: UInt32) -> [Match] {
        [.direction(.reply), .mark(mark), .outputDevice("lo", is: true)]
    }

    /// What was marked may pass the fence: whether it really comes back to this machine is seen at the last hook.
    var markedRules: [Rule] {
        guard mechanism == .tproxy else { return [] }
        let marked: [Match] = [isMarked, .transport(.tcp), .direction(.original)]
        return [
            // Somebody has rewritten the destination before us: the daemon would take it for what the sender called.
            Rule(marked + [.destinationRewritten], [.count, .rejectWithReset], .refusedTCP),
            Rule(marked + [.mark(marks.served)], [.accept]),
            Rule(marked, [.setMark(marks.captured), .accept]),
        ]
    }

    /// A captured connection leaves by no device, in neither direction, whoever has changed the routing.
    var strayRules: [Rule] {
        guard mechanism == .tproxy else { return [] }
        return [Rule([isMarked], [.count, .drop], .stray)]
            + [marks.captured, marks.served].map { Rule([.mark($0)], [.count, .drop], .stray) }
    }

    /// Nobody outside goes on with a captured connection: its other end is the daemon.
    var intruderRules: [Rule] {
        guard mechanism == .tproxy else { return [] }
        return [marks.captured, marks.served].map { Rule([.mark($0)], [.count, .drop], .inbound) }
    }
}

extension CapturePlan {
    /// How the kernel differs from the plan, in its rules and in its routing; empty where it is as planned.
    package func differences(from reading: RulesetReading) -> [String] {
        ruleset.differences(from: reading)
            + (routes.map { $0.differences(from: reading.routing) } ?? [])
    }

    /// The same without what is said of what others have there: what `replace` mends.
    package func ownDifferences(from reading: RulesetReading) -> [String] {
        var own = reading
        own.earlierRewriters = []
        return ruleset.differences(from: own) + (routes?.missing(in: reading.routing) ?? [])
    }

    /// Those of the differences that `install` cannot mend: others have put there what only they may remove.
    package func foreignDifferences(from reading: RulesetReading) -> [String] {
        let conflicts = routes?.conflicts(in: reading.routing, former: reading.packetMarks) ?? []
        return ruleset.foreignDifferences(from: reading) + conflicts
    }

    /// The plan in the syntax of nft(8), with the policy routing as comments.
    package var text: String {
        guard let routes else { return ruleset.text }
        let lines = routes.text.split(separator: "\n").map { "#   \($0)\n" }.joined()
        return "# install also sees to this policy routing, by rtnetlink:\n\(lines)\n\(ruleset.text)"
    }
}

extension RulesetReading {
    /// The packet marks that the table's rules set: by them the policy routing of whoever installed it is known.
    var packetMarks: [PacketMark] {
        rules.compactMap { rule in
            for (index, expression) in rule.expressions.enumerated().dropFirst() {
                guard case .storeMeta(.mark, _) = expression,
                    case .bitwise(_, let mask, let flip) = rule.expressions[index - 1],
                    let kept = hostNumber(mask), let value = hostNumber(flip)
                else { continue }
                return PacketMark(value: value, mask: ~kept)
            }
            return nil
        }
    }
}
