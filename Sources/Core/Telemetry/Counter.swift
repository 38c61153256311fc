import Synchronization

/// A number that only grows; any thread may add to it.
package final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    package init() {}

    /// Adds one.
    package func increment() { count.add(1, ordering: .relaxed) }

    /// Adds an amount; it wraps after 2^64.
    package func add(_ amount: UInt64) { count.add(amount, ordering: .relaxed) }

    package var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down; any thread may change it.
package final class Gauge: Sendable {
    private let count = Atomic<Int64>(0)

    package init() {}

    /// Adds an amount, which may be negative.
    package func add(_ amount: Int64) { count.add(amount, ordering: .relaxed) }

    package var value: Int64 { count.load(ordering: .relaxed) }
}
