import NetfilterBindings
import NetworkTypes
import Posture

/// The rules of a machine through which others go out: what comes in by its interfaces is governed, and nothing else.
///
/// The machine's own traffic and that of its other interfaces is left alone: the first rule of each chain lets it by.
extension CapturePlan {
    func gatewayRuleset(_ interfaces: [String]) -> Ruleset {
        let others = interfaces.map { Match.inputDevice($0, is: false) }
        let sets = [
            Ruleset.PortSet(name: Self.ownPorts, ports: [ports.proxy, ports.explicit, ports.dns].sorted()),
            Ruleset.PortSet(name: Self.openPorts, ports: inboundPorts),
        ]
        return Ruleset(
            table: table,
            // nft knows no way to write an empty set.
            sets: sets.filter { !$0.ports.isEmpty },
            chains: [
                // Before anybody rewrites a destination (-100): grants are about what the sender called for.
                chain("grant", .prerouting, priority: -150, drops: false, grantRules(others)),
                chain(
                    Self.captureChain,
                    type: "nat",
                    .prerouting,
                    priority: Self.capturePriority,
                    drops: false,
                    rewriting(others)
                ),
                chain("forward", .forward, priority: 0, forwardRules(others, interfaces)),
                chain("in", .input, priority: 0, machineRules(others)),
                chain("own", .output, priority: 0, drops: false, ownRules(interfaces)),
            ]
        )
    }

    /// `grant`: drops what comes from an address that is not behind the interface, and marks the flows that are let by.
    ///
    /// A refusal goes to the source, with what it refuses inside: to an address that the sender made up it would be a way out.
    private func grantRules(_ others: [Match]) -> [Rule] {
        var rules = [Rule(others, [.accept])]
        // Discovery from what is no address of the link's yet; no router passes such a source on.
        rules += Self.linkSources.flatMap { source in
            Self.outgoingDiscovery.map { Rule([.source(source), .ipv6HopLimit(255), .icmpv6Type($0)], [.accept]) }
        }
        rules.append(Rule([.strayedSource], [.count, .drop], .foreignSource))
        let mark: [Statement] = [.setMark(marks.granted), .accept]
        for address in resolvers {
            rules += [Match.Transport.udp, .tcp].map { transport in
                let target: [Match] = [.destination(CIDR(single: address)), .destinationPort(transport, .one(53))]
                return Rule([.direction(.original)] + target, mark, Grant.dns(address).comment)
            }
        }
        rules += bypasses.map { bypass in
            let target: [Match] = [.destination(bypass.block), .destinationPort(.tcp, .one(bypass.port))]
            return Rule([.direction(.original)] + target, mark, Grant.bypass(bypass).comment)
        }
        // Granted by rules that stood here before, and by these no more.
        rules.append(Rule([.mark(marks.granted), .direction(.original)], [.setMark(0)]))
        return rules + handedOver
    }

    /// `cap`: what is not granted goes to the daemon; where that is TPROXY's work, nobody else rewrites it.
    private func rewriting(_ others: [Match]) -> [Rule] {
        let first = [
            Rule(others, [.leave]),
            Rule([.mark(marks.granted)], [.leave]),
            Rule(explicitProxy, [.leave]),
        ]
        switch mechanism {
        case .redirect: return first + [Rule([.transport(.tcp)], [.count, .redirect(port: ports.proxy)], .captured)]
        case .tproxy: return first + keepRules
        }
    }

    /// `grant`, at its end: by TPROXY the rest of TCP is handed over here, marked so that it is routed to this machine.
    private var handedOver: [Rule] {
        guard mechanism == .tproxy else { return [] }
        let mark = setsMark
        let captured = Match.transport(.tcp)
        return [
            Rule(explicitProxy, [.accept]),
            Rule([captured, .direction(.reply)], [.accept]),
            Rule([captured, .newFlow], [.count, .setMark(marks.captured)], .captured),
            // A connection that the daemon has taken; a SYN may be for another one from the same port, and asks the listener.
            Rule([captured, .tcpFlags(mask: .syn, value: []), .transparentSocket], [mark, .accept]),
        ]
            + RoutePlan.families.map { Rule([captured], [.transparentProxy($0, port: ports.proxy), mark, .accept]) }
            + [Rule([captured], [.count, .rejectWithReset], .unanswered)]
    }

    /// `in`: what the capture has led here, and nobody who dials the daemon's port.
    private var capturedArrivals: [Rule] {
        switch mechanism {
        case .redirect: [Rule([.destinationRewritten, .destinationPort(.tcp, .one(ports.proxy))], [.accept])]
        case .tproxy:
            [
                // Rewritten by others before us: the daemon would take it for what the sender called.
                Rule([isMarked, .transport(.tcp), .destinationRewritten], [.count, .rejectWithReset], .refusedTCP),
                Rule([isMarked, .transport(.tcp)], [.accept]),
            ]
        }
    }

    /// `forward`: through this machine goes what is granted, and what comes from elsewhere to declared ports.
    private func forwardRules(_ others: [Match], _ interfaces: [String]) -> [Rule] {
        var rules =
            [
                Rule(others + interfaces.map { .outputDevice($0, is: false) }, [.accept]),
                simultaneousOpen,
                Rule([.mark(marks.granted)], [.accept]),
            ] + inboundRules([.original, .reply])
        if !inboundPorts.isEmpty {
            let target = Match.destinationPort(.tcp, .inSet(Self.openPorts))
            rules.append(Rule(others + Self.opening + [target, .newFlow], [.setMark(marks.inbound), .accept]))
        }
        rules.append(Rule(others, [.count, .drop], .inbound))
        // Not forwarded ones, which have come further: those that a bridge shows to the rules.
        return rules + neighborRules([.neighborSolicitation, .neighborAdvertisement]) + refusals
    }

    /// `in`: this machine's own services would be a way out.
    private func machineRules(_ others: [Match]) -> [Rule] {
        let own = Match.destinationPort(.tcp, .inSet(Self.ownPorts))
        var rules = [
            // From elsewhere nobody comes to the daemon by the address of an interface.
            Rule(others + [.inputDevice("lo", is: false), own], [.count, .rejectWithReset], .inbound),
            Rule(others, [.accept]),
            simultaneousOpen,
            // Answers to what this machine itself has asked for.
            Rule([.direction(.reply)], [.accept]),
        ]
        rules += capturedArrivals
        rules += [Rule([.mark(marks.granted)], [.accept]), Rule(explicitProxy, [.accept])]
        rules += neighborRules(Self.outgoingDiscovery)
        return rules + refusals
    }

    /// `own`: a flow that is older than the rules does not live on because this machine is the first to speak in it.
    ///
    /// And whom a client has called hears nothing of what could not be answered to the client: a client may send from an address
    /// that nobody has, and the kernel would tell the other one, with what the client has chosen inside.
    private func ownRules(_ interfaces: [String]) -> [Rule] {
        let untold = [Match.Transport.icmp, .icmpv6].map { transport in
            Rule([.mark(marks.captured), .transport(transport)], [.count, .drop], .untold)
        }
        let unheard = [AddressFamily.ipv4, .ipv6].map { Rule([.undeliverableReset($0)], [.count, .drop], .untold) }
        return (mechanism == .tproxy ? untold : []) + unheard + [
            Rule(interfaces.map { .outputDevice($0, is: false) }, [.accept]),
            Rule(Self.opening, [.accept]),
            Rule([.transport(.tcp), .newFlow], [.count, .drop], .midStream),
        ]
    }

    /// Programs behind the interface may be told of the explicit proxy, if it listens there.
    private var explicitProxy: [Match] { [.localDestination(is: true), .destinationPort(.tcp, .one(ports.explicit))] }

    private var simultaneousOpen: Rule {
        Rule([.direction(.reply), .tcpFlags(mask: [.syn, .ack], value: .syn)], [.count, .drop], .simultaneousOpen)
    }

    private var refusals: [Rule] {
        [
            Rule([.transport(.tcp)], [.count, .rejectWithReset], .refusedTCP),
            Rule([.transport(.udp)], [.count, .rejectAsProhibited], .refusedUDP),
            Rule([], [.count, .rejectAsProhibited], .refusedOther),
        ]
    }

    /// Where discovery comes from that has no address of its network yet: fe80::/10 and `::` (RFC 4861, section 4.3).
    private static let linkSources =
        [CIDR(.v6(IPv6Address(high: 0xfe80 << 48, low: 0)), prefixLength: 10)].compactMap { $0 }
        + [CIDR(single: .v6(IPv6Address(high: 0, low: 0)))]

    /// The first packet of a connection.
    private static let opening: [Match] = [.tcpFlags(mask: [.fin, .syn, .rst, .ack], value: .syn)]
}

extension CapturePlan {
    /// Refuses what means nothing where others are governed.
    func checkGateway() throws(PlanProblem) {
        guard case .gateway = scope else { return }
        if let owner = exemptions.first { throw .gatewayWithExemption(owner) }
    }

    /// What may be meant otherwise, by what this machine has: `devices` are its interfaces, `ports` those that are part of a bridge.
    ///
    /// `shown` are the bridges whose frames pass the rules on their own way already (br_netfilter): the kernel then lets go of the socket that
    /// TPROXY has given a packet, before it looks for whom the packet is.
    package func gatewayWarnings(devices: Set<String>, ports: Set<String>, shown: Set<String> = []) -> [PlanWeakness] {
        guard case .gateway(let interfaces) = scope else { return [] }
        return interfaces.compactMap { name in
            if !devices.contains(name) {
                return PlanWeakness(
                    .gatewayInterface,
                    "--gateway \(name): there is no such interface yet; it is governed once there is"
                )
            }
            if mechanism == .tproxy, shown.contains(name) {
                return PlanWeakness(
                    .gatewayInterface,
                    "--gateway \(name): br_netfilter shows this bridge's frames to the rules, and with --mode tproxy nothing comes through "
                        + "then: set net.bridge.bridge-nf-call-iptables and -ip6tables to 0 in this network namespace, or take "
                        + "--mode redirect"
                )
            }
            guard ports.contains(name) else { return nil }
            return PlanWeakness(
                .gatewayInterface,
                "--gateway \(name): that is a port of a bridge or bond, whose packets come in by the whole of it: name that instead"
            )
        }
    }

    /// The interfaces by which others come; empty where this is no gateway.
    package var gatewayInterfaces: [String] {
        guard case .gateway(let interfaces) = scope else { return [] }
        return interfaces
    }

    /// What is governed, for the report; `nil` where it is all of this network namespace.
    package var governedTraffic: String? {
        guard case .gateway(let interfaces) = scope else { return nil }
        return "what others send in by \(interfaces.joined(separator: ", ")); this machine's own traffic is left alone"
    }
}
