import AuditTrail
import Telemetry

/// A record in one row of a table.
struct AuditRow {
    /// One word.
    let what: String
    let colour: Palette.Colour?
    /// Where it was going, or whom it is about.
    let subject: String
    /// Why, or how it went.
    let account: String

    /// Makes the row of a record.
    ///
    /// `destination` is where that was going whose end it is, if that is known.
    init(
        _ shown: AuditLine,
        _ record: StoredRecord,
        in line: borrowing Span<UInt8>,
        destination: String?
    ) {
        if let decision = shown.decision {
            what = shown.would == "deny" ? "would" : decision
            colour = shown.decision == "deny" ? .red : shown.would == "deny" ? .yellow : .green
            subject = Self.subject(shown, record, line)
            account = Self.why(shown, record, line)
        } else if shown.outcome != nil {
            what = "end"
            colour = shown.outcome == "closed" ? .faint : .yellow
            subject = destination ?? "-"
            account = Self.end(shown, record, line)
        } else {
            what = Self.word(shown.kind)
            colour = shown.kind == RecordKind.lifecycle.rawValue ? .cyan : .faint
            subject = Self.event(record, line)
            account = Self.details(record, line)
        }
    }

    private static func subject(_ shown: AuditLine, _ record: StoredRecord, _ line: borrowing Span<UInt8>) -> String {
        let destination = shown.destination ?? "-"
        let method = record.text("method", in: line).map { printable($0) }
        let path = record.text("path", in: line).map { printable($0) } ?? ""
        let query = record.value("query", in: line) == nil ? "" : "?…"
        let scheme = shown.scheme == .https ? "https://" : ""
        let request = method.map { "\($0) \(scheme)\(destination)\(path)\(query)" } ?? destination
        return shown.kind == RecordKind.check.rawValue ? "check: \(request)" : request
    }

    private static func why(_ shown: AuditLine, _ record: StoredRecord, _ line: borrowing Span<UInt8>) -> String {
        let reason = shown.reason ?? ""
        let would = shown.would == "deny" ? "would deny: " : ""
        let detail = record.text("detail", in: line).map { ": \(printable($0))" } ?? ""
        return would + (shown.rule.map { "\($0) (\(reason))" } ?? reason) + detail
    }

    private static func end(_ shown: AuditLine, _ record: StoredRecord, _ line: borrowing Span<UInt8>) -> String {
        var parts = [shown.outcome ?? ""]
        if let status = record.number("status", in: line) { parts[0] = "\(status) \(parts[0])" }
        if let side = record.text("closed_by", in: line) { parts[0] += " by \(printable(side))" }
        if let reason = shown.reason { parts.append(shown.rule.map { "\($0) (\(reason))" } ?? reason) }
        if let up = shown.bytesUp { parts.append("up \(byteText(up))") }
        if let down = shown.bytesDown { parts.append("down \(byteText(down))") }
        if let span = record.number("duration_ms", in: line) { parts.append(spanText(milliseconds: span)) }
        if let detail = record.text("detail", in: line) { parts.append(printable(detail)) }
        return parts.joined(separator: ", ")
    }

    /// What the table calls a kind of which it has no decision and no end.
    static func word(_ kind: String) -> String {
        switch RecordKind(rawValue: kind) {
        case .lifecycle: "daemon"
        case .checkpoint: "signed"
        case .policy, .ruleset, .key, .connection, .connectionEnd, .request, .requestEnd, .check, nil: kind
        }
    }

    private static func event(_ record: StoredRecord, _ line: borrowing Span<UInt8>) -> String {
        if let first = record.number("covers", "first_sequence", in: line),
            let last = record.number("covers", "last_sequence", in: line)
        {
            return "records \(first) to \(last)"
        }
        return printable(record.text("event", in: line) ?? record.text("key", in: line) ?? "-")
    }

    private static func details(_ record: StoredRecord, _ line: borrowing Span<UInt8>) -> String {
        var parts: [String] = []
        if let version = record.text("version", in: line) { parts.append("version \(version)") }
        if let pid = record.number("pid", in: line) { parts.append("pid \(pid)") }
        if let hash = record.text("policy_hash", in: line) { parts.append(hash) }
        if let key = record.text("key", in: line), record.value("covers", in: line) != nil { parts.append(key) }
        if let boundary = record.text("boundary", in: line) { parts.append("boundary \(boundary)") }
        if let detail = record.text("detail", in: line) { parts.append(detail) }
        return printable(parts.joined(separator: ", "))
    }
}
