import AuditReading
import LinuxBindings
import SQLiteBindings

extension AuditIndex {
    /// How often an update of one file is begun anew because another process was faster.
    private static let attempts = 8
    /// Lines of one transaction: enough that its end costs little, few enough that others who write wait little.
    package static let usualBatch = 20_000

    /// Takes in what the files have and the index has not.
    ///
    /// Several processes may do so at once, and one may be killed: a batch of records is in the index, together with how
    /// far its file was read, or it is not. `batch` is the lines of one transaction, and `progress` is called after each.
    package func update(
        _ paths: [String],
        batch: Int = usualBatch,
        progress: (IndexProgress) -> Void = { _ in }
    ) throws(IndexError) -> IndexSummary {
        var summary = IndexSummary()
        var now = IndexProgress(path: "", bytesRead: 0, bytesTotal: 0, records: 0)
        let sizes = try paths.map { path throws(IndexError) in try Self.size(of: path) }
        now.bytesTotal = sizes.reduce(0, +)
        for (path, size) in zip(paths, sizes) {
            now.path = path
            try update(path, batch, into: &summary, from: now, progress)
            now.bytesRead += size
            now.records = summary.records
        }
        return summary
    }

    /// Makes the index anew from these files.
    ///
    /// They are looked at first: a slip in a name costs nobody the index that there is. What is interrupted, an update
    /// brings to its end.
    package static func rebuild(
        _ path: String,
        from files: [String],
        progress: (IndexProgress) -> Void = { _ in }
    ) throws(IndexError) -> IndexSummary {
        for file in files { _ = try TrailFile.open(file) }
        return try AuditIndex(path, for: .rebuilding, besideTrail: files.last).update(files, progress: progress)
    }

    /// The parts of the index that belong to these files, which may be gone from the disk; nothing is written.
    package func segments(of paths: [String]) throws(IndexError) -> Set<Int64> {
        var segments: Set<Int64> = []
        for path in paths {
            let known = try known(path)
            guard let number = known?.number else { throw .notIndexed(path: path) }
            segments.insert(number)
        }
        return segments
    }

    private func known(_ path: String) throws(IndexError) -> SegmentState? {
        let connection = connection
        let isThere = (try? Self.size(of: path)) != nil
        let firstLine = isThere ? try TrailFile.open(path).firstLine : nil
        return try database { () throws(SQLiteError) in
            guard let firstLine else { return try SegmentState.find(path: path, in: connection) }
            return try SegmentState.find(firstLine: firstLine, in: connection)
        }
    }

    private func update(
        _ path: String,
        _ batch: Int,
        into summary: inout IndexSummary,
        from start: IndexProgress,
        _ progress: (IndexProgress) -> Void
    ) throws(IndexError) {
        summary.files += 1
        for _ in 0..<Self.attempts {
            guard let update = try SegmentUpdate(path, in: self) else { return }
            var end = SegmentUpdate.BatchEnd.more
            while end == .more {
                end = try update.takeBatch(of: batch)
                var now = start
                now.bytesRead += update.bytesRead
                now.records += update.records
                progress(now)
            }
            summary.records += update.records
            summary.unreadable += update.unreadable
            if let number = update.state.number { summary.segments.insert(number) }
            if end == .atEnd { return }
        }
        throw .busy(path: self.path)
    }

    private static func size(of path: String) throws(IndexError) -> Int {
        do throws(SystemCallError) {
            return try fileStatus(openForReading(path)).size
        } catch {
            throw .trail(.file(path: path, error))
        }
    }
}
