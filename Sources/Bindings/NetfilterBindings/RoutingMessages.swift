import CNetfilter
import NetworkTypes

extension RoutingChange {
    /// The request of this change.
    func message(sequence: UInt32) -> [UInt8] {
        switch self {
        case .addRule(let rule): rule.message(UInt16(RTM_NEWRULE), RequestFlags.create, sequence)
        case .deleteRule(let rule): rule.message(UInt16(RTM_DELRULE), RequestFlags.acknowledge, sequence)
        case .addRoute(let route): route.message(UInt16(RTM_NEWROUTE), RequestFlags.create, sequence)
        case .deleteRoute(let route): route.message(UInt16(RTM_DELROUTE), RequestFlags.acknowledge, sequence)
        }
    }
}

/// `NLM_F_…` of the requests that we make.
enum RequestFlags {
    static let request: UInt16 = 0x1
    static let acknowledge: UInt16 = 0x5
    /// New, and an error where it is there already.
    static let create: UInt16 = 0x605
    static let dump: UInt16 = 0x301
    /// Of an answer: the kernel's own words follow.
    static let hasWords: UInt16 = 0x200
}

extension PolicyRule {
    /// The question for all rules of a family.
    static func question(_ family: AddressFamily, sequence: UInt32) -> [UInt8] {
        let header = fib_rule_hdr(family: family)
        return unsafe routingMessage(UInt16(RTM_GETRULE), RequestFlags.dump, sequence, header) { _ in }
    }

    fileprivate func message(_ type: UInt16, _ flags: UInt16, _ sequence: UInt32) -> [UInt8] {
        var header = fib_rule_hdr(family: family)
        header.action = action
        header.table = UInt8(exactly: table) ?? 0
        return unsafe routingMessage(type, flags, sequence, header) { start in
            unsafe mnl_attr_put_u32(start, UInt16(FRA_PRIORITY), priority)
            unsafe mnl_attr_put_u32(start, UInt16(FRA_TABLE), table)
            unsafe mnl_attr_put_u8(start, UInt16(FRA_PROTOCOL), maker)
            guard let mark else { return }
            unsafe mnl_attr_put_u32(start, UInt16(FRA_FWMARK), mark.value)
            unsafe mnl_attr_put_u32(start, UInt16(FRA_FWMASK), mark.mask)
        }
    }

    /// Reads an answer; the outer `nil` is for one that is cut short, the inner one for another family.
    static func read(_ message: Message) -> PolicyRule?? {
        guard let header = message.payload(as: fib_rule_hdr.self) else { return nil }
        guard let family = AddressFamily(kernel: header.family) else { return .some(nil) }
        let attributes = Attributes(message, after: MemoryLayout<fib_rule_hdr>.size)
        let value = attributes.number(FRA_FWMARK) ?? 0
        // Without a mask all of the mark counts, and without either none of it.
        let mask = attributes.number(FRA_FWMASK) ?? (value == 0 ? 0 : .max)
        var rule = PolicyRule(
            family: family,
            priority: attributes.number(FRA_PRIORITY) ?? 0,
            mark: mask == 0 ? nil : PacketMark(value: value, mask: mask),
            table: attributes.number(FRA_TABLE) ?? UInt32(header.table),
            maker: attributes[FRA_PROTOCOL]?.first ?? 0
        )
        rule.action = header.action
        rule.isInverted = header.flags & 2 != 0
        rule.inputDevice = attributes.text(FRA_IIFNAME)
        rule.outputDevice = attributes.text(FRA_OIFNAME)
        rule.transport = attributes[FRA_IP_PROTO]?.first
        rule.isOfVRF = attributes[FRA_L3MDEV]?.first ?? 0 != 0
        let known = [
            FRA_PRIORITY, FRA_TABLE, FRA_PROTOCOL, FRA_FWMARK, FRA_FWMASK, FRA_IIFNAME, FRA_OIFNAME, FRA_IP_PROTO,
            FRA_L3MDEV,
            FRA_SUPPRESS_PREFIXLEN,
        ].map(UInt16.init)
        // A table whose default routes are passed over is told with a number; all bits mean "none".
        let isWhole = attributes.number(FRA_SUPPRESS_PREFIXLEN) ?? .max == .max
        rule.asksForMore =
            !isWhole || header.dst_len != 0 || header.src_len != 0 || header.tos != 0
            || attributes.kinds.contains { !known.contains($0) }
        return .some(rule)
    }
}

extension TableRoute {
    /// The question for the routes of a table; a kernel that does not filter answers with those of all tables.
    static func question(_ family: AddressFamily, table: UInt32, sequence: UInt32) -> [UInt8] {
        let header = rtmsg(family: family)
        return unsafe routingMessage(UInt16(RTM_GETROUTE), RequestFlags.dump, sequence, header) { start in
            unsafe mnl_attr_put_u32(start, UInt16(RTA_TABLE.rawValue), table)
        }
    }

    fileprivate func message(_ type: UInt16, _ flags: UInt16, _ sequence: UInt32) -> [UInt8] {
        var header = rtmsg(family: family)
        header.rtm_table = UInt8(exactly: table) ?? 0
        header.rtm_type = self.type
        header.rtm_scope = scope
        header.rtm_protocol = maker
        header.rtm_dst_len = prefixLength
        return unsafe routingMessage(type, flags, sequence, header) { start in
            unsafe mnl_attr_put_u32(start, UInt16(RTA_TABLE.rawValue), table)
            if device != 0 { unsafe mnl_attr_put_u32(start, UInt16(RTA_OIF.rawValue), device) }
            guard !prefix.isEmpty else { return }
            unsafe prefix.withUnsafeBytes {
                unsafe mnl_attr_put(start, UInt16(RTA_DST.rawValue), $0.count, $0.baseAddress)
            }
        }
    }

    /// Reads an answer; the outer `nil` is for one that is cut short, the inner one for what is no route of a table.
    static func read(_ message: Message) -> TableRoute?? {
        guard let header = message.payload(as: rtmsg.self) else { return nil }
        // A route that was only remembered (RTM_F_CLONED) belongs to no table.
        guard let family = AddressFamily(kernel: header.rtm_family), header.rtm_flags & 0x200 == 0 else {
            return .some(nil)
        }
        let attributes = Attributes(message, after: MemoryLayout<rtmsg>.size)
        var route = TableRoute(
            family: family,
            table: attributes.number(Int(RTA_TABLE.rawValue)) ?? UInt32(header.rtm_table),
            type: header.rtm_type,
            scope: header.rtm_scope,
            maker: header.rtm_protocol,
            device: attributes.number(Int(RTA_OIF.rawValue)) ?? 0
        )
        route.prefixLength = header.rtm_dst_len
        route.prefix = attributes[Int(RTA_DST.rawValue)] ?? []
        let more = [RTA_GATEWAY, RTA_MULTIPATH, RTA_VIA, RTA_PREFSRC, RTA_ENCAP].map { UInt16($0.rawValue) }
        // RTNH_F_DEAD, RTNH_F_LINKDOWN: it is there and leads nowhere.
        route.hasMore =
            attributes.kinds.contains { more.contains($0) } || header.rtm_src_len != 0 || header.rtm_tos != 0
            || header.rtm_flags & 0x11 != 0
        return .some(route)
    }
}

extension fib_rule_hdr {
    fileprivate init(family: AddressFamily) {
        self.init()
        self.family = family.kernelNumber
    }
}

extension rtmsg {
    fileprivate init(family: AddressFamily) {
        self.init()
        rtm_family = family.kernelNumber
    }
}

extension AddressFamily {
    fileprivate init?(kernel number: UInt8) {
        switch UInt32(number) {
        case NetfilterFamily.ipv4: self = .ipv4
        case NetfilterFamily.ipv6: self = .ipv6
        default: return nil
        }
    }

    fileprivate var kernelNumber: UInt8 {
        UInt8(truncatingIfNeeded: self == .ipv4 ? NetfilterFamily.ipv4 : NetfilterFamily.ipv6)
    }
}

/// Builds one message of rtnetlink: header, fixed part, then what `fill` adds: at most a handful of attributes.
private func routingMessage<Fixed: BitwiseCopyable>(
    _ type: UInt16,
    _ flags: UInt16,
    _ sequence: UInt32,
    _ fixed: Fixed,
    _ fill: (UnsafeMutablePointer<nlmsghdr>) -> Void
) -> [UInt8] {
    unsafe withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { room in
        guard let start = room.baseAddress, let header = unsafe mnl_nlmsg_put_header(start),
            let place = unsafe mnl_nlmsg_put_extra_header(header, MemoryLayout<Fixed>.size)
        else { return [] }
        unsafe header.pointee.nlmsg_type = type
        unsafe header.pointee.nlmsg_flags = flags
        unsafe header.pointee.nlmsg_seq = sequence
        unsafe place.storeBytes(of: fixed, as: Fixed.self)
        unsafe fill(header)
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: Int(header.pointee.nlmsg_len)))
    }
}

/// The attributes of a message, each with its octets.
struct Attributes {
    private let found: [(kind: UInt16, value: [UInt8])]

    /// Reads what stands behind the fixed part; what is cut short ends the list.
    init(_ message: Message, after fixed: Int) {
        self.init(message.bytes, from: Message.headerLength + (fixed + 3) & ~3)
    }

    /// Reads the attributes that begin at an offset.
    init(_ bytes: [UInt8], from start: Int) {
        var offset = start
        var found: [(kind: UInt16, value: [UInt8])] = []
        while offset >= 0, bytes.count - offset >= 4 {
            let length = Int(hostNumber(bytes[offset..<offset + 2]))
            guard length >= 4, length <= bytes.count - offset else { break }
            // The two upper bits say that it is nested, or in network order.
            let kind = UInt16(truncatingIfNeeded: hostNumber(bytes[offset + 2..<offset + 4])) & 0x3fff
            found.append((kind, Array(bytes[offset + 4..<offset + length])))
            offset += (length + 3) & ~3
        }
        self.found = found
    }

    var kinds: [UInt16] { found.map(\.kind) }

    subscript(_ kind: Int) -> [UInt8]? { found.first { Int($0.kind) == kind }?.value }

    func number(_ kind: Int) -> UInt32? {
        guard let value = self[kind], value.count == 4 else { return nil }
        return hostNumber(value[...])
    }

    func text(_ kind: Int) -> String? {
        self[kind].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

/// A number of up to four octets, as this machine writes them.
private func hostNumber(_ octets: ArraySlice<UInt8>) -> UInt32 {
    let isLittle = 1.littleEndian == 1
    return (isLittle ? Array(octets.reversed()) : Array(octets)).reduce(0) { $0 << 8 | UInt32($1) }
}
