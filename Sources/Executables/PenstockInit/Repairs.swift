/// How often rules are put back: two programs that both insist would else do nothing else any more.
struct Repairs {
    /// When the last ones were, in nanoseconds of the monotonic clock.
    private var times: [UInt64] = []

    /// The most of one minute.
    private static let limit = 6
    private static let window: UInt64 = 60_000_000_000

    /// Takes one, unless there were too many within the last minute.
    mutating func take(at now: UInt64) -> Bool {
        times.removeAll { now &- $0 > Self.window }
        guard times.count < Self.limit else { return false }
        times.append(now)
        return true
    }
}
