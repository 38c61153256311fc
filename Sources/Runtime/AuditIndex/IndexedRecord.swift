import AuditTrail
import NetworkTypes

/// What the index keeps of a line.
struct IndexedRecord: Hashable {
    var sequence: UInt64
    /// Microseconds since 1970-01-01T00:00:00Z.
    var time: Int64
    var kind: String
    var id: String?
    /// Of a request: the identifier of its connection.
    var connection: String?
    var decision: String?
    var would: String?
    var reason: String?
    var rule: String?
    /// The name that was judged, else one that was said, else the address that the agent asked for; in lower case.
    var host: String?
    /// The address that the agent asked for; of an end, the one that was really connected to.
    var address: String?
    var port: UInt64?
    var method: String?
    var path: String?
    /// What a connection spoke; of a request its scheme.
    var `protocol`: String?
    var uid: UInt64?
    var status: UInt64?
    var outcome: String?
    var closedBy: String?
    var bytesUp: UInt64?
    var bytesDown: UInt64?
    var durationMilliseconds: UInt64?
    var event: String?
    var detail: String?

    /// Takes from a line what is indexed; members of other names are left out.
    ///
    /// Nil where the time is none.
    init?(_ record: StoredRecord, in line: borrowing Span<UInt8>) {
        guard let time = microseconds(rfc3339: line.storedCharacters(record.frame.time)) else { return nil }
        sequence = record.frame.sequence
        self.time = time
        kind = line.storedCharacters(record.frame.kind)
        for member in record.all { take(member, in: line) }
        if address == nil { address = host.flatMap { IPAddress($0) }?.description }
        host = (host ?? said ?? address)?.lowercased()
    }

    /// A name that was said where none was judged.
    private var said: String?

    private mutating func take(_ member: StoredMember, in line: borrowing Span<UInt8>) {
        let value = member.value
        switch line.storedCharacters(member.name) {
        case "id": id = line.storedText(value)
        case "connection": connection = line.storedText(value)
        case "decision": decision = line.storedText(value)
        case "would": would = line.storedText(value)
        case "reason": reason = line.storedText(value)
        case "rule": rule = line.storedText(value)
        case "method": method = line.storedText(value)
        case "path": path = line.storedText(value)
        case "protocol", "scheme": `protocol` = line.storedText(value)
        case "status": status = line.storedNumber(value)
        case "outcome": outcome = line.storedText(value)
        case "closed_by": closedBy = line.storedText(value)
        case "bytes_up": bytesUp = line.storedNumber(value)
        case "bytes_down": bytesDown = line.storedNumber(value)
        case "duration_ms": durationMilliseconds = line.storedNumber(value)
        case "event": event = line.storedText(value)
        case "detail": detail = line.storedText(value)
        case "sni": said = line.storedText(value) ?? said
        case "authority": said = said ?? line.storedText(value).map { Self.withoutPort($0) }
        case "dialled": address = line.storedText(value).flatMap { Self.address($0) }
        case "destination": takeDestination(value, in: line)
        // The user of the pod; of a question to the API, who asked it.
        case "workload", "caller": uid = uid ?? inner("uid", of: value, in: line).flatMap { line.storedNumber($0) }
        default: break
        }
    }

    private mutating func takeDestination(_ value: Range<Int>, in line: borrowing Span<UInt8>) {
        port = inner("port", of: value, in: line).flatMap { line.storedNumber($0) }
        host = inner("name", of: value, in: line).flatMap { line.storedText($0) }
        let original = inner("original", of: value, in: line).flatMap { line.storedText($0) }
        address = original.flatMap { Self.address($0) }
    }

    /// Of `203.0.113.7:443` and `[2001:db8::1]:443`.
    private static func address(_ text: String) -> String? {
        IPAddress(withoutPort(text))?.description
    }

    private static func withoutPort(_ text: String) -> String {
        let host = text.last == "]" ? text[...] : text[..<(text.lastIndex(of: ":") ?? text.endIndex)]
        return String(host.hasPrefix("[") ? host.dropFirst().dropLast() : host)
    }

    private func inner(_ name: String, of value: Range<Int>, in line: borrowing Span<UInt8>) -> Range<Int>? {
        guard line[value.lowerBound] == UInt8(ascii: "{") else { return nil }
        var walk = MemberWalk(at: value.lowerBound)
        while let member = try? walk.next(in: line) {
            if line.storedCharacters(member.name) == name { return member.value }
        }
        return nil
    }
}
