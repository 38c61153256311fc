import OpenSSLBindings
import PolicyEngine

/// Names that wait to be made, let through at a bounded rate: those of each who asks in their order, and the askers by turns.
struct LeafQueue {
    enum Next: Equatable {
        case name(CertifiedName)
        case later(milliseconds: UInt32)
        case empty
    }

    private static let second: UInt64 = 1_000_000_000

    /// Those that come before all others.
    private var ahead: [CertifiedName] = []
    /// The names of each who asks.
    private var lines: [ConnectionOwner?: [CertifiedName]] = [:]
    /// Who has a line, in the order of their turns.
    private var turns: [ConnectionOwner?] = []
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

    mutating func append(_ name: CertifiedName, for asker: ConnectionOwner?) {
        if lines[asker] == nil { turns.append(asker) }
        lines[asker, default: []].append(name)
    }

    /// Puts a name before all others.
    ///
    /// It was paid for.
    mutating func appendFirst(_ name: CertifiedName) {
        ahead.append(name)
        saved = min(most, saved + cost)
    }

    /// Takes a name out of the line of one who asks, if it is there.
    mutating func remove(_ name: CertifiedName, of asker: ConnectionOwner?) {
        lines[asker]?.removeAll { $0 == name }
        guard lines[asker]?.isEmpty == true else { return }
        lines[asker] = nil
        turns.removeAll { $0 == asker }
    }

    mutating func removeAll() {
        ahead = []
        lines = [:]
        turns = []
    }

    /// Takes the name whose turn it is.
    mutating func next(at now: UInt64) -> Next {
        saved = min(most, saved + (now > last ? min(now - last, most) : 0))
        last = max(last, now)
        guard !ahead.isEmpty || !turns.isEmpty else { return .empty }
        guard saved >= cost else {
            return .later(milliseconds: UInt32(clamping: (cost - saved) / 1_000_000 + 1))
        }
        saved -= cost
        return .name(ahead.popLast() ?? take())
    }

    private mutating func take() -> CertifiedName {
        let asker = turns.removeFirst()
        // Nobody has many: moving the others up costs little beside a signature.
        var line = lines.removeValue(forKey: asker) ?? []
        let name = line.removeFirst()
        if !line.isEmpty {
            lines[asker] = line
            turns.append(asker)
        }
        return name
    }
}
