import CNetfilter

/// libnftnl's table; freed with its owner.
@safe struct TableObject: ~Copyable {
    let pointer: OpaquePointer

    init() throws(NetfilterError) {
        guard let pointer = unsafe nftnl_table_alloc() else { throw .outOfMemory }
        unsafe self.pointer = pointer
    }

    init(_ name: String) throws(NetfilterError) {
        try self.init()
        unsafe nftnl_table_set_u32(pointer, UInt16(NFTNL_TABLE_FAMILY.rawValue), NetfilterFamily.inet)
        unsafe nftnl_table_set_str(pointer, UInt16(NFTNL_TABLE_NAME.rawValue), name)
    }

    deinit { unsafe nftnl_table_free(pointer) }
}

/// libnftnl's chain; freed with its owner.
@safe struct ChainObject: ~Copyable {
    let pointer: OpaquePointer

    init() throws(NetfilterError) {
        guard let pointer = unsafe nftnl_chain_alloc() else { throw .outOfMemory }
        unsafe self.pointer = pointer
    }

    init(_ chain: NetfilterChain) throws(NetfilterError) {
        try self.init()
        unsafe nftnl_chain_set_u32(pointer, UInt16(NFTNL_CHAIN_FAMILY.rawValue), chain.family)
        unsafe nftnl_chain_set_str(pointer, UInt16(NFTNL_CHAIN_TABLE.rawValue), chain.table)
        unsafe nftnl_chain_set_str(pointer, UInt16(NFTNL_CHAIN_NAME.rawValue), chain.name)
        guard let base = chain.base else { return }
        unsafe nftnl_chain_set_str(pointer, UInt16(NFTNL_CHAIN_TYPE.rawValue), base.type)
        unsafe nftnl_chain_set_u32(pointer, UInt16(NFTNL_CHAIN_HOOKNUM.rawValue), base.hook)
        unsafe nftnl_chain_set_s32(pointer, UInt16(NFTNL_CHAIN_PRIO.rawValue), base.priority)
        unsafe nftnl_chain_set_u32(pointer, UInt16(NFTNL_CHAIN_POLICY.rawValue), base.dropsByDefault ? 0 : 1)
    }

    deinit { unsafe nftnl_chain_free(pointer) }
}

/// libnftnl's rule with its expressions; freed with its owner.
@safe struct RuleObject: ~Copyable {
    let pointer: OpaquePointer

    init(table: String) throws(NetfilterError) {
        guard let pointer = unsafe nftnl_rule_alloc() else { throw .outOfMemory }
        unsafe self.pointer = pointer
        unsafe nftnl_rule_set_u32(pointer, UInt16(NFTNL_RULE_FAMILY.rawValue), NetfilterFamily.inet)
        unsafe nftnl_rule_set_str(pointer, UInt16(NFTNL_RULE_TABLE.rawValue), table)
    }

    func fill(_ rule: NetfilterRule) throws(NetfilterError) {
        unsafe nftnl_rule_set_str(pointer, UInt16(NFTNL_RULE_CHAIN.rawValue), rule.chain)
        if let comment = rule.comment {
            let data = userData(ofComment: comment)
            _ = unsafe data.withUnsafeBytes {
                unsafe nftnl_rule_set_data(
                    pointer,
                    UInt16(NFTNL_RULE_USERDATA.rawValue),
                    $0.baseAddress,
                    UInt32($0.count)
                )
            }
        }
        for expression in rule.expressions {
            let object = try unsafe expression.makeObject()
            unsafe nftnl_rule_add_expr(pointer, object)
        }
    }

    deinit { unsafe nftnl_rule_free(pointer) }
}

/// libnftnl's set with its elements; freed with its owner.
@safe struct SetObject: ~Copyable {
    let pointer: OpaquePointer

    init(table: String, name: String? = nil) throws(NetfilterError) {
        guard let pointer = unsafe nftnl_set_alloc() else { throw .outOfMemory }
        unsafe self.pointer = pointer
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_FAMILY.rawValue), NetfilterFamily.inet)
        unsafe nftnl_set_set_str(pointer, UInt16(NFTNL_SET_TABLE.rawValue), table)
        if let name { unsafe nftnl_set_set_str(pointer, UInt16(NFTNL_SET_NAME.rawValue), name) }
    }

    /// Takes what a new set needs; `identifier` tells it from the other sets of the same transaction.
    func fill(_ set: NetfilterSet, identifier: UInt32) throws(NetfilterError) {
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_ID.rawValue), identifier)
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_KEY_TYPE.rawValue), set.keyType)
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_KEY_LEN.rawValue), set.keyLength)
        for key in set.elements.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            guard let element = unsafe nftnl_set_elem_alloc() else { throw .outOfMemory }
            _ = unsafe key.withUnsafeBytes {
                unsafe nftnl_set_elem_set(
                    element,
                    UInt16(NFTNL_SET_ELEM_KEY),
                    $0.baseAddress,
                    UInt32($0.count)
                )
            }
            unsafe nftnl_set_elem_add(pointer, element)
        }
    }

    deinit { unsafe nftnl_set_free(pointer) }
}

/// The user data of a rule that nft(8) shows as its comment: type 0, the length with the closing NUL, the text.
func userData(ofComment comment: String) -> [UInt8] {
    let text = Array(comment.utf8.prefix(127)) + [0]
    return [0, UInt8(truncatingIfNeeded: text.count)] + text
}

/// The comment in a rule's user data, if there is one.
func comment(inUserData data: [UInt8]) -> String? {
    var rest = data[...]
    while rest.count >= 2 {
        let type = rest[rest.startIndex]
        let length = Int(rest[rest.startIndex + 1])
        let value = rest.dropFirst(2).prefix(length)
        guard value.count == length else { return nil }
        if type == 0 { return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self) }
        rest = rest.dropFirst(2 + length)
    }
    return nil
}
