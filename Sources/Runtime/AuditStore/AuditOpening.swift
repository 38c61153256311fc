import AuditTrail
import LinuxBindings

/// The first line of a file: its number, and its time in microseconds since 1970-01-01T00:00:00Z.
struct FileBeginning: Hashable, Sendable {
    var sequence: UInt64
    var time: Int64
}

/// How the trail was found, and where it goes on.
struct AuditOpening: Sendable {
    /// How the file ended.
    let tail: AuditTail
    /// After which line the next one comes.
    let position: ChainPosition
    /// The last line that is known to have been written, where the file does not reach that far.
    let missing: ChainPosition?
    /// The file's first line; where it is empty, the one that will be.
    let beginning: FileBeginning
    /// What tells of the start.
    let started: LifecycleRecord

    /// Reads how the file ends, and compares it with what was kept beside it.
    ///
    /// `earlier` is the last line of the segments before, for a file that is empty, and `kept` what the trail is known to have
    /// reached.
    init(
        of file: borrowing AuditFile,
        earlier: ChainPosition,
        kept: ChainPosition?,
        started: LifecycleRecord,
        limits: RecordLimits,
        now: Int64
    ) throws(AuditError) {
        tail = try AuditTail(of: file, limits: limits)
        var reached = earlier
        if let last = tail.last {
            let line = try file.read(last)
            reached = ChainPosition(sequence: tail.sequence, hash: RecordChain.hexadecimalHash(of: line.span))
        }
        if let kept, kept.isBeyond(reached, isCutOff: tail.needsRepair) {
            missing = kept
            // A repair carries the hash of what was cut off, whatever is missing before it.
            position = ChainPosition(sequence: kept.sequence, hash: tail.needsRepair ? reached.hash : kept.hash)
        } else {
            missing = nil
            position = reached
        }
        let first = FileBeginning(sequence: position.sequence + 1, time: now)
        let found = tail.isEmpty ? nil : try Self.beginning(of: file, limits: limits)
        beginning = found ?? first
        self.started = started
    }

    /// The first whole line of a file.
    private static func beginning(
        of file: borrowing AuditFile,
        limits: RecordLimits
    ) throws(AuditError) -> FileBeginning? {
        let head = try file.read(0..<min(file.size, limits.lineBytes + 1))
        for line in head.split(separator: UInt8(ascii: "\n"), maxSplits: 8) {
            if let stored = StoredLine(line.span) {
                return FileBeginning(sequence: stored.sequence, time: (stored.time ?? 0) * 1_000_000)
            }
        }
        return nil
    }
}

extension ChainPosition {
    /// Whether this line is not in a file that reaches to `other`; the hash of one that is cut off says nothing.
    fileprivate func isBeyond(_ other: ChainPosition, isCutOff: Bool) -> Bool {
        sequence > other.sequence || (sequence == other.sequence && hash != other.hash && !isCutOff)
    }
}
