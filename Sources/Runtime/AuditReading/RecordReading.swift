import AuditTrail

/// Reads every record of these files.
///
/// - Parameters:
///   - body: Is given each record with its line and its place.
/// - Returns: How many lines are no records.
package func readRecords(
    _ files: [String],
    limits: RecordLimits = .standard,
    _ body: (StoredRecord, borrowing Span<UInt8>, LinePlace) throws(AuditReadingError) -> Void
) throws(AuditReadingError) -> Int {
    var foreign = 0
    for path in files {
        var lines = try SegmentLines(path, limits: limits)
        var number = 0
        while let piece = try lines.next() {
            number += 1
            let line = lines.window.span.extracting(piece.bytes)
            guard let record = try? StoredRecord(line) else {
                foreign += 1
                continue
            }
            try body(record, line, LinePlace(path: path, line: number))
        }
    }
    return foreign
}
