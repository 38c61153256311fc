import NetworkTypes

/// The rules of one table, as data: what is loaded, what is printed and what is compared are all made from it.
package struct Ruleset: Hashable, Sendable {
    package var table: String
    package var sets: [PortSet]
    package var chains: [Chain]

    /// A named set of ports.
    package struct PortSet: Hashable, Sendable {
        package var name: String
        package var ports: [UInt16]
    }

    /// A chain with its place in the kernel and its rules; without a hook it is only jumped to.
    package struct Chain: Hashable, Sendable {
        package var name: String
        package var type: String
        package var hook: Hook?
        package var priority: Int32
        package var dropsByDefault: Bool
        package var rules: [Rule]
    }

    /// Where in the kernel a chain is asked.
    package enum Hook: UInt32, Sendable {
        case prerouting = 0
        case input = 1
        case forward = 2
        case output = 3
        case postrouting = 4
    }

    package var ruleCount: Int { chains.reduce(0) { $0 + $1.rules.count } }
}

/// One rule: every match must hold, then the statements happen in order.
package struct Rule: Hashable, Sendable {
    package var matches: [Match]
    package var statements: [Statement]
    package var comment: String?

    init(_ matches: [Match], _ statements: [Statement], _ comment: String? = nil) {
        self.matches = matches
        self.statements = statements
        self.comment = comment
    }
}

/// What a rule asks of a packet.
package enum Match: Hashable, Sendable {
    case user(UInt32, is: Bool)
    case group(UInt32, is: Bool)
    case outputDevice(String, is: Bool)
    case inputDevice(String, is: Bool = true)
    case source(CIDR)
    case destination(CIDR)
    case transport(Transport)
    case sourcePort(Transport, Ports)
    case destinationPort(Transport, Ports)
    /// `flags & mask == value`.
    case tcpFlags(mask: TCPFlags, value: TCPFlags)
    case direction(Direction)
    /// The source is no address of this machine.
    case foreignSource
    /// No answer to the source would leave by the device that the packet came in by.
    case strayedSource
    /// The destination is an address of this machine, or is not.
    case localDestination(is: Bool)
    /// The mark of its flow (conntrack).
    case mark(UInt32)
    /// The mark of the packet itself: `mark & mask == value`.
    case packetMark(value: UInt32, mask: UInt32)
    /// The socket that it comes from or goes to may take addresses that are not this machine's.
    case transparentSocket
    /// The socket that it comes from or goes to is of this cgroup or one below.
    case controlGroup(ControlGroup)
    /// The first packet of its flow.
    case newFlow
    /// The flow's destination was rewritten.
    case destinationRewritten
    /// Neighbour discovery must come with a hop limit of 255: no router passed it on (RFC 4861, section 7.1).
    case ipv6HopLimit(UInt8)
    case icmpv6Type(ICMPv6Type)
    /// ICMP's word that a TCP reset did not arrive, which it quotes (RFC 792; RFC 4443, section 3.1).
    case undeliverableReset(AddressFamily)

    /// Whose packet of a connection it is (conntrack).
    package enum Direction: UInt8, Sendable {
        case original = 0
        case reply = 1
    }

    /// Transport protocols by their number.
    package enum Transport: UInt8, Sendable {
        case icmp = 1
        case tcp = 6
        case udp = 17
        case icmpv6 = 58
    }

    /// The ports that a match names.
    package enum Ports: Hashable, Sendable {
        case one(UInt16)
        case anyBut(UInt16)
        case inSet(String)
    }

    /// The flags of a TCP header (RFC 9293, section 3.1).
    package struct TCPFlags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        static let fin = TCPFlags(rawValue: 1)
        static let syn = TCPFlags(rawValue: 2)
        static let rst = TCPFlags(rawValue: 4)
        static let ack = TCPFlags(rawValue: 16)
    }

    /// The messages of neighbour discovery (RFC 4861, section 4) that a host needs.
    package enum ICMPv6Type: UInt8, Sendable {
        case routerSolicitation = 133
        case routerAdvertisement = 134
        case neighborSolicitation = 135
        case neighborAdvertisement = 136
    }
}

/// What a rule does.
package enum Statement: Hashable, Sendable {
    case count
    case setMark(UInt32)
    /// Gives the packet itself a mark: the bits of `mask` become those of `value`.
    case setPacketMark(value: UInt32, mask: UInt32)
    case redirect(port: UInt16)
    /// Writes whose socket a TCP segment comes from where its acknowledgement number is, as `UserHash`, and its source port where its urgent
    /// pointer is: of a SYN neither means anything to TCP. What has no socket stays as it is.
    case noteOrigin
    /// Binds the flow to the destination that it has, so that no later chain gives it another one.
    case keepDestination(AddressFamily)
    /// Hands the packet to the transparent socket on this loopback address, by its family, unchanged.
    case transparentProxy(AddressFamily, port: UInt16)
    /// Answers the sender with a TCP reset and drops.
    case rejectWithReset
    /// Answers the sender with ICMP "administratively prohibited" and drops.
    case rejectAsProhibited
    case accept
    case drop
    /// Leaves the chain; its policy decides, or the chain that jumped to it goes on.
    case leave
    /// Asks a chain without a hook; where that decides nothing the next rule is asked.
    case jump(String)
}
