/// A table as the kernel tells of it.
package struct NetfilterTable: Hashable, Sendable {
    package var name: String
    /// The kernel's number of the family: 1 is `inet`.
    package var family: UInt32
    /// Not 0 for a table that is switched off (1) or owned by a process (2).
    package var flags: UInt32
}

/// A chain of a table.
package struct NetfilterChain: Hashable, Sendable {
    package var table: String
    /// The kernel's number of the table's family.
    package var family: UInt32
    package var name: String
    /// Where it hooks in; `nil` for a chain that is only jumped to.
    package var base: Base?

    /// A place in the kernel's path of a packet.
    package struct Base: Hashable, Sendable {
        /// `nat`, `filter` or `route`.
        package var type: String
        /// `NF_INET_…`: 1 input, 2 forward, 3 output, 4 postrouting.
        package var hook: UInt32
        /// Lower numbers come first.
        package var priority: Int32
        /// True where a packet that no rule decides is dropped.
        package var dropsByDefault: Bool

        package init(type: String, hook: UInt32, priority: Int32, dropsByDefault: Bool) {
            self.type = type
            self.hook = hook
            self.priority = priority
            self.dropsByDefault = dropsByDefault
        }
    }

    package init(table: String, family: UInt32 = NetfilterFamily.inet, name: String, base: Base?) {
        self.table = table
        self.family = family
        self.name = name
        self.base = base
    }
}

/// A named set of a table.
package struct NetfilterSet: Hashable, Sendable {
    package var name: String
    /// The number that nft(8) gives to the type of the keys: 13 is `inet_service`, a port.
    package var keyType: UInt32
    /// In octets.
    package var keyLength: UInt32
    /// `NFT_SET_…`: constant, interval, map and so on; 0 for ours.
    package var flags: UInt32
    package var elements: Set<[UInt8]>

    package init(name: String, keyType: UInt32, keyLength: UInt32, flags: UInt32 = 0, elements: Set<[UInt8]>) {
        self.name = name
        self.keyType = keyType
        self.keyLength = keyLength
        self.flags = flags
        self.elements = elements
    }
}

/// A rule of a chain.
package struct NetfilterRule: Hashable, Sendable {
    package var chain: String
    package var expressions: [NetfilterExpression]
    /// What `nft list ruleset` shows as the rule's comment.
    package var comment: String?

    package init(chain: String, expressions: [NetfilterExpression], comment: String?) {
        self.chain = chain
        self.expressions = expressions
        self.comment = comment
    }
}

/// The kernel's numbers of the families that we name.
package enum NetfilterFamily {
    package static let unspecified: UInt32 = 0
    /// IPv4 and IPv6 in one table.
    package static let inet: UInt32 = 1
    package static let ipv4: UInt32 = 2
    package static let ipv6: UInt32 = 10
}

/// One step of a transaction.
package enum NetfilterChange: Hashable, Sendable {
    /// Makes the table, or leaves the one that is there.
    case addTable(String)
    /// Removes the table with everything in it.
    case deleteTable(String)
    case addSet(NetfilterSet, table: String)
    case addChain(NetfilterChain)
    case addRule(NetfilterRule, table: String)
}

/// Why the kernel's tables could not be read or changed.
package enum NetfilterError: Error, Hashable, Sendable {
    /// The netlink socket: which call, and `errno`.
    case socket(call: String, code: Int32)
    /// The kernel refused a transaction: at which change (`nil`: as a whole), and `errno`. Nothing was changed.
    case refused(change: Int?, code: Int32)
    /// The kernel refused a question: `errno`.
    case unreadable(code: Int32)
    /// The tables changed again and again while they were read.
    case restless
    /// libnftnl cannot build this expression.
    case unknownExpression(String)
    /// An answer of the kernel that cannot be understood.
    case malformedAnswer
    case outOfMemory
}
