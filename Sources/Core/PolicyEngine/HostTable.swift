import NetworkTypes

/// Values by host pattern: one look at each suffix of a name finds them all.
struct HostTable<Value: Sendable>: Sendable {
    /// Places in `entries`, or `free`; the count is a power of two.
    private var slots: [Int32]
    private var entries: [Entry]

    private struct Entry: Sendable {
        let hash: UInt64
        let name: HostName
        /// Of the name itself.
        var exact: Value?
        /// Of every name below it.
        var below: Value?
    }

    private static var free: Int32 { -1 }

    private init(entries: [Entry], slots: [Int32]) {
        self.entries = entries
        self.slots = slots
    }

    /// Every value, in the order in which the patterns came.
    var values: [Value] {
        entries.flatMap { [$0.exact, $0.below].compactMap(\.self) }
    }

    func mapValues<Other>(_ transform: (Value) -> Other) -> HostTable<Other> {
        let entries = entries.map { entry in
            HostTable<Other>.Entry(
                hash: entry.hash,
                name: entry.name,
                exact: entry.exact.map(transform),
                below: entry.below.map(transform)
            )
        }
        return HostTable<Other>(entries: entries, slots: slots)
    }

    /// Adds the value of each pattern that matches a name.
    func collect(_ name: HostName, into values: inout [Value]) {
        let octets = name.text.utf8.span
        var hash = SuffixHash()
        for index in octets.indices.reversed() {
            if octets[index] == UInt8(ascii: "."), let place = find(hash.value, octets, from: index + 1),
                let value = entries[place].below
            {
                values.append(value)
            }
            hash.add(octets[index])
        }
        if let place = find(hash.value, octets, from: 0), let value = entries[place].exact { values.append(value) }
    }

    /// True where a pattern matches a name.
    func holds(_ name: HostName) -> Bool {
        let octets = name.text.utf8.span
        var hash = SuffixHash()
        for index in octets.indices.reversed() {
            if octets[index] == UInt8(ascii: "."), let place = find(hash.value, octets, from: index + 1),
                entries[place].below != nil
            {
                return true
            }
            hash.add(octets[index])
        }
        return find(hash.value, octets, from: 0).map { entries[$0].exact != nil } ?? false
    }

    private func find(_ hash: UInt64, _ octets: Span<UInt8>, from start: Int) -> Int? {
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != Self.free {
            let place = Int(slots[slot])
            if entries[place].hash == hash, isSuffix(entries[place].name, octets, from: start) { return place }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func isSuffix(_ name: HostName, _ octets: Span<UInt8>, from start: Int) -> Bool {
        let other = name.text.utf8.span
        guard other.count == octets.count - start else { return false }
        for index in other.indices where other[index] != octets[start + index] { return false }
        return true
    }
}

extension HostTable where Value == [Int] {
    /// Sorts places of rules in by their patterns.
    init(_ items: [(patterns: [HostPattern], place: Int)]) {
        let count = items.reduce(0) { $0 + $1.patterns.count }
        var size = 8
        while size < count * 2 { size *= 2 }
        self.init(entries: [], slots: Array(repeating: Self.free, count: size))
        for item in items {
            for pattern in item.patterns { add(pattern, item.place) }
        }
    }

    private mutating func add(_ pattern: HostPattern, _ place: Int) {
        switch pattern {
        case .exact(let name): entries[entry(name)].exact.append(place)
        case .below(let name): entries[entry(name)].below.append(place)
        }
    }

    private mutating func entry(_ name: HostName) -> Int {
        let octets = name.text.utf8.span
        var hash = SuffixHash()
        for index in octets.indices.reversed() { hash.add(octets[index]) }
        if let place = find(hash.value, octets, from: 0) { return place }
        var slot = Int(truncatingIfNeeded: hash.value) & (slots.count - 1)
        while slots[slot] != Self.free { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(clamping: entries.count)
        entries.append(Entry(hash: hash.value, name: name, exact: nil, below: nil))
        return entries.count - 1
    }
}

extension [Int]? {
    /// Adds a place that is not there already as the last.
    mutating func append(_ place: Int) {
        var places = self ?? []
        if places.last != place { places.append(place) }
        self = places
    }
}

/// FNV-1a over the octets of a name from its end, so that it has passed every suffix on its way.
private struct SuffixHash {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ octet: UInt8) {
        state = (state ^ UInt64(octet)) &* 0x100_0000_01b3
    }

    /// The low bits of FNV alone are poor.
    var value: UInt64 { state ^ state >> 32 }
}
