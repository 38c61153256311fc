/// The two clocks of the counters, in one.
///
/// Budgets go by the wall clock. Rates go by the time since the counters were made: no step of the wall clock stretches or
/// shortens what passes in a second.
struct CounterClock: Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    let wall: @Sendable () -> Int64
    /// Nanoseconds that never go back.
    private let steady: @Sendable () -> UInt64
    /// What the steady clock is behind the wall clock by, in nanoseconds, as it was at the beginning.
    private let offset: Int64

    init(wall: @escaping @Sendable () -> Int64, steady: @escaping @Sendable () -> UInt64) {
        self.wall = wall
        self.steady = steady
        offset = wall() &* 1000 &- Int64(clamping: steady())
    }

    /// This moment, for both kinds of counters.
    var now: CounterTime { CounterTime(wall: wall(), steady: Int64(clamping: steady()) &+ offset) }
}

/// A moment, as the counters see it.
struct CounterTime: Hashable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    var wall: Int64
    /// Nanoseconds since 1970-01-01T00:00:00Z, by the steady clock.
    var steady: Int64
}
