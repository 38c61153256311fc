import NetworkTypes

/// A rule of policy routing (ip-rule(8)): which routing table is asked for which packets.
package struct PolicyRule: Hashable, Sendable {
    package var family: AddressFamily
    /// Lower numbers are asked first.
    package var priority: UInt32
    /// It is for packets with `mark & mask == value`; `nil`: whatever their mark.
    package var mark: PacketMark?
    /// What it does (`FR_ACT_…`): 1 asks a table.
    package var action: UInt8 = 1
    /// The table that is asked.
    package var table: UInt32
    /// Who made it (`RTPROT_…`).
    package var maker: UInt8
    /// It is for all packets that do **not** match.
    package var isInverted = false
    /// It is for packets that came in by this device; `lo` are the machine's own.
    package var inputDevice: String?
    /// It is for sockets that are bound to this device.
    package var outputDevice: String?
    /// It is for this transport protocol alone.
    package var transport: UInt8?
    /// It is for devices that are enslaved to a VRF.
    package var isOfVRF = false
    /// It asks for more than the fields above say: addresses, users, ports and so on.
    package var asksForMore = false

    package init(family: AddressFamily, priority: UInt32, mark: PacketMark?, table: UInt32, maker: UInt8) {
        self.family = family
        self.priority = priority
        self.mark = mark
        self.table = table
        self.maker = maker
    }

    /// The table of this machine's own addresses.
    package static let localTable: UInt32 = 255
}

/// A mark of packets: the bits of `mask` are those of `value`.
package struct PacketMark: Hashable, Sendable {
    package var value: UInt32
    package var mask: UInt32

    package init(value: UInt32, mask: UInt32) {
        self.value = value
        self.mask = mask
    }

    /// True where a packet can have this mark and the other one at once.
    package func canMeet(_ other: PacketMark) -> Bool {
        (value ^ other.value) & mask & other.mask == 0
    }

    /// True where both are about some of the same bits, and a packet can have both.
    package func overlaps(_ other: PacketMark) -> Bool {
        mask & other.mask != 0 && canMeet(other)
    }
}

/// A route of a routing table (ip-route(8)).
package struct TableRoute: Hashable, Sendable {
    package var family: AddressFamily
    package var table: UInt32
    /// What becomes of the packet (`RTN_…`): 2 is for this machine.
    package var type: UInt8
    /// How far away (`RT_SCOPE_…`): 254 is this machine, 0 is anywhere; IPv6 knows only the latter.
    package var scope: UInt8
    /// Who made it (`RTPROT_…`).
    package var maker: UInt8
    /// The first octets of the address; empty for the default route.
    package var prefix: [UInt8] = []
    package var prefixLength: UInt8 = 0
    /// The number of the interface; 0 for none.
    package var device: UInt32
    /// It has a gateway, several next hops, or asks for a source address.
    package var hasMore = false

    package init(
        localDefault family: AddressFamily,
        table: UInt32,
        maker: UInt8
    ) {
        self.family = family
        self.table = table
        self.maker = maker
        type = Self.local
        scope = family == .ipv4 ? 254 : 0
        device = Self.loopback
    }

    init(family: AddressFamily, table: UInt32, type: UInt8, scope: UInt8, maker: UInt8, device: UInt32) {
        self.family = family
        self.table = table
        self.type = type
        self.scope = scope
        self.maker = maker
        self.device = device
    }

    /// `RTN_LOCAL`.
    package static let local: UInt8 = 2
    /// The number that the loopback interface has in every network namespace.
    package static let loopback: UInt32 = 1
}

/// A change of the routing.
package enum RoutingChange: Hashable, Sendable {
    case addRule(PolicyRule)
    case deleteRule(PolicyRule)
    case addRoute(TableRoute)
    case deleteRoute(TableRoute)
}

/// Why the routing could not be changed.
package enum RoutingError: Error, Hashable, Sendable {
    case netlink(NetfilterError)
    /// The kernel refused: `errno`, and its own words where it has any.
    case refused(RoutingChange, code: Int32, words: String)
}
