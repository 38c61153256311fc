/// Tells when clients that have become quiet have left enough behind for it to be given back to the kernel.
///
/// That takes a millisecond or two, and those who come next take some of it again: it is done for a crowd, and behind it.
package struct QuietCrowd {
    /// How many have become quiet since memory was given back.
    private var count = 0
    /// Since when they are a crowd, in nanoseconds of the loop's clock; `nil`: they are none.
    private var since: UInt64?

    /// How many it takes: the buffers of TLS alone have been 2 MiB then.
    package static let least = 64
    /// For how long nobody is to ask anything before, in nanoseconds: who comes late still belongs to it.
    package static let lull: UInt64 = 150_000_000
    /// How long a crowd waits at most for that, in nanoseconds: others may never cease to ask.
    package static let longest: UInt64 = 5_000_000_000

    package init() {}

    /// Notes one that has become quiet.
    package mutating func add(at now: UInt64) {
        count += 1
        if count == Self.least { since = now }
    }

    /// In how many nanoseconds memory is to be given back, if nobody asks anything until then; `nil`: there is nothing worth it.
    package func wait(at now: UInt64) -> UInt64? {
        guard let since else { return nil }
        let latest = since &+ Self.longest
        return latest > now ? min(Self.lull, latest &- now) : 0
    }

    /// Notes that memory is given back.
    package mutating func disperse() {
        count = 0
        since = nil
    }
}
