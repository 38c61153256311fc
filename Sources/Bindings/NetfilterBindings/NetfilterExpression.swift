/// One instruction of a rule, as the kernel's nftables machine runs it.
///
/// Data are octets in the order in which they stand in the register: network order for what was read from a packet, host
/// order for marks and user ids.
package enum NetfilterExpression: Hashable, Sendable {
    case loadMeta(MetaKey, into: UInt32)
    case storeMeta(MetaKey, from: UInt32)
    case loadFlow(FlowKey, into: UInt32)
    case storeFlow(FlowKey, from: UInt32)
    /// Asks the routing tables what kind of address the packet's source is (`RTN_…`).
    case loadSourceAddressType(into: UInt32)
    /// Asks the routing tables whether an answer to the packet's source would leave by the device that it came in by.
    case loadReversePath(into: UInt32)
    /// Asks what kind of address the packet's destination is.
    case loadDestinationAddressType(into: UInt32)
    /// Asks the packet's socket; `level` is the depth of the cgroup, 0 being the root of its hierarchy, and 0 for other keys.
    case loadSocket(SocketKey, level: UInt32, into: UInt32)
    /// Copies `length` octets of the packet into a register.
    case loadPayload(PayloadBase, offset: UInt32, length: UInt32, into: UInt32)
    /// Writes `length` octets of a register into the packet's TCP header, and mends its checksum.
    case storeTransport(offset: UInt32, length: UInt32, from: UInt32)
    /// Jenkins' hash of `length` octets of a register, scaled to less than `modulus`, in the machine's order.
    case hash(register: UInt32, length: UInt32, modulus: UInt32, seed: UInt32, into: UInt32)
    /// Brings the four octets of a register from the machine's order into that of the network.
    case networkOrder(register: UInt32)
    /// `(register & mask) ^ flip`, in place.
    case bitwise(register: UInt32, mask: [UInt8], flip: [UInt8])
    case compare(register: UInt32, Comparison, [UInt8])
    case lookup(register: UInt32, set: String, inverted: Bool)
    case immediate(register: UInt32, [UInt8])
    case verdict(Verdict)
    /// Goes on with another chain of the table, and comes back where that decides nothing.
    case jump(String)
    case counter(packets: UInt64, bytes: UInt64)
    /// Sends the packet to this machine, to the port in the register.
    case redirect(portRegister: UInt32)
    /// Binds the flow to the destination in the register, whatever other chains would make of it later.
    case translateDestination(family: UInt32, addressRegister: UInt32)
    /// Hands the packet to the transparent socket at the address and port in the registers, unchanged.
    case transparentProxy(family: UInt32, addressRegister: UInt32, portRegister: UInt32)
    case reject(Rejection)
    /// An expression that no rule of ours has: its kernel name.
    case foreign(String)

    /// What can be asked of the packet's surroundings (`NFT_META_…`).
    package enum MetaKey: UInt32, Sendable {
        case mark = 3
        case inputDeviceName = 6
        case outputDeviceName = 7
        case ownerUser = 10
        case ownerGroup = 11
        case addressFamily = 15
        case transport = 16
    }

    /// What can be asked of the packet's socket (`NFT_SOCKET_…`).
    package enum SocketKey: UInt32, Sendable {
        case transparent = 0
        /// The 64-bit number of the ancestor at a level, in this machine's order.
        case controlGroup = 3
    }

    /// What can be asked of the packet's flow (`NFT_CT_…`).
    package enum FlowKey: UInt32, Sendable {
        case state = 0
        case direction = 1
        case status = 2
        case mark = 3
    }

    /// Where an offset counts from (`NFT_PAYLOAD_…`).
    package enum PayloadBase: UInt32, Sendable {
        case network = 1
        case transport = 2
    }

    /// How two values are compared.
    package enum Comparison: UInt32, Sendable {
        case equal = 0
        case notEqual = 1
    }

    /// How a rule ends (`NF_…`, `NFT_…`).
    package enum Verdict: Int32, Sendable {
        case drop = 0
        case accept = 1
        case leave = -5
    }

    /// How a packet is refused.
    package enum Rejection: Hashable, Sendable {
        case tcpReset
        /// ICMP or ICMPv6 "administratively prohibited", by the packet's family.
        case administrativelyProhibited
        case other(type: UInt32, code: UInt8)
    }

    /// The name under which the kernel knows the expression.
    package var kernelName: String {
        switch self {
        case .loadMeta, .storeMeta: "meta"
        case .loadFlow, .storeFlow: "ct"
        case .loadSourceAddressType, .loadDestinationAddressType, .loadReversePath: "fib"
        case .loadSocket: "socket"
        case .loadPayload, .storeTransport: "payload"
        case .hash: "hash"
        case .networkOrder: "byteorder"
        case .bitwise: "bitwise"
        case .compare: "cmp"
        case .lookup: "lookup"
        case .immediate, .verdict, .jump: "immediate"
        case .counter: "counter"
        case .redirect: "redir"
        case .translateDestination: "nat"
        case .transparentProxy: "tproxy"
        case .reject: "reject"
        case .foreign(let name): name
        }
    }
}
