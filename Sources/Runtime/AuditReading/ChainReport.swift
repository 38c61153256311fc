import AuditTrail

/// What was counted on the way through a chain.
package struct ChainTally: Hashable, Sendable {
    /// Whole lines in their places.
    package internal(set) var lines = 0
    /// Read, decompressed, newlines included.
    package internal(set) var bytes = 0
    /// Of the first line; nil where there is none.
    package internal(set) var firstSequence: UInt64?
    package internal(set) var firstTime: String?
    package internal(set) var lastSequence: UInt64?
    /// Lines that were cut off, and closed by a repair, count once.
    package internal(set) var repairs = 0
    /// Checkpoints with a valid signature.
    package internal(set) var checkpoints = 0
    /// Those of them whose key was named, or goes back to one that was.
    package internal(set) var trustedCheckpoints = 0
    /// Checkpoints of a key that nobody knows.
    package internal(set) var uncheckedSignatures = 0
    /// The last line that a checkpoint vouches for; nil where none does.
    package internal(set) var coveredThrough: UInt64?
    /// The keys that the chain publishes.
    package internal(set) var keys: [PublishedKey] = []
}

/// A key that the chain publishes.
package struct PublishedKey: Hashable, Sendable {
    package let record: KeyRecord
    package let place: LinePlace
    package let sequence: UInt64

    init(_ record: KeyRecord, at place: LinePlace, _ sequence: UInt64) {
        self.record = record
        self.place = place
        self.sequence = sequence
    }
}

/// What checking a chain came to.
package struct ChainReport: Hashable, Sendable {
    /// The first thing that is wrong; nil: nothing is.
    package let fault: ChainFault?
    package let tally: ChainTally
    /// `sha256:` and 64 digits of the last line in its place: what the next file has to begin with.
    package let tail: String?
    /// Whether somebody named keys.
    package let isPinned: Bool
}
