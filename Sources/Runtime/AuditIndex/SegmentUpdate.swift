import AuditReading
import AuditTrail
import OpenSSLBindings
import SQLiteBindings

/// Brings the index up to date with one file of the trail.
final class SegmentUpdate {
    /// How a batch ended.
    enum BatchEnd: Hashable {
        case more
        case atEnd
        /// Another process has changed what the index knows of the file: it is begun anew.
        case overtaken
    }

    private let index: AuditIndex
    private let file: TrailFile
    private(set) var state: SegmentState
    /// The mark of the index that `state` was read from.
    private let mark: Int64?
    private var inserter: RecordInserter
    private var record: StoredRecord?
    /// The bytes of the line taken last.
    private var last: [UInt8] = []
    /// Records that were added.
    private(set) var records = 0
    /// Lines from which no record could be read.
    private(set) var unreadable = 0

    /// Goes to where the index ends; nil where the file has no line so far.
    ///
    /// - Throws: `.changedTrail` where the last indexed line is not the one that stands there.
    init?(_ path: String, in index: AuditIndex) throws(IndexError) {
        self.index = index
        file = try TrailFile.open(path)
        guard let firstLine = file.firstLine else { return nil }
        let connection = index.connection
        mark = try index.database { () throws(SQLiteError) in try SegmentState.mark(of: connection) }
        inserter = try index.database { () throws(SQLiteError) in try RecordInserter(connection) }
        let known = try index.database { () throws(SQLiteError) in
            try SegmentState.find(firstLine: firstLine, in: connection)
        }
        state = known ?? SegmentState(firstLine: firstLine, path: path, place: file.place)
        if !isKnownAsItIs { try goToEnd() }
    }

    /// Bytes read, as they are on the disk.
    var bytesRead: Int { file.bytesRead }

    /// Takes at most so many of the next lines into the index, in one transaction.
    ///
    /// Where there is no new line, nothing is written, and nobody is waited for.
    func takeBatch(of limit: Int) throws(IndexError) -> BatchEnd {
        let first = isKnownAsItIs ? nil : try file.next()
        guard first != nil || isNews else { return .atEnd }
        let index = index
        return try index.transaction { () throws(IndexError) in
            guard try isCurrent() else { return .overtaken }
            // The file gets its number first: records name it.
            if state.number == nil { try save() }
            let isAtEnd = try take(from: first, limit)
            if isAtEnd { state.place = file.place }
            state.path = file.path
            try save()
            return isAtEnd ? .atEnd : .more
        }
    }

    /// A compressed file is not read again where it is the one that was read to its end.
    private var isKnownAsItIs: Bool { state.number != nil && file.isCompressed && state.place == file.place }

    /// Whether the file has another name or place now.
    private var isNews: Bool { state.path != file.path || state.place != file.place }

    private func goToEnd() throws(IndexError) {
        guard state.end > 0 else { return }
        let isThere = try file.skip(to: state.lastStart)
        if isThere, let piece = try file.next(), file.offset == state.end {
            file.copy(piece, into: &last)
            let line = last
            if SHA256Digest(of: line.span).bytes == state.lastLine { return }
        }
        throw .changedTrail(path: file.path, offset: state.end)
    }

    /// Whether the index knows of the file what it knew when `state` was read, or written.
    private func isCurrent() throws(IndexError) -> Bool {
        let connection = index.connection
        return try index.database { () throws(SQLiteError) in
            let known = try SegmentState.find(firstLine: state.firstLine, in: connection)
            return try SegmentState.mark(of: connection) == mark
                && known?.end == (state.number == nil ? nil : state.end)
        }
    }

    private func save() throws(IndexError) {
        let connection = index.connection
        try index.database { () throws(SQLiteError) in try state.save(in: connection) }
    }

    /// Takes the lines of a batch; true where the file had no more.
    private func take(from first: SegmentLines.Piece?, _ limit: Int) throws(IndexError) -> Bool {
        var next = first
        var count = 0
        while let piece = next {
            try take(piece)
            count += 1
            guard count < limit else { break }
            next = try file.next()
        }
        let line = last
        if count > 0 { state.lastLine = SHA256Digest(of: line.span).bytes }
        return next == nil
    }

    private func take(_ piece: SegmentLines.Piece) throws(IndexError) {
        state.lastStart = state.end
        state.end = file.offset
        state.lines += 1
        file.copy(piece, into: &last)
        let line = last
        guard AuditReading.read(line.span, into: &record), let segment = state.number,
            let indexed = record.flatMap({ IndexedRecord($0, in: line.span) })
        else {
            state.unreadable += 1
            unreadable += 1
            return
        }
        state.lastSequence = indexed.sequence
        records += 1
        do throws(SQLiteError) {
            try inserter.insert(indexed, segment: segment)
        } catch {
            throw IndexError(error, path: index.path)
        }
    }
}
