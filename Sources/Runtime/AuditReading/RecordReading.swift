import AuditTrail

/// Reads every record of these files.
///
/// `body` is given each record with its line and its place. What is given back is how many lines are no records.
///
/// - Throws: Also where a file has lines and none of them is a record: what is counted of it would mean nothing.
package func readRecords(
    _ files: [String],
    limits: RecordLimits = .standard,
    _ body: (StoredRecord, borrowing Span<UInt8>, LinePlace) throws(AuditReadingError) -> Void
) throws(AuditReadingError) -> Int {
    var foreign = 0
    // One for all lines: it keeps its memory.
    var reader: StoredRecord?
    for path in files {
        var lines = try SegmentLines(path, limits: limits)
        var number = 0
        var records = 0
        while let piece = try lines.next() {
            number += 1
            let line = lines.window.span.extracting(piece.bytes)
            if read(line, into: &reader), let record = reader {
                records += 1
                try body(record, line, LinePlace(path: path, line: number))
            } else {
                foreign += 1
            }
        }
        if number > 0, records == 0 { throw .notATrail(path: path) }
    }
    return foreign
}

/// Reads a line into a record that was made before, or makes the first; false where it is none.
package func read(_ line: borrowing Span<UInt8>, into record: inout StoredRecord?) -> Bool {
    do throws(MalformedLine) {
        if record == nil { record = try StoredRecord(line) } else { try record?.read(line) }
        return true
    } catch {
        return false
    }
}
