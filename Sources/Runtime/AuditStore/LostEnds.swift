import AuditTrail

/// Finds the connections and the requests that were open when the daemon before this one ended.
///
/// The file is read backwards to the last `started` or to its first lines, which name what was open before them. So an end
/// is met before its beginning, and only what was open at one time is kept in memory.
struct LostEnds {
    private var ended: Set<StoredLine.OwedEnd> = []
    private var open: [StoredLine.OwedEnd] = []

    /// What an end is owed for, in the order in which it was judged.
    ///
    /// - Throws: `.foreignLine` where a line is none of ours and was not cut off and closed either.
    static func find(
        in file: borrowing AuditFile,
        after tail: AuditTail,
        limits: RecordLimits
    ) throws(AuditError) -> [StoredLine.OwedEnd] {
        var search = LostEnds()
        var lines = BackwardLines(size: file.size, lineLimit: limits.lineBytes)
        // A cut-off line may only stand where the repair follows it; at the very end ours is about to follow.
        var mayBeCutOff = tail.needsRepair
        while let place = try lines.next(in: file) {
            let line = lines.window.span.extracting(place.bytes)
            guard let stored = StoredLine(line) else {
                guard mayBeCutOff, StoredLine.mayBeCutOff(line) else { throw .foreignLine(offset: place.offset) }
                continue
            }
            mayBeCutOff = stored.content == .repaired
            if search.isBeginning(stored.content) { break }
        }
        return search.open.reversed()
    }

    private mutating func isBeginning(_ content: StoredLine.Content) -> Bool {
        switch content {
        case .carried(let carried):
            // It stands at the beginning of its file, and tells all that matters of those before.
            for owed in carried.reversed() where ended.remove(owed) == nil { open.append(owed) }
        case .ended(let owed): ended.insert(owed)
        case .allowed(let owed): if ended.remove(owed) == nil { open.append(owed) }
        case .started: return true
        case .repaired, .other: break
        }
        return false
    }
}
