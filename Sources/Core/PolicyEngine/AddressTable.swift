import NetworkTypes

/// Values by address block: a trie for each family, in which a node is a block and its children are the blocks within it.
struct AddressTable<Value: Sendable>: Sendable {
    private let ipv4: AddressTrie<Value>
    private let ipv6: AddressTrie<Value>

    private init(ipv4: AddressTrie<Value>, ipv6: AddressTrie<Value>) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    func mapValues<Other>(_ transform: (Value) -> Other) -> AddressTable<Other> {
        AddressTable<Other>(ipv4: ipv4.mapValues(transform), ipv6: ipv6.mapValues(transform))
    }

    /// Adds the value of each block that holds an address.
    func collect(_ address: IPAddress, into values: inout [Value]) {
        switch address {
        case .v4: ipv4.collect(address.leadingBits, into: &values)
        case .v6: ipv6.collect(address.leadingBits, into: &values)
        }
    }
}

extension AddressTable where Value == [Int] {
    /// Sorts places of rules in by their blocks.
    init(_ items: [(blocks: [CIDR], place: Int)]) {
        var ipv4: [AddressPrefix: [Int]] = [:]
        var ipv6: [AddressPrefix: [Int]] = [:]
        for item in items {
            for block in Set(item.blocks) {
                let prefix = AddressPrefix(bits: block.base.leadingBits, length: block.prefixLength)
                switch block.base {
                case .v4: ipv4[prefix, default: []].append(item.place)
                case .v6: ipv6[prefix, default: []].append(item.place)
                }
            }
        }
        self.init(ipv4: AddressTrie(ipv4), ipv6: AddressTrie(ipv6))
    }
}

/// The first bits of an address, the others being zero.
struct AddressPrefix: Hashable, Sendable {
    let bits: UInt128
    let length: Int

    func contains(_ other: UInt128) -> Bool {
        (bits ^ other) & Self.mask(length) == 0
    }

    /// The longest prefix that both have.
    func common(with other: AddressPrefix) -> AddressPrefix {
        let length = min(length, other.length, (bits ^ other.bits).leadingZeroBitCount)
        return AddressPrefix(bits: bits & Self.mask(length), length: length)
    }

    static func mask(_ length: Int) -> UInt128 {
        length == 0 ? 0 : ~0 << UInt128(128 - length)
    }
}

extension IPAddress {
    /// The bits of the address, the first of them the highest.
    var leadingBits: UInt128 {
        switch self {
        case .v4(let address): UInt128(address.bits) << 96
        case .v6(let address): UInt128(address.high) << 64 | UInt128(address.low)
        }
    }
}

/// A binary trie in which only the places where blocks part, or are, have a node.
struct AddressTrie<Value: Sendable>: Sendable {
    private var nodes: [Node] = []

    private struct Node: Sendable {
        var prefix: AddressPrefix
        var value: Value?
        /// Of the addresses whose next bit is 0, and 1.
        var children: (Int32?, Int32?) = (nil, nil)
    }

    /// Builds the trie of blocks.
    init(_ values: [AddressPrefix: Value]) {
        let order = values.sorted { ($0.key.bits, $0.key.length) < ($1.key.bits, $1.key.length) }
        for (prefix, value) in order { insert(prefix, value) }
    }

    private init(nodes: [Node]) {
        self.nodes = nodes
    }

    func mapValues<Other>(_ transform: (Value) -> Other) -> AddressTrie<Other> {
        AddressTrie<Other>(
            nodes: nodes.map {
                AddressTrie<Other>.Node(prefix: $0.prefix, value: $0.value.map(transform), children: $0.children)
            }
        )
    }

    /// Adds the value of each block that holds an address.
    func collect(_ bits: UInt128, into values: inout [Value]) {
        var next: Int32? = nodes.isEmpty ? nil : 0
        while let place = next.map(Int.init), nodes[place].prefix.contains(bits) {
            if let value = nodes[place].value { values.append(value) }
            guard nodes[place].prefix.length < 128 else { return }
            next = isSet(bits, nodes[place].prefix.length) ? nodes[place].children.1 : nodes[place].children.0
        }
    }

    /// In the order of their bits, so that a block comes before those within it.
    private mutating func insert(_ prefix: AddressPrefix, _ value: Value) {
        guard !nodes.isEmpty else { return nodes.append(Node(prefix: prefix, value: value)) }
        var place = 0
        while true {
            let common = nodes[place].prefix.common(with: prefix)
            guard common.length == nodes[place].prefix.length else {
                return part(place, at: common, Node(prefix: prefix, value: value))
            }
            guard common.length < prefix.length else { return nodes[place].value = value }
            guard let child = child(of: place, for: prefix.bits) else {
                return adopt(Node(prefix: prefix, value: value), under: place)
            }
            place = child
        }
    }

    private func child(of place: Int, for bits: UInt128) -> Int? {
        let children = nodes[place].children
        return (isSet(bits, nodes[place].prefix.length) ? children.1 : children.0).map(Int.init)
    }

    private mutating func adopt(_ node: Node, under place: Int) {
        nodes.append(node)
        link(Int32(clamping: nodes.count - 1), node.prefix.bits, under: place)
    }

    private mutating func link(_ child: Int32, _ bits: UInt128, under place: Int) {
        if isSet(bits, nodes[place].prefix.length) {
            nodes[place].children.1 = child
        } else {
            nodes[place].children.0 = child
        }
    }

    /// Puts a node for what two blocks have in common in the place of one of them.
    private mutating func part(_ place: Int, at common: AddressPrefix, _ node: Node) {
        let moved = nodes[place]
        nodes.append(moved)
        nodes[place] = Node(prefix: common, value: nil)
        link(Int32(clamping: nodes.count - 1), moved.prefix.bits, under: place)
        if node.prefix.length == common.length {
            nodes[place].value = node.value
        } else {
            adopt(node, under: place)
        }
    }

    private func isSet(_ bits: UInt128, _ place: Int) -> Bool {
        bits >> UInt128(127 - place) & 1 == 1
    }
}
