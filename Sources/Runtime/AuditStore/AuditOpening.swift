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
    /// The number of the last checkpoint; 0: there is none.
    let checkpoint: UInt64
    /// The identifier of the key that was published last in this file; nil where it tells of none after its last checkpoint.
    let lastKey: String?
    /// The file's first line; where it is empty, the one that will be.
    let beginning: FileBeginning
    /// What tells of the start.
    let started: LifecycleRecord

    /// Reads how the file ends, and compares it with what was kept beside it.
    ///
    /// `earlier` is the last line of the segments before, for a file that is empty, and `kept` what the trail is known to have
    /// reached. `checkpointBefore` finds the last checkpoint of the segments, and is asked only where this file has none.
    init(
        of file: borrowing AuditFile,
        earlier: KeptChain,
        kept: KeptChain?,
        started: LifecycleRecord,
        limits: RecordLimits,
        now: Int64,
        checkpointBefore: () throws(AuditError) -> UInt64
    ) throws(AuditError) {
        tail = try AuditTail(of: file, limits: limits)
        var reached = earlier.position
        if let last = tail.last {
            let line = try file.read(last)
            reached = ChainPosition(sequence: tail.sequence, hash: RecordChain.hexadecimalHash(of: line.span))
        }
        let signed: (checkpoint: UInt64, key: String?) =
            file.isStream ? (0, nil) : try Self.lastSigned(in: file, limits: limits)
        lastKey = signed.key
        if file.isStream, let kept {
            missing = kept.isSettled ? nil : kept.position
            position = kept.position
        } else if let kept = kept?.position, kept.isBeyond(reached, isCutOff: tail.needsRepair) {
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
        // Every file begins with a checkpoint, unless a loss of power took it.
        let before = signed.checkpoint == 0 && beginning.sequence > 1 && !file.isStream ? try checkpointBefore() : 0
        let known = max(signed.checkpoint, before, earlier.checkpoint, kept?.checkpoint ?? 0)
        checkpoint = min(known, position.sequence)
        self.started = started
    }

    /// Reads back to the last checkpoint, and notes the last key on the way: every file has a checkpoint near its beginning.
    static func lastSigned(
        in file: borrowing AuditFile,
        limits: RecordLimits
    ) throws(AuditError) -> (checkpoint: UInt64, key: String?) {
        var lines = BackwardLines(size: file.size, lineLimit: limits.lineBytes)
        var key: String?
        while let place = try lines.next(in: file) {
            let line = lines.window.span.extracting(place.bytes)
            guard let frame = StoredFrame(line) else { continue }
            if key == nil, frame.isKind(.key, in: line), let record = try? StoredRecord(line) {
                key = record.text("key", in: line)
            }
            if frame.isKind(.checkpoint, in: line) { return (frame.sequence, key) }
        }
        return (0, key)
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
