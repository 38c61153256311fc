import NetfilterBindings
import NetworkTypes

extension Ruleset {
    /// The transaction that puts these rules in the place of whatever stood under the table's name.
    ///
    /// The table is added first so that the deletion finds one; a transaction that fails leaves what was there.
    package var installation: [NetfilterChange] {
        Self.removal(of: table) + [.addTable(table)] + setObjects.map { .addSet($0, table: table) }
            + chainObjects.map { .addChain($0) } + ruleObjects.map { .addRule($0, table: table) }
    }

    /// The transaction after which nothing stands under the table's name.
    package static func removal(of table: String) -> [NetfilterChange] {
        [.addTable(table), .deleteTable(table)]
    }

    var setObjects: [NetfilterSet] {
        sets.map { set in
            // 13 is nft's number for `inet_service`.
            NetfilterSet(name: set.name, keyType: 13, keyLength: 2, elements: Set(set.ports.map(networkOrder)))
        }
    }

    var chainObjects: [NetfilterChain] {
        chains.map { chain in
            NetfilterChain(
                table: table,
                name: chain.name,
                base: chain.hook.map { hook in
                    NetfilterChain.Base(
                        type: chain.type,
                        hook: hook.rawValue,
                        priority: chain.priority,
                        dropsByDefault: chain.dropsByDefault
                    )
                }
            )
        }
    }

    var ruleObjects: [NetfilterRule] {
        chains.flatMap { chain in
            chain.rules.map {
                NetfilterRule(chain: chain.name, expressions: $0.expressions, comment: $0.comment)
            }
        }
    }
}

extension Rule {
    /// The rule as the kernel's machine runs it, in the very form that nft(8) gives it.
    var expressions: [NetfilterExpression] {
        var translation = RuleTranslation()
        for match in matches { translation.add(match) }
        for statement in statements { translation.add(statement) }
        return translation.expressions
    }
}

/// Translates a rule, matched part by part, and keeps in mind what earlier parts have established.
private struct RuleTranslation {
    private(set) var expressions: [NetfilterExpression] = []
    private var family: AddressFamily?
    private var transport: Match.Transport?

    private static let register: UInt32 = 1
    private static let second: UInt32 = 2

    mutating func add(_ match: Match) {
        switch match {
        case .user(let user, let same): load(.ownerUser, compare: hostOrder(user), same)
        case .group(let group, let same): load(.ownerGroup, compare: hostOrder(group), same)
        case .outputDevice(let name, let same): load(.outputDeviceName, compare: deviceName(name), same)
        case .inputDevice(let name, let same): load(.inputDeviceName, compare: deviceName(name), same)
        case .source(let block): address(block, offset: block.base.family == .ipv4 ? 12 : 8)
        case .destination(let block): address(block, offset: block.base.family == .ipv4 ? 16 : 24)
        case .transport(let transport): require(transport)
        case .sourcePort(let transport, let ports): port(transport, offset: 0, ports)
        case .destinationPort(let transport, let ports): port(transport, offset: 2, ports)
        case .tcpFlags(let mask, let value):
            require(.tcp)
            payload(.transport, offset: 13, length: 1)
            expressions.append(.bitwise(register: Self.register, mask: [mask.rawValue], flip: [0]))
            compare([value.rawValue])
        case .direction(let direction):
            expressions.append(.loadFlow(.direction, into: Self.register))
            compare([direction.rawValue])
        case .foreignSource:
            expressions.append(.loadSourceAddressType(into: Self.register))
            compare(hostOrder(2), false)  // RTN_LOCAL
        case .strayedSource:
            expressions.append(.loadReversePath(into: Self.register))
            compare(hostOrder(0))
        case .localDestination(let same):
            expressions.append(.loadDestinationAddressType(into: Self.register))
            compare(hostOrder(2), same)  // RTN_LOCAL
        case .packetMark(let value, let mask):
            expressions.append(.loadMeta(.mark, into: Self.register))
            expressions.append(.bitwise(register: Self.register, mask: hostOrder(mask), flip: hostOrder(0)))
            compare(hostOrder(value))
        case .transparentSocket:
            expressions.append(.loadSocket(.transparent, level: 0, into: Self.register))
            compare([1])
        case .controlGroup(let group):
            expressions.append(.loadSocket(.controlGroup, level: group.level, into: Self.register))
            compare(hostOrder(whole: group.number))
        case .mark(let mark):
            expressions.append(.loadFlow(.mark, into: Self.register))
            compare(hostOrder(mark))
        case .newFlow: flowBits(.state, 8)  // 1 << (IP_CT_NEW + 1)
        case .destinationRewritten: flowBits(.status, 0x20)  // IPS_DST_NAT
        case .ipv6HopLimit(let limit):
            require(AddressFamily.ipv6)
            payload(.network, offset: 7, length: 1)
            compare([limit])
        case .icmpv6Type(let type):
            require(.icmpv6)
            payload(.transport, offset: 0, length: 1)
            compare([type.rawValue])
        case .undeliverableReset(let family):
            let error = QuotedReset(family)
            require(family)
            require(error.transport)
            for octet in error.octets {
                payload(.transport, offset: octet.offset, length: 1)
                if octet.mask != 0xff {
                    expressions.append(.bitwise(register: Self.register, mask: [octet.mask], flip: [0]))
                }
                compare([octet.value])
            }
        }
    }

    mutating func add(_ statement: Statement) {
        switch statement {
        case .count: expressions.append(.counter(packets: 0, bytes: 0))
        case .setMark(let mark):
            expressions.append(.immediate(register: Self.register, hostOrder(mark)))
            expressions.append(.storeFlow(.mark, from: Self.register))
        case .setPacketMark(let value, let mask):
            expressions.append(.loadMeta(.mark, into: Self.register))
            expressions.append(.bitwise(register: Self.register, mask: hostOrder(~mask), flip: hostOrder(value)))
            expressions.append(.storeMeta(.mark, from: Self.register))
        case .keepDestination(let family):
            require(family)
            let (offset, length) = family == .ipv4 ? (UInt32(16), UInt32(4)) : (24, 16)
            payload(.network, offset: offset, length: length)
            expressions.append(
                .translateDestination(family: family == .ipv4 ? 2 : 10, addressRegister: Self.register)
            )
        case .transparentProxy(let family, let port):
            // It passes packets of the other family over by itself.
            let address: IPAddress =
                family == .ipv4 ? .v4(IPv4Address(127, 0, 0, 1)) : .v6(IPv6Address(high: 0, low: 1))
            expressions.append(.immediate(register: Self.register, address.octets))
            expressions.append(.immediate(register: Self.second, networkOrder(port)))
            expressions.append(
                .transparentProxy(
                    family: family == .ipv4 ? 2 : 10,
                    addressRegister: Self.register,
                    portRegister: Self.second
                )
            )
        case .redirect(let port):
            expressions.append(.immediate(register: Self.register, networkOrder(port)))
            expressions.append(.redirect(portRegister: Self.register))
        case .noteOrigin: noteOrigin()
        case .rejectWithReset: expressions.append(.reject(.tcpReset))
        case .rejectAsProhibited: expressions.append(.reject(.administrativelyProhibited))
        case .accept: expressions.append(.verdict(.accept))
        case .drop: expressions.append(.verdict(.drop))
        case .leave: expressions.append(.verdict(.leave))
        case .jump(let chain): expressions.append(.jump(chain))
        }
    }

    private mutating func noteOrigin() {
        require(.tcp)
        expressions.append(.loadMeta(.ownerUser, into: Self.second))
        expressions.append(
            .hash(
                register: Self.second,
                length: 4,
                modulus: UserHash.modulus,
                seed: UserHash.seed,
                into: Self.register
            )
        )
        expressions.append(.networkOrder(register: Self.register))
        expressions.append(.storeTransport(offset: 8, length: 4, from: Self.register))
        // Both ports, because nft(8) takes the first alone for no number; two octets of them are written.
        payload(.transport, offset: 0, length: 4)
        expressions.append(.bitwise(register: Self.register, mask: [255, 255, 0, 0], flip: [0, 0, 0, 0]))
        expressions.append(.storeTransport(offset: 18, length: 2, from: Self.register))
    }

    /// In a table for both families an address or a port means something only where the packet is of the right kind.
    private mutating func require(_ family: AddressFamily) {
        guard self.family != family else { return }
        self.family = family
        load(.addressFamily, compare: [family == .ipv4 ? 2 : 10])
    }

    private mutating func require(_ transport: Match.Transport) {
        guard self.transport != transport else { return }
        self.transport = transport
        load(.transport, compare: [transport.rawValue])
    }

    private mutating func address(_ block: CIDR, offset: UInt32) {
        require(block.base.family)
        // As nft does it: whole octets are compared as such, and only a prefix that ends within one needs a mask.
        let isWhole = block.prefixLength.isMultiple(of: 8)
        let octets = isWhole ? Array(block.base.octets.prefix(block.prefixLength / 8)) : block.base.octets
        payload(.network, offset: offset, length: UInt32(octets.count))
        if !isWhole {
            let mask = octets.indices.map { index in
                UInt8(truncatingIfNeeded: 0xff00 >> min(max(block.prefixLength - 8 * index, 0), 8))
            }
            let flip = [UInt8](repeating: 0, count: octets.count)
            expressions.append(.bitwise(register: Self.register, mask: mask, flip: flip))
        }
        compare(octets)
    }

    private mutating func port(_ transport: Match.Transport, offset: UInt32, _ ports: Match.Ports) {
        require(transport)
        payload(.transport, offset: offset, length: 2)
        switch ports {
        case .one(let port): compare(networkOrder(port))
        case .anyBut(let port): compare(networkOrder(port), false)
        case .inSet(let name): expressions.append(.lookup(register: Self.register, set: name, inverted: false))
        }
    }

    private mutating func flowBits(_ key: NetfilterExpression.FlowKey, _ bits: UInt32) {
        expressions.append(.loadFlow(key, into: Self.register))
        expressions.append(.bitwise(register: Self.register, mask: hostOrder(bits), flip: hostOrder(0)))
        compare(hostOrder(0), false)
    }

    private mutating func load(_ key: NetfilterExpression.MetaKey, compare data: [UInt8], _ same: Bool = true) {
        expressions.append(.loadMeta(key, into: Self.register))
        compare(data, same)
    }

    private mutating func payload(_ base: NetfilterExpression.PayloadBase, offset: UInt32, length: UInt32) {
        expressions.append(.loadPayload(base, offset: offset, length: length, into: Self.register))
    }

    private mutating func compare(_ data: [UInt8], _ same: Bool = true) {
        expressions.append(.compare(register: Self.register, same ? .equal : .notEqual, data))
    }
}

/// Ports stand in packets most significant octet first.
private func networkOrder(_ port: UInt16) -> [UInt8] {
    [UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port)]
}

/// Marks and owners stand in the kernel as this machine writes numbers.
private func hostOrder(_ number: UInt32) -> [UInt8] { hostOrder(whole: number) }

/// Any number, as this machine writes it.
private func hostOrder(whole number: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
    let octets = number.bitWidth / 8
    let bigEndian = (0..<octets).map { UInt8(truncatingIfNeeded: number >> (8 * (octets - 1 - $0))) }
    return 1.littleEndian == 1 ? bigEndian.reversed() : bigEndian
}

/// Reads a number of 32 bits as this machine writes it; `nil` for another length.
func hostNumber(_ octets: [UInt8]) -> UInt32? {
    guard octets.count == 4 else { return nil }
    return (1.littleEndian == 1 ? octets.reversed() : octets).reduce(0) { $0 << 8 | UInt32($1) }
}

/// The name of a network device fills 16 octets, with NULs behind it.
private func deviceName(_ name: String) -> [UInt8] {
    let octets = Array(name.utf8.prefix(15))
    return octets + [UInt8](repeating: 0, count: 16 - octets.count)
}
