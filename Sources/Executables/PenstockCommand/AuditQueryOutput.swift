import AuditIndex
import AuditTrail
import LinuxBindings
import Telemetry

/// How rows are shown.
enum QueryForm: String, CaseIterable, Hashable {
    case table
    /// An object a line; what is not known is left out.
    case json
    /// As RFC 4180 has it, with the names of the columns first.
    case csv
}

/// Shows rows, and collects what is to be written.
struct QueryOutput {
    private static let bufferBytes = 1 << 16

    private let form: QueryForm
    private var table: AuditTable
    private var text: String

    init(_ form: QueryForm) {
        self.form = form
        table = AuditTable(palette: .forOutput(), columns: OutputStream.output.columns)
        text = form == .csv ? csvLine(QueryRow.columns.map { .text($0.name) }) : ""
    }

    mutating func show(_ row: QueryRow) {
        switch form {
        case .table: text += table.lines(of: AuditRow(row), time: row.timeText, id: row.id)
        case .json: text += row.json + "\n"
        case .csv: text += csvLine(QueryRow.columns.map { $0.value(row) })
        }
        if text.utf8.count >= Self.bufferBytes { flush() }
    }

    /// Writes what was collected.
    mutating func flush() {
        deliver(text)
        text = ""
    }
}

/// A line of CSV, with the end that RFC 4180 wants.
func csvLine(_ cells: [QueryCell]) -> String { cells.map { csvCell($0) }.joined(separator: ",") + "\r\n" }

/// A cell between quotes where it needs them.
///
/// Names and paths are whatever somebody sent. What a spreadsheet would take for a formula gets an apostrophe in front,
/// by which spreadsheets know a text; control characters, line breaks among them, are replaced.
private func csvCell(_ cell: QueryCell) -> String {
    switch cell {
    case .none: return ""
    case .number(let number): return "\(number)"
    case .text(let text):
        let shown = printable(text)
        let isFormula = shown.unicodeScalars.first.map { formulaBeginnings.contains($0) } ?? false
        let safe = isFormula ? "'" + shown : shown
        guard safe.contains(where: { $0 == "," || $0 == "\"" || $0 == " " }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }
}

/// Full-width forms are taken for the same by some; a replaced control character may have been a tab.
private let formulaBeginnings: Set<Unicode.Scalar> = [
    "=", "+", "-", "@", "\u{fffd}", "\u{ff1d}", "\u{ff0b}", "\u{ff0d}", "\u{ff20}",
]
