/// What was taken from counters for one decision.
///
/// Whoever holds it keeps it, or gives it back; dropping it keeps it.
package struct Reservation: Hashable, Sendable {
    struct Part: Hashable, Sendable {
        var draw: Withdrawal
        /// How much was taken.
        var amount: Int64
        /// In which period, in microseconds of the wall clock; 0 for a rate.
        var periodStart: Int64
    }

    var parts: [Part]

    /// What was asked for.
    package var draws: [Withdrawal] { parts.map(\.draw) }

    /// How much was taken of a counter; 0 where none was.
    package func amount(of key: CounterKey) -> Int64 {
        parts.reduce(0) { $1.draw.key == key ? $0 + $1.amount : $0 }
    }

    /// Takes the part of a counter out, to be kept apart.
    package mutating func split(_ key: CounterKey) -> Reservation {
        let taken = parts.filter { $0.draw.key == key }
        parts.removeAll { $0.draw.key == key }
        return Reservation(parts: taken)
    }

    /// The same with so much of each part spent already, from the first on: what is left may be given back.
    package func without(_ spent: Int64) -> Reservation {
        var rest = spent
        var parts = self.parts
        for index in parts.indices {
            let part = min(parts[index].amount, rest)
            parts[index].amount -= part
            rest -= part
        }
        return Reservation(parts: parts.filter { $0.amount > 0 })
    }
}

/// Why counters let nothing pass.
package struct CounterRefusal: Error, Hashable, Sendable {
    /// What stood in the way.
    package enum Cause: Hashable, Sendable {
        /// It is used up; after so many nanoseconds there is more, `nil`: there will never be.
        case exhausted(nanoseconds: Int64?)
        /// The store cannot be written.
        case unavailable
        /// There are as many counters as there may be.
        case tooMany(capacity: Int)
    }

    /// Which counter it was.
    package let key: CounterKey
    package let cause: Cause

    package init(key: CounterKey, cause: Cause) {
        self.key = key
        self.cause = cause
    }
}
