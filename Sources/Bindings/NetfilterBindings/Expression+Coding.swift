import CNetfilter

extension NetfilterExpression {
    /// Makes libnftnl's object of this expression; the caller owns it until a rule takes it.
    func makeObject() throws(NetfilterError) -> OpaquePointer {
        guard let object = unsafe nftnl_expr_alloc(kernelName) else { throw .unknownExpression(kernelName) }
        unsafe fill(object)
        return unsafe object
    }

    private func fill(_ object: OpaquePointer) {
        let set = { (attribute: Int, value: UInt32) in
            unsafe nftnl_expr_set_u32(object, UInt16(attribute), value)
        }
        let put = { (attribute: Int, bytes: [UInt8]) in
            _ = unsafe bytes.withUnsafeBytes {
                unsafe nftnl_expr_set(object, UInt16(attribute), $0.baseAddress, UInt32($0.count))
            }
        }
        switch self {
        case .loadMeta(let key, let register):
            set(NFTNL_EXPR_META_KEY, key.rawValue)
            set(NFTNL_EXPR_META_DREG, register)
        case .storeMeta(let key, let register):
            set(NFTNL_EXPR_META_KEY, key.rawValue)
            set(NFTNL_EXPR_META_SREG, register)
        case .loadFlow(let key, let register):
            set(NFTNL_EXPR_CT_KEY, key.rawValue)
            set(NFTNL_EXPR_CT_DREG, register)
        case .storeFlow(let key, let register):
            set(NFTNL_EXPR_CT_KEY, key.rawValue)
            set(NFTNL_EXPR_CT_SREG, register)
        case .loadSourceAddressType(let register):
            set(NFTNL_EXPR_FIB_DREG, register)
            set(NFTNL_EXPR_FIB_RESULT, addressTypeResult)
            set(NFTNL_EXPR_FIB_FLAGS, sourceAddressFlag)
        case .loadDestinationAddressType(let register):
            set(NFTNL_EXPR_FIB_DREG, register)
            set(NFTNL_EXPR_FIB_RESULT, addressTypeResult)
            set(NFTNL_EXPR_FIB_FLAGS, destinationAddressFlag)
        case .loadReversePath(let register):
            set(NFTNL_EXPR_FIB_DREG, register)
            set(NFTNL_EXPR_FIB_RESULT, deviceResult)
            set(NFTNL_EXPR_FIB_FLAGS, reversePathFlags)
        case .loadSocket(let key, let level, let register):
            set(NFTNL_EXPR_SOCKET_KEY, key.rawValue)
            set(NFTNL_EXPR_SOCKET_DREG, register)
            if key == .controlGroup { set(NFTNL_EXPR_SOCKET_LEVEL, level) }
        case .loadPayload(let base, let offset, let length, let register):
            set(NFTNL_EXPR_PAYLOAD_BASE, base.rawValue)
            set(NFTNL_EXPR_PAYLOAD_OFFSET, offset)
            set(NFTNL_EXPR_PAYLOAD_LEN, length)
            set(NFTNL_EXPR_PAYLOAD_DREG, register)
        case .storeTransport(let offset, let length, let register):
            set(NFTNL_EXPR_PAYLOAD_BASE, PayloadBase.transport.rawValue)
            set(NFTNL_EXPR_PAYLOAD_OFFSET, offset)
            set(NFTNL_EXPR_PAYLOAD_LEN, length)
            set(NFTNL_EXPR_PAYLOAD_SREG, register)
            set(NFTNL_EXPR_PAYLOAD_CSUM_TYPE, internetChecksum)
            set(NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, checksumOfTCP)
        case .hash(let register, let length, let modulus, let seed, let result):
            set(NFTNL_EXPR_HASH_SREG, register)
            set(NFTNL_EXPR_HASH_DREG, result)
            set(NFTNL_EXPR_HASH_LEN, length)
            set(NFTNL_EXPR_HASH_MODULUS, modulus)
            set(NFTNL_EXPR_HASH_SEED, seed)
            set(NFTNL_EXPR_HASH_TYPE, jenkinsHash)
        case .networkOrder(let register):
            set(NFTNL_EXPR_BYTEORDER_SREG, register)
            set(NFTNL_EXPR_BYTEORDER_DREG, register)
            set(NFTNL_EXPR_BYTEORDER_OP, hostToNetwork)
            set(NFTNL_EXPR_BYTEORDER_LEN, 4)
            set(NFTNL_EXPR_BYTEORDER_SIZE, 4)
        case .bitwise(let register, let mask, let flip):
            set(NFTNL_EXPR_BITWISE_SREG, register)
            set(NFTNL_EXPR_BITWISE_DREG, register)
            set(NFTNL_EXPR_BITWISE_LEN, UInt32(mask.count))
            put(NFTNL_EXPR_BITWISE_MASK, mask)
            put(NFTNL_EXPR_BITWISE_XOR, flip)
        case .compare(let register, let comparison, let data):
            set(NFTNL_EXPR_CMP_SREG, register)
            set(NFTNL_EXPR_CMP_OP, comparison.rawValue)
            put(NFTNL_EXPR_CMP_DATA, data)
        case .lookup(let register, let name, let inverted):
            set(NFTNL_EXPR_LOOKUP_SREG, register)
            unsafe nftnl_expr_set_str(object, UInt16(NFTNL_EXPR_LOOKUP_SET), name)
            if inverted { set(NFTNL_EXPR_LOOKUP_FLAGS, 1) }
        case .immediate(let register, let data):
            set(NFTNL_EXPR_IMM_DREG, register)
            put(NFTNL_EXPR_IMM_DATA, data)
        case .verdict(let verdict):
            set(NFTNL_EXPR_IMM_DREG, 0)
            set(NFTNL_EXPR_IMM_VERDICT, UInt32(bitPattern: verdict.rawValue))
        case .jump(let chain):
            set(NFTNL_EXPR_IMM_DREG, 0)
            set(NFTNL_EXPR_IMM_VERDICT, UInt32(bitPattern: jumpVerdict))
            unsafe nftnl_expr_set_str(object, UInt16(NFTNL_EXPR_IMM_CHAIN), chain)
        case .counter(let packets, let bytes):
            unsafe nftnl_expr_set_u64(object, UInt16(NFTNL_EXPR_CTR_PACKETS), packets)
            unsafe nftnl_expr_set_u64(object, UInt16(NFTNL_EXPR_CTR_BYTES), bytes)
        case .redirect(let register):
            set(NFTNL_EXPR_REDIR_REG_PROTO_MIN, register)
        case .translateDestination(let family, let address):
            set(NFTNL_EXPR_NAT_TYPE, destinationTranslation)
            set(NFTNL_EXPR_NAT_FAMILY, family)
            set(NFTNL_EXPR_NAT_REG_ADDR_MIN, address)
        case .transparentProxy(let family, let address, let port):
            set(NFTNL_EXPR_TPROXY_FAMILY, family)
            set(NFTNL_EXPR_TPROXY_REG_ADDR, address)
            set(NFTNL_EXPR_TPROXY_REG_PORT, port)
        case .reject(let rejection):
            let (type, code) = rejection.numbers
            set(NFTNL_EXPR_REJECT_TYPE, type)
            unsafe nftnl_expr_set_u8(object, UInt16(NFTNL_EXPR_REJECT_CODE), code)
        case .foreign:
            break
        }
    }

    /// Reads libnftnl's object back.
    ///
    /// What cannot be one of ours becomes `.foreign`.
    init(reading object: OpaquePointer) {
        let name = unsafe text(nftnl_expr_get_str(object, UInt16(NFTNL_EXPR_NAME)))
        self = unsafe Self.read(name, ExpressionReader(object: object)) ?? .foreign(name)
    }

    private static func read(_ name: String, _ reader: ExpressionReader) -> NetfilterExpression? {
        switch name {
        case "meta":
            return unsafe readMeta(reader)
        case "ct":
            return unsafe readFlow(reader)
        case "fib":
            return unsafe readRoute(reader)
        case "socket":
            return unsafe SocketKey(rawValue: reader.number(NFTNL_EXPR_SOCKET_KEY)).map {
                unsafe .loadSocket(
                    $0,
                    level: reader.number(NFTNL_EXPR_SOCKET_LEVEL),
                    into: reader.number(NFTNL_EXPR_SOCKET_DREG)
                )
            }
        case "payload":
            guard unsafe !reader.has(NFTNL_EXPR_PAYLOAD_SREG) else { return unsafe readStoring(reader) }
            return unsafe PayloadBase(rawValue: reader.number(NFTNL_EXPR_PAYLOAD_BASE)).map {
                unsafe .loadPayload(
                    $0,
                    offset: reader.number(NFTNL_EXPR_PAYLOAD_OFFSET),
                    length: reader.number(NFTNL_EXPR_PAYLOAD_LEN),
                    into: reader.number(NFTNL_EXPR_PAYLOAD_DREG)
                )
            }
        case "hash":
            return unsafe readHash(reader)
        case "byteorder":
            let register = unsafe reader.number(NFTNL_EXPR_BYTEORDER_SREG)
            guard unsafe register == reader.number(NFTNL_EXPR_BYTEORDER_DREG),
                unsafe reader.number(NFTNL_EXPR_BYTEORDER_OP) == hostToNetwork,
                unsafe reader.number(NFTNL_EXPR_BYTEORDER_LEN) == 4,
                unsafe reader.number(NFTNL_EXPR_BYTEORDER_SIZE) == 4
            else { return nil }
            return .networkOrder(register: register)
        case "bitwise":
            let register = unsafe reader.number(NFTNL_EXPR_BITWISE_SREG)
            guard unsafe reader.number(NFTNL_EXPR_BITWISE_OP) == 0,
                unsafe register == reader.number(NFTNL_EXPR_BITWISE_DREG)
            else { return nil }
            return unsafe .bitwise(
                register: register,
                mask: reader.bytes(NFTNL_EXPR_BITWISE_MASK),
                flip: reader.bytes(NFTNL_EXPR_BITWISE_XOR)
            )
        case "cmp":
            return unsafe Comparison(rawValue: reader.number(NFTNL_EXPR_CMP_OP)).map {
                unsafe .compare(
                    register: reader.number(NFTNL_EXPR_CMP_SREG),
                    $0,
                    reader.bytes(NFTNL_EXPR_CMP_DATA)
                )
            }
        case "lookup":
            guard unsafe !reader.has(NFTNL_EXPR_LOOKUP_DREG) else { return nil }
            return unsafe .lookup(
                register: reader.number(NFTNL_EXPR_LOOKUP_SREG),
                set: reader.text(NFTNL_EXPR_LOOKUP_SET),
                inverted: reader.number(NFTNL_EXPR_LOOKUP_FLAGS) & 1 == 1
            )
        case "immediate":
            return unsafe readImmediate(reader)
        case "counter":
            return unsafe .counter(
                packets: reader.wide(NFTNL_EXPR_CTR_PACKETS),
                bytes: reader.wide(NFTNL_EXPR_CTR_BYTES)
            )
        case "redir":
            return unsafe readRedirect(reader)
        case "nat":
            return unsafe readTranslation(reader)
        case "tproxy":
            return unsafe .transparentProxy(
                family: reader.number(NFTNL_EXPR_TPROXY_FAMILY),
                addressRegister: reader.number(NFTNL_EXPR_TPROXY_REG_ADDR),
                portRegister: reader.number(NFTNL_EXPR_TPROXY_REG_PORT)
            )
        case "reject":
            return unsafe .reject(
                Rejection(reader.number(NFTNL_EXPR_REJECT_TYPE), reader.byte(NFTNL_EXPR_REJECT_CODE))
            )
        default:
            return nil
        }
    }

    private static func readHash(_ reader: ExpressionReader) -> NetfilterExpression? {
        guard unsafe reader.number(NFTNL_EXPR_HASH_TYPE) == jenkinsHash,
            unsafe reader.number(NFTNL_EXPR_HASH_OFFSET) == 0
        else { return nil }
        return unsafe .hash(
            register: reader.number(NFTNL_EXPR_HASH_SREG),
            length: reader.number(NFTNL_EXPR_HASH_LEN),
            modulus: reader.number(NFTNL_EXPR_HASH_MODULUS),
            seed: reader.number(NFTNL_EXPR_HASH_SEED),
            into: reader.number(NFTNL_EXPR_HASH_DREG)
        )
    }

    private static func readStoring(_ reader: ExpressionReader) -> NetfilterExpression? {
        guard unsafe reader.number(NFTNL_EXPR_PAYLOAD_BASE) == PayloadBase.transport.rawValue,
            unsafe reader.number(NFTNL_EXPR_PAYLOAD_CSUM_TYPE) == internetChecksum,
            unsafe reader.number(NFTNL_EXPR_PAYLOAD_CSUM_OFFSET) == checksumOfTCP,
            unsafe reader.number(NFTNL_EXPR_PAYLOAD_FLAGS) == 0
        else { return nil }
        return unsafe .storeTransport(
            offset: reader.number(NFTNL_EXPR_PAYLOAD_OFFSET),
            length: reader.number(NFTNL_EXPR_PAYLOAD_LEN),
            from: reader.number(NFTNL_EXPR_PAYLOAD_SREG)
        )
    }

    private static func readMeta(_ reader: ExpressionReader) -> NetfilterExpression? {
        guard let key = unsafe MetaKey(rawValue: reader.number(NFTNL_EXPR_META_KEY)) else { return nil }
        guard unsafe reader.has(NFTNL_EXPR_META_SREG) else {
            return unsafe .loadMeta(key, into: reader.number(NFTNL_EXPR_META_DREG))
        }
        return unsafe .storeMeta(key, from: reader.number(NFTNL_EXPR_META_SREG))
    }

    private static func readRoute(_ reader: ExpressionReader) -> NetfilterExpression? {
        let register = unsafe reader.number(NFTNL_EXPR_FIB_DREG)
        return switch unsafe (reader.number(NFTNL_EXPR_FIB_RESULT), reader.number(NFTNL_EXPR_FIB_FLAGS)) {
        case (addressTypeResult, sourceAddressFlag): .loadSourceAddressType(into: register)
        case (addressTypeResult, destinationAddressFlag): .loadDestinationAddressType(into: register)
        case (deviceResult, reversePathFlags): .loadReversePath(into: register)
        default: nil
        }
    }

    private static func readFlow(_ reader: ExpressionReader) -> NetfilterExpression? {
        guard let key = unsafe FlowKey(rawValue: reader.number(NFTNL_EXPR_CT_KEY)) else { return nil }
        guard unsafe reader.has(NFTNL_EXPR_CT_SREG) else {
            return unsafe .loadFlow(key, into: reader.number(NFTNL_EXPR_CT_DREG))
        }
        return unsafe .storeFlow(key, from: reader.number(NFTNL_EXPR_CT_SREG))
    }

    private static func readImmediate(_ reader: ExpressionReader) -> NetfilterExpression? {
        let register = unsafe reader.number(NFTNL_EXPR_IMM_DREG)
        guard register == 0 else { return unsafe .immediate(register: register, reader.bytes(NFTNL_EXPR_IMM_DATA)) }
        let code = unsafe Int32(bitPattern: reader.number(NFTNL_EXPR_IMM_VERDICT))
        if code == jumpVerdict { return unsafe .jump(reader.text(NFTNL_EXPR_IMM_CHAIN)) }
        return Verdict(rawValue: code).map { .verdict($0) }
    }

    private static func readTranslation(_ reader: ExpressionReader) -> NetfilterExpression? {
        let address = unsafe reader.number(NFTNL_EXPR_NAT_REG_ADDR_MIN)
        let last = unsafe reader.number(NFTNL_EXPR_NAT_REG_ADDR_MAX)
        // The kernel adds "there is an address" (1) to the flags itself; a port, a range or another flag is none of ours.
        guard unsafe reader.number(NFTNL_EXPR_NAT_TYPE) == destinationTranslation, last == 0 || last == address,
            unsafe reader.number(NFTNL_EXPR_NAT_REG_PROTO_MIN) == 0,
            unsafe reader.number(NFTNL_EXPR_NAT_FLAGS) & ~1 == 0
        else { return nil }
        return unsafe .translateDestination(family: reader.number(NFTNL_EXPR_NAT_FAMILY), addressRegister: address)
    }

    private static func readRedirect(_ reader: ExpressionReader) -> NetfilterExpression? {
        // The kernel adds "the port is given" (2) to the flags itself; any other flag is none of ours.
        guard unsafe reader.number(NFTNL_EXPR_REDIR_FLAGS) & ~2 == 0 else { return nil }
        let register = unsafe reader.number(NFTNL_EXPR_REDIR_REG_PROTO_MIN)
        let last = unsafe reader.number(NFTNL_EXPR_REDIR_REG_PROTO_MAX)
        return last == 0 || last == register ? .redirect(portRegister: register) : nil
    }
}

/// `NFT_HASH_JENKINS`.
private let jenkinsHash: UInt32 = 0
/// `NFT_BYTEORDER_HTON`.
private let hostToNetwork: UInt32 = 1
/// `NFT_PAYLOAD_CSUM_INET`.
private let internetChecksum: UInt32 = 1
/// Where it stands in the header (RFC 9293, section 3.1).
private let checksumOfTCP: UInt32 = 16
/// `NFT_JUMP`.
private let jumpVerdict: Int32 = -3
/// `NFT_NAT_DNAT`.
private let destinationTranslation: UInt32 = 1
/// `NFT_FIB_RESULT_ADDRTYPE`.
private let addressTypeResult: UInt32 = 3
/// `NFTA_FIB_F_SADDR`.
private let sourceAddressFlag: UInt32 = 1
/// `NFTA_FIB_F_DADDR`.
private let destinationAddressFlag: UInt32 = 2
/// `NFT_FIB_RESULT_OIF`.
private let deviceResult: UInt32 = 1
/// `NFTA_FIB_F_SADDR`, `…_IIF` and `…_PRESENT`: not which device, only whether there is one.
private let reversePathFlags: UInt32 = 0x29

extension NetfilterExpression.Rejection {
    /// `NFT_REJECT_…` and the code within it.
    fileprivate var numbers: (type: UInt32, code: UInt8) {
        switch self {
        case .tcpReset: (1, 0)
        case .administrativelyProhibited: (2, 3)
        case .other(let type, let code): (type, code)
        }
    }

    fileprivate init(_ type: UInt32, _ code: UInt8) {
        switch (type, code) {
        case (1, _): self = .tcpReset
        case (2, 3): self = .administrativelyProhibited
        case (let type, let code): self = .other(type: type, code: code)
        }
    }
}

/// The attributes of an expression of libnftnl.
///
/// It owns nothing and does not outlive its rule.
@unsafe private struct ExpressionReader {
    let object: OpaquePointer

    func has(_ attribute: Int) -> Bool { unsafe nftnl_expr_is_set(object, UInt16(attribute)) }
    func number(_ attribute: Int) -> UInt32 {
        unsafe has(attribute) ? nftnl_expr_get_u32(object, UInt16(attribute)) : 0
    }
    func wide(_ attribute: Int) -> UInt64 {
        unsafe has(attribute) ? nftnl_expr_get_u64(object, UInt16(attribute)) : 0
    }
    func byte(_ attribute: Int) -> UInt8 {
        unsafe has(attribute) ? nftnl_expr_get_u8(object, UInt16(attribute)) : 0
    }
    func text(_ attribute: Int) -> String {
        unsafe NetfilterBindings.text(nftnl_expr_get_str(object, UInt16(attribute)))
    }
    func bytes(_ attribute: Int) -> [UInt8] {
        var length: UInt32 = 0
        guard let start = unsafe nftnl_expr_get(object, UInt16(attribute), &length) else { return [] }
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: Int(length)))
    }
}

/// A C string of libnftnl; empty for none.
@unsafe func text(_ string: UnsafePointer<CChar>?) -> String {
    unsafe string.map { unsafe String(cString: $0) } ?? ""
}
