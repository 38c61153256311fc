import AuditTrail
import Telemetry

/// A record with what is shown of it: read once from its line, all texts printable.
struct AuditLine {
    let kind: String
    /// As the line has it: `2026-11-21T10:15:04.123456Z`.
    let time: String
    let sequence: UInt64
    let id: String?
    /// Of a request: the connection that it came on.
    let connection: String?
    let decision: String?
    /// What would have been decided; nil but in audit mode.
    let would: String?
    let rule: String?
    let reason: String?
    /// The name that was judged; else the address that was asked for.
    let host: String?
    let port: UInt64?
    let bytesUp: UInt64?
    let bytesDown: UInt64?
    let outcome: String?
    /// Of a request: what it was read from; nil in records of before there was a scheme.
    let scheme: RequestScheme?

    init(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        kind = line.storedCharacters(record.frame.kind)
        time = line.storedCharacters(record.frame.time)
        sequence = record.frame.sequence
        id = record.text("id", in: line)
        connection = record.text("connection", in: line)
        decision = record.text("decision", in: line)
        would = record.text("would", in: line)
        rule = record.text("rule", in: line).map { printable($0) }
        reason = record.text("reason", in: line).map { printable($0) }
        let name = record.text("destination", "name", in: line)
        let original = record.text("destination", "original", in: line)
        host = (name ?? original.map(hostPart)).map { printable($0) }
        port = record.number("destination", "port", in: line)
        bytesUp = record.number("bytes_up", in: line)
        bytesDown = record.number("bytes_down", in: line)
        outcome = record.text("outcome", in: line)
        scheme = record.text("scheme", in: line).flatMap(RequestScheme.init(rawValue:))
    }

    /// Whether it tells of a decision; everything else is of what came later, or of the daemon.
    var isDecision: Bool { decision != nil }

    /// Whether it was denied, or would have been.
    var isDenied: Bool { decision == "deny" || would == "deny" }

    /// `HOST:PORT`; nil where nothing is known.
    var destination: String? {
        guard let host else { return nil }
        let shown = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(shown):\($0)" } ?? shown
    }
}

/// The address of an address with its port: `1.2.3.4:443`, `[2001:db8::1]:443`.
func hostPart(_ text: String) -> String {
    guard let colon = text.lastIndex(of: ":") else { return text }
    let host = text[..<colon]
    return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host)
}
