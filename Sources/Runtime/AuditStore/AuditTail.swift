import AuditTrail

/// How the file ended when it was opened: all that the next line has to know.
struct AuditTail: Hashable, Sendable {
    /// Each kill can leave one line cut off, also while the one before was being closed.
    ///
    /// More in a row are not accidents.
    private static let cutOffLimit = 64

    /// The number of the last whole line; 0 where there is none.
    private(set) var sequence: UInt64 = 0
    /// Where the last whole line stands, in bytes of the file, without a newline.
    private(set) var lastWhole: Range<Int>?
    /// Where the last line stands, cut off or not.
    private(set) var last: Range<Int>?
    private(set) var endsInNewline = true
    /// How many lines at the end are cut off.
    private(set) var cutOffLines = 0

    /// Whether nothing was ever written to it.
    var isEmpty: Bool { last == nil }

    /// Whether the end has to be closed before anything can be appended.
    var needsRepair: Bool { cutOffLines > 0 || !endsInNewline }

    /// Reads back from the end to the last whole line.
    ///
    /// - Throws: `.foreignLine` for anything that Penstock neither wrote nor was kept from finishing.
    init(of file: borrowing AuditFile, limits: RecordLimits) throws(AuditError) {
        var lines = BackwardLines(size: file.size, lineLimit: limits.lineBytes)
        while let place = try lines.next(in: file) {
            endsInNewline = lines.endsInNewline
            let range = place.offset..<place.offset + place.bytes.count
            if last == nil { last = range }
            let line = lines.window.span.extracting(place.bytes)
            if let stored = StoredLine(line) {
                sequence = stored.sequence
                lastWhole = range
                return
            }
            cutOffLines += 1
            guard StoredLine.mayBeCutOff(line), cutOffLines <= Self.cutOffLimit else {
                throw .foreignLine(offset: place.offset)
            }
        }
    }
}
