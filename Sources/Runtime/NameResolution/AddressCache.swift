import NetworkTypes

/// What names resolved to, for as long as it may be believed.
///
/// Never more than a fixed number of names. When it is full a new name takes the place of one that was not asked for
/// since the hand last passed it (the clock algorithm): both operations cost the same however many names there are.
struct AddressCache {
    private struct Slot {
        var name: HostName
        var result: ResolutionResult
        /// Milliseconds on the host's clock.
        var expires: UInt64
        var wasUsed: Bool
    }

    private let capacity: Int
    private var slots: [Slot] = []
    private var places: [HostName: Int] = [:]
    private var hand = 0

    /// Makes an empty one; a capacity of zero remembers nothing.
    init(capacity: Int) {
        self.capacity = max(0, capacity)
    }

    var count: Int { slots.count }

    /// What is remembered of a name and has not expired.
    mutating func result(for name: HostName, now: UInt64) -> ResolutionResult? {
        guard let place = places[name], now < slots[place].expires else { return nil }
        slots[place].wasUsed = true
        return slots[place].result
    }

    /// Remembers a result until `expires`, in place of what was remembered of the name.
    mutating func store(_ result: ResolutionResult, for name: HostName, expires: UInt64, now: UInt64) {
        guard capacity > 0 else { return }
        let slot = Slot(name: name, result: result, expires: expires, wasUsed: false)
        if let place = places[name] {
            slots[place] = slot
        } else if slots.count < capacity {
            places[name] = slots.count
            slots.append(slot)
        } else {
            let place = freedPlace(now: now)
            places[name] = place
            slots[place] = slot
        }
    }

    /// Ends after two rounds at most: the first takes every mark away.
    private mutating func freedPlace(now: UInt64) -> Int {
        while true {
            let place = hand
            hand = (hand + 1) % slots.count
            if slots[place].wasUsed, now < slots[place].expires {
                slots[place].wasUsed = false
                continue
            }
            places[slots[place].name] = nil
            return place
        }
    }
}
