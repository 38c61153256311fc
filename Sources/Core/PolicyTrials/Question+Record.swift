import AuditTrail
import NetworkTypes
import PolicyEngine

extension Question {
    /// The question that a record of a decision answered.
    init(
        _ record: StoredRecord,
        of kind: RecordKind,
        _ reason: String,
        in line: borrowing Span<UInt8>
    ) throws(RecordedDecision.Gap) {
        guard let number = record.number("destination", "port", in: line), let port = UInt16(exactly: number), port > 0
        else { throw .unjudged(.noDestination) }
        self.init(port: port, speech: Self.speech(record, of: kind, in: line))
        isInsideTLS = kind == .request && speech == .known(.tls)
        name = record.text("destination", "name", in: line)
        isNameSaidBefore = Self.isInsideConnect(record, of: kind, in: line)
        original = Self.address("original", of: record, in: line)
        guard name != nil || original != nil else { throw .unjudged(.noDestination) }
        path = record.text("path", in: line)
        guard ![name, path].contains(where: Self.isCut) else { throw .unjudged(.cutText) }
        method = record.text("method", in: line).flatMap { RequestMethod($0) }
        uid = Self.user(record, of: kind, in: line)
        clientAddress = record.text("workload", "address", in: line).flatMap { IPAddress($0) }
        workload.namespace = record.text("workload", "namespace", in: line)
        workload.serviceAccount = record.text("workload", "service_account", in: line)
        now = microseconds(rfc3339: line.storedCharacters(record.frame.time)).map { $0 / 1_000_000 }
        if isNameSaidBefore, speech == .known(.tls) { hasServerName = record.text("sni", in: line) != nil }
        // That there was a query is recorded, and nothing of it.
        if isRequest { query = record.value("query", in: line) == nil ? "" : nil }
        // Of a batch, not all is told.
        if let method = record.text("mcp", "method", in: line) {
            calls = [AgentCall(method: method, tool: record.text("mcp", "tool", in: line))]
        }
        addresses = Self.addresses(record, of: kind, reason, in: line)
    }

    private static func speech(_ record: StoredRecord, of kind: RecordKind, in line: borrowing Span<UInt8>) -> Speech {
        if kind == .request {
            // Records of before there was a scheme are of plain HTTP.
            return .known(record.text("scheme", in: line) == RequestScheme.https.rawValue ? .tls : .http)
        }
        switch record.text("protocol", in: line).flatMap(RecordedProtocol.init(rawValue:)) {
        case .tls?: return .known(.tls)
        case .http?: return .known(.http)
        case .h2c?: return .known(.h2c)
        case .opaque?: return .known(.opaque)
        // In a CONNECT, and to the API, the name was said before anybody spoke.
        case .serverFirst?, nil:
            return kind == .check || isInsideConnect(record, of: kind, in: line) ? .asked : .silent
        }
    }

    private static func isInsideConnect(
        _ record: StoredRecord,
        of kind: RecordKind,
        in line: borrowing Span<UInt8>
    ) -> Bool {
        kind == .connection && record.text("capture", in: line) == CaptureMode.explicit.rawValue
            && record.text("authority", in: line) != nil
    }

    /// What an end of 4096 bytes cut off is written as.
    private static func isCut(_ text: String?) -> Bool { text?.hasSuffix("…") ?? false }

    private static func user(_ record: StoredRecord, of kind: RecordKind, in line: borrowing Span<UInt8>) -> UInt32? {
        let owner = kind == .check ? "caller" : "workload"
        return record.number(owner, "uid", in: line).flatMap { UInt32(exactly: $0) }
    }

    /// What the name was resolved to, where it was, and where the record says so.
    private static func addresses(
        _ record: StoredRecord,
        of kind: RecordKind,
        _ reason: String,
        in line: borrowing Span<UInt8>
    ) -> [IPAddress]? {
        if reason == Reason.unresolvable.rawValue { return [] }
        // `mode: audit` dials without asking what the name's addresses are.
        let isResolved = record.value("binding", in: line).map { line.holds("\"dns\"", in: $0) } ?? false
        return isResolved ? address("dialled", of: record, in: line).map { [$0] } : nil
    }

    private static func address(
        _ member: String,
        of record: StoredRecord,
        in line: borrowing Span<UInt8>
    ) -> IPAddress? {
        record.text("destination", member, in: line).flatMap { SocketAddress($0)?.address }
    }
}

extension Span<UInt8> {
    /// Whether the text stands somewhere in the range.
    fileprivate func holds(_ text: String, in range: Range<Int>) -> Bool {
        let wanted = text.utf8.span
        guard range.count >= wanted.count else { return false }
        for start in range.lowerBound...(range.upperBound - wanted.count) {
            var matched = 0
            while matched < wanted.count, self[start + matched] == wanted[matched] { matched += 1 }
            if matched == wanted.count { return true }
        }
        return false
    }
}
