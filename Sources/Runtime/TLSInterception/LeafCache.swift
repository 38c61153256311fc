import OpenSSLBindings

/// Leaves by name: at most so many, and the one longest unused goes first.
///
/// Each question and each change takes the same time, however many there are.
struct LeafCache {
    private struct Slot {
        var name: CertifiedName
        var leaf: Leaf
        var newer: Int?
        var older: Int?
    }

    private let capacity: Int
    private var slots: [Slot] = []
    private var places: [CertifiedName: Int] = [:]
    private var newest: Int?
    private var oldest: Int?

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { slots.count }

    /// The leaf for a name, which is now the one used last.
    mutating func use(_ name: CertifiedName) -> Leaf? {
        guard let place = places[name] else { return nil }
        if place != newest {
            unlink(place)
            linkAsNewest(place)
        }
        return slots[place].leaf
    }

    /// Keeps a leaf.
    ///
    /// - Returns: whether another had to go.
    mutating func keep(_ leaf: Leaf, for name: CertifiedName) -> Bool {
        if let place = places[name] {
            slots[place].leaf = leaf
            return false
        }
        if slots.count < capacity {
            slots.append(Slot(name: name, leaf: leaf))
            places[name] = slots.count - 1
            linkAsNewest(slots.count - 1)
            return false
        }
        guard let place = oldest else { return false }
        unlink(place)
        places[slots[place].name] = nil
        slots[place] = Slot(name: name, leaf: leaf)
        places[name] = place
        linkAsNewest(place)
        return true
    }

    private mutating func unlink(_ place: Int) {
        let slot = slots[place]
        if let newer = slot.newer { slots[newer].older = slot.older } else { newest = slot.older }
        if let older = slot.older { slots[older].newer = slot.newer } else { oldest = slot.newer }
    }

    private mutating func linkAsNewest(_ place: Int) {
        slots[place].newer = nil
        slots[place].older = newest
        if let newest { slots[newest].newer = place } else { oldest = place }
        newest = place
    }
}
