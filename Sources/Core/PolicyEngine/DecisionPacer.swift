/// Paces what is decided for each user, or of each address behind a gateway.
///
/// It is a bucket of one second's worth that fills steadily, and beyond it a turn for each.
///
/// Lives on one loop.
package final class DecisionPacer {
    /// How many users are remembered before those are forgotten whose bucket is full.
    private static let userLimit = 1024
    /// What a bucket holds, in nanoseconds of the rate.
    private static let burst: UInt64 = 1_000_000_000

    /// What is left to one user.
    package final class Bucket {
        /// When it would be full again, in nanoseconds of the loop's clock.
        fileprivate var fullAt: UInt64
        /// It was full, and the next of its user's decisions makes another: nothing more is taken of this one.
        package fileprivate(set) var isForgotten = false

        fileprivate init(fullAt: UInt64) { self.fullAt = fullAt }
    }

    private let interval: UInt64
    private var buckets: [ConnectionOwner?: Bucket] = [:]

    /// Takes so many decisions each second.
    package init(perSecond: Int) {
        interval = 1_000_000_000 / UInt64(max(1, min(perSecond, 1_000_000_000)))
    }

    /// Takes a turn: after how many nanoseconds it comes; nil where that is more than `patience`, and then none is taken.
    package func turn(of user: ConnectionOwner?, now: UInt64, patience: UInt64) -> UInt64? {
        turn(in: bucket(of: user, now: now), now: now, patience: patience)
    }

    /// The bucket of a user, for whoever asks for many turns one after the other; it asks again for one that is forgotten.
    package func bucket(of user: ConnectionOwner?, now: UInt64) -> Bucket {
        if let bucket = buckets[user] { return bucket }
        if buckets.count >= Self.userLimit { forgetFull(now) }
        let bucket = Bucket(fullAt: now)
        buckets[user] = bucket
        return bucket
    }

    /// Takes a turn of a bucket that is not forgotten, as of its user.
    package func turn(in bucket: Bucket, now: UInt64, patience: UInt64) -> UInt64? {
        let full = max(bucket.fullAt, now)
        let wait = full - now > Self.burst ? full - now - Self.burst : 0
        guard wait <= patience else { return nil }
        bucket.fullAt = full + interval
        return wait
    }

    private func forgetFull(_ now: UInt64) {
        for (user, bucket) in buckets where bucket.fullAt <= now {
            bucket.isForgotten = true
            buckets[user] = nil
        }
    }
}
