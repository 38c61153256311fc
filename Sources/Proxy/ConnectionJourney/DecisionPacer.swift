import PolicyEngine

/// Paces the decisions of each user, or of each address behind a gateway.
///
/// It is a bucket of one second's worth that fills steadily, and beyond it a turn for each.
///
/// Lives on one loop.
struct DecisionPacer {
    /// How many users are remembered before those are forgotten whose bucket is full.
    private static let userLimit = 1024
    /// What a bucket holds, in nanoseconds of the rate.
    private static let burst: UInt64 = 1_000_000_000

    private let interval: UInt64
    /// When each user's bucket would be full again, in nanoseconds of the loop's clock.
    private var fullAt: [ConnectionOwner?: UInt64] = [:]

    /// Takes so many decisions each second.
    init(perSecond: Int) {
        interval = 1_000_000_000 / UInt64(max(1, min(perSecond, 1_000_000_000)))
    }

    /// Takes a turn: after how many nanoseconds it comes; nil where that is more than `patience`, and then none is taken.
    mutating func turn(of user: ConnectionOwner?, now: UInt64, patience: UInt64) -> UInt64? {
        if fullAt.count >= Self.userLimit { fullAt = fullAt.filter { $0.value > now } }
        let full = max(fullAt[user] ?? now, now)
        let wait = full - now > Self.burst ? full - now - Self.burst : 0
        guard wait <= patience else { return nil }
        fullAt[user] = full + interval
        return wait
    }
}
