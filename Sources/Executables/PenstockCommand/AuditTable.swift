import AuditTrail
import LinuxBindings

/// Records as rows of aligned columns, the day as a line of its own.
struct AuditTable {
    /// Allowed things that were shown and have not ended; older ones are forgotten beyond this.
    private static let rememberedAtMost = 100_000
    /// Where nobody says how wide it is.
    private static let usualColumns = 120
    /// `10:15:04.123`, the word, and two spaces between columns.
    private static let fixedColumns = 12 + 2 + 7 + 2
    private static let identifierColumns = 2 + RecordIdentifier.length
    /// Below this the identifiers would leave too little for the rest.
    private static let leastColumnsWithIdentifier = 100

    private let palette: Palette
    private let subjectColumns: Int
    private let accountColumns: Int
    private let hasIdentifiers: Bool
    private var day = ""
    private var destinations: [String: String] = [:]

    init(palette: Palette, columns: Int?) {
        self.palette = palette
        let columns = max(columns ?? Self.usualColumns, 60)
        hasIdentifiers = columns >= Self.leastColumnsWithIdentifier
        let free = columns - Self.fixedColumns - 2 - (hasIdentifiers ? Self.identifierColumns : 0)
        subjectColumns = free * 55 / 100
        accountColumns = free - subjectColumns
    }

    /// The lines of a record.
    mutating func lines(of record: StoredRecord, in line: borrowing Span<UInt8>) -> String {
        let shown = AuditLine(record, in: line)
        let destination = shown.id.flatMap { destinations[$0] }
        remember(shown)
        let row = AuditRow(shown, record, in: line, destination: destination)
        let what = palette.paint(fitted(row.what, 7), row.colour)
        var text = dayLine(shown) + palette.paint(String(shown.time.dropFirst(11).prefix(12)), .faint) + "  " + what
        text += "  " + fitted(row.subject, subjectColumns) + "  "
        // Nothing stands behind the last column, so that it need not be filled.
        let account = hasIdentifiers && shown.id != nil ? fitted(row.account, accountColumns) : cut(row.account)
        text += row.colour == .faint ? palette.paint(account, .faint) : account
        if hasIdentifiers, let id = shown.id { text += "  " + palette.paint(printable(id), .faint) }
        return text + "\n"
    }

    private func cut(_ text: String) -> String {
        let columns = accountColumns + (hasIdentifiers ? Self.identifierColumns : 0)
        return text.count > columns ? fitted(text, columns) : text
    }

    private mutating func dayLine(_ shown: AuditLine) -> String {
        let today = String(shown.time.prefix(10))
        guard today != day else { return "" }
        day = today
        return palette.paint("-- \(printable(today)) (UTC)", .bold) + "\n"
    }

    /// Keeps where something allowed was going until its end is shown.
    private mutating func remember(_ shown: AuditLine) {
        guard let id = shown.id else { return }
        guard shown.isDecision else {
            destinations[id] = nil
            return
        }
        guard shown.decision == "allow", let destination = shown.destination else { return }
        if destinations.count >= Self.rememberedAtMost { destinations.removeAll() }
        destinations[id] = destination
    }
}
