import OpenSSLBindings

/// Names in the order in which they asked, let through at a bounded rate.
struct LeafQueue {
    enum Next: Equatable {
        case name(CertifiedName)
        case later(milliseconds: UInt32)
        case empty
    }

    private static let second: UInt64 = 1_000_000_000

    private var names: [CertifiedName] = []
    private var first = 0
    /// Nanoseconds that each name costs.
    private let cost: UInt64
    /// The most that can be saved up, in nanoseconds.
    private let most: UInt64
    private var saved: UInt64
    private var last: UInt64

    init(perSecond: Int, burst: Int, at now: UInt64) {
        cost = Self.second / UInt64(max(1, perSecond))
        most = cost * UInt64(max(1, burst))
        saved = most
        last = now
    }

    mutating func append(_ name: CertifiedName) { names.append(name) }

    /// Puts a name before all others.
    ///
    /// It was paid for.
    mutating func appendFirst(_ name: CertifiedName) {
        names.replaceSubrange(..<first, with: [name])
        first = 0
        saved = min(most, saved + cost)
    }

    mutating func removeAll() {
        names = []
        first = 0
    }

    /// Takes the name whose turn it is.
    mutating func next(at now: UInt64) -> Next {
        saved = min(most, saved + (now > last ? min(now - last, most) : 0))
        last = max(last, now)
        guard first < names.count else { return .empty }
        guard saved >= cost else {
            return .later(milliseconds: UInt32(clamping: (cost - saved) / 1_000_000 + 1))
        }
        saved -= cost
        let name = names[first]
        first += 1
        // The places before are given back now and then, at a cost that is spread over many names.
        if first > 64, first * 2 > names.count {
            names.removeFirst(first)
            first = 0
        }
        return .name(name)
    }
}
