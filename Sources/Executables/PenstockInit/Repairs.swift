/// How often rules are put back: two programs that both insist would else do nothing else any more.
struct Repairs {
    /// The most of one minute.
    static let limit = 6
    private static let window: UInt64 = 60_000_000_000

    /// When the last ones were, in nanoseconds of the monotonic clock.
    private var times: [UInt64] = []
    /// Whether the last question was answered with no.
    private var isPausing = false

    /// What comes of asking for one more.
    enum Answer {
        case granted
        /// Not before so many seconds; told once.
        case pauseBegins(seconds: UInt64)
        case pausing
    }

    /// Takes one, unless there were too many within the last minute.
    mutating func take(at now: UInt64) -> Answer {
        times.removeAll { now &- $0 > Self.window }
        guard times.count >= Self.limit, let oldest = times.first else {
            times.append(now)
            isPausing = false
            return .granted
        }
        guard !isPausing else { return .pausing }
        isPausing = true
        return .pauseBegins(seconds: (oldest &+ Self.window &- now) / 1_000_000_000 + 1)
    }
}
