import CNetfilter

extension NetfilterSocket {
    /// Every table of every family.
    package mutating func tables() throws(NetfilterError) -> [NetfilterTable] {
        try unsafe dump(
            {
                unsafe buildMessage(UInt16(NFT_MSG_GETTABLE.rawValue), family: 0, ChangeFlags.dump, sequence: $0) { _ in
                }
            },
            { unsafe readTable($0) }
        )
    }

    /// Every chain of every table.
    package mutating func chains() throws(NetfilterError) -> [NetfilterChain] {
        try unsafe dump(
            {
                unsafe buildMessage(UInt16(NFT_MSG_GETCHAIN.rawValue), family: 0, ChangeFlags.dump, sequence: $0) { _ in
                }
            },
            { unsafe readChain($0) }
        )
    }

    /// The rules of an `inet` table, chain by chain, in their order.
    package mutating func rules(table: String) throws(NetfilterError) -> [NetfilterRule] {
        let filter = try RuleObject(table: table)
        let pointer = unsafe filter.pointer
        defer { extendLifetime(filter) }
        return try unsafe dump(
            { sequence in
                unsafe buildMessage(UInt16(NFT_MSG_GETRULE.rawValue), ChangeFlags.dump, sequence: sequence) {
                    unsafe nftnl_rule_nlmsg_build_payload($0, pointer)
                }
            },
            { unsafe readRule($0) }
        )
    }

    /// The sets and maps of an `inet` table, with their elements.
    package mutating func sets(table: String) throws(NetfilterError) -> [NetfilterSet] {
        let filter = try SetObject(table: table)
        let pointer = unsafe filter.pointer
        defer { extendLifetime(filter) }
        var sets: [NetfilterSet] = try unsafe dump(
            { sequence in
                unsafe buildMessage(UInt16(NFT_MSG_GETSET.rawValue), ChangeFlags.dump, sequence: sequence) {
                    unsafe nftnl_set_nlmsg_build_payload($0, pointer)
                }
            },
            { unsafe readSet($0) }
        )
        for index in sets.indices { sets[index].elements = try elements(of: sets[index].name, table: table) }
        return sets
    }

    private mutating func elements(of set: String, table: String) throws(NetfilterError) -> Set<[UInt8]> {
        let filter = try SetObject(table: table, name: set)
        let pointer = unsafe filter.pointer
        defer { extendLifetime(filter) }
        let parts: [[[UInt8]]] = try unsafe dump(
            { sequence in
                unsafe buildMessage(UInt16(NFT_MSG_GETSETELEM.rawValue), ChangeFlags.dump, sequence: sequence) {
                    unsafe nftnl_set_elems_nlmsg_build_payload($0, pointer)
                }
            },
            { unsafe readElements($0) }
        )
        return Set(parts.joined())
    }
}

@unsafe private func readTable(_ header: UnsafePointer<nlmsghdr>) -> NetfilterTable? {
    guard let object = try? TableObject(), unsafe nftnl_table_nlmsg_parse(header, object.pointer) == 0 else {
        return nil
    }
    return NetfilterTable(
        name: unsafe text(nftnl_table_get_str(object.pointer, UInt16(NFTNL_TABLE_NAME.rawValue))),
        family: unsafe nftnl_table_get_u32(object.pointer, UInt16(NFTNL_TABLE_FAMILY.rawValue)),
        flags: unsafe nftnl_table_get_u32(object.pointer, UInt16(NFTNL_TABLE_FLAGS.rawValue))
    )
}

@unsafe private func readChain(_ header: UnsafePointer<nlmsghdr>) -> NetfilterChain? {
    guard let object = try? ChainObject(), unsafe nftnl_chain_nlmsg_parse(header, object.pointer) == 0 else {
        return nil
    }
    let pointer = unsafe object.pointer
    var base: NetfilterChain.Base?
    if unsafe nftnl_chain_is_set(pointer, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue)) {
        base = NetfilterChain.Base(
            type: unsafe text(nftnl_chain_get_str(pointer, UInt16(NFTNL_CHAIN_TYPE.rawValue))),
            hook: unsafe nftnl_chain_get_u32(pointer, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue)),
            priority: unsafe nftnl_chain_get_s32(pointer, UInt16(NFTNL_CHAIN_PRIO.rawValue)),
            dropsByDefault: unsafe nftnl_chain_get_u32(pointer, UInt16(NFTNL_CHAIN_POLICY.rawValue)) == 0
        )
    }
    let chain = NetfilterChain(
        table: unsafe text(nftnl_chain_get_str(pointer, UInt16(NFTNL_CHAIN_TABLE.rawValue))),
        family: unsafe nftnl_chain_get_u32(pointer, UInt16(NFTNL_CHAIN_FAMILY.rawValue)),
        name: unsafe text(nftnl_chain_get_str(pointer, UInt16(NFTNL_CHAIN_NAME.rawValue))),
        base: base
    )
    extendLifetime(object)
    return chain
}

@unsafe private func readRule(_ header: UnsafePointer<nlmsghdr>) -> NetfilterRule? {
    guard let object = try? RuleObject(table: ""), unsafe nftnl_rule_nlmsg_parse(header, object.pointer) == 0 else {
        return nil
    }
    let pointer = unsafe object.pointer
    guard let iterator = unsafe nftnl_expr_iter_create(pointer) else { return nil }
    var expressions: [NetfilterExpression] = []
    while let expression = unsafe nftnl_expr_iter_next(iterator) {
        expressions.append(unsafe NetfilterExpression(reading: expression))
    }
    unsafe nftnl_expr_iter_destroy(iterator)
    var length: UInt32 = 0
    let data = unsafe nftnl_rule_get_data(pointer, UInt16(NFTNL_RULE_USERDATA.rawValue), &length)
        .map { unsafe Array(UnsafeRawBufferPointer(start: $0, count: Int(length))) }
    let rule = NetfilterRule(
        chain: unsafe text(nftnl_rule_get_str(pointer, UInt16(NFTNL_RULE_CHAIN.rawValue))),
        expressions: expressions,
        comment: data.flatMap { comment(inUserData: $0) }
    )
    extendLifetime(object)
    return rule
}

@unsafe private func readSet(_ header: UnsafePointer<nlmsghdr>) -> NetfilterSet? {
    guard let object = try? SetObject(table: ""), unsafe nftnl_set_nlmsg_parse(header, object.pointer) == 0 else {
        return nil
    }
    return NetfilterSet(
        name: unsafe text(nftnl_set_get_str(object.pointer, UInt16(NFTNL_SET_NAME.rawValue))),
        keyType: unsafe nftnl_set_get_u32(object.pointer, UInt16(NFTNL_SET_KEY_TYPE.rawValue)),
        keyLength: unsafe nftnl_set_get_u32(object.pointer, UInt16(NFTNL_SET_KEY_LEN.rawValue)),
        flags: unsafe nftnl_set_get_u32(object.pointer, UInt16(NFTNL_SET_FLAGS.rawValue)),
        elements: []
    )
}

@unsafe private func readElements(_ header: UnsafePointer<nlmsghdr>) -> [[UInt8]]? {
    guard let object = try? SetObject(table: ""), unsafe nftnl_set_elems_nlmsg_parse(header, object.pointer) == 0,
        let iterator = unsafe nftnl_set_elems_iter_create(object.pointer)
    else { return nil }
    var keys: [[UInt8]] = []
    while let element = unsafe nftnl_set_elems_iter_next(iterator) {
        var length: UInt32 = 0
        guard let start = unsafe nftnl_set_elem_get(element, UInt16(NFTNL_SET_ELEM_KEY), &length) else {
            continue
        }
        keys.append(unsafe Array(UnsafeRawBufferPointer(start: start, count: Int(length))))
    }
    unsafe nftnl_set_elems_iter_destroy(iterator)
    extendLifetime(object)
    return keys
}
