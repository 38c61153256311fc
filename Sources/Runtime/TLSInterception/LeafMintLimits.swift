/// How much a mint does and keeps.
package struct LeafMintLimits: Hashable, Sendable {
    /// The most leaves that are kept, each under 2 KiB; the one longest unused goes first.
    package var leaves = 1024
    /// The most names that wait for a leaf; more are refused, and so are more of one asker than are left for all others: half of
    /// them, where nobody else waits.
    package var waitingNames = 1024
    /// The most new leaves a second in the long run; a leaf costs about 0.2 ms of a processor.
    package var leavesPerSecond = 200
    /// How many may be made at once after a pause.
    package var burst = 400
    /// How long before its making a leaf begins, in seconds: clocks of clients may be behind.
    package var skewSeconds = AuthorityWish.skewSeconds
    /// How long after its making a leaf ends, in seconds; with the skew under 24 hours.
    package var lifeSeconds: Int64 = 12 * 3600
    /// A leaf with less than this left, in seconds, is made anew: clocks of clients may be ahead.
    package var renewalSeconds: Int64 = 3600

    /// What a daemon uses.
    package init() {}
}
