import AuditIndex
import AuditTrail
import Foundation
import NetworkTypes
import Testing

@Suite("Asking the index")
struct QueryTests {
    @Test("whatever is asked, the answer is that of looking at every line", arguments: 1...4 as ClosedRange<UInt64>)
    func bruteForce(seed: UInt64) throws {
        var random = Dice(seed)
        let folder = try TrailFolder()
        let rotated = folder.path + "/old.jsonl"
        try folder.append(random.records(300), to: rotated)
        try folder.append(random.records(300))
        let files = random.chance(2) ? [rotated, folder.trail] : [folder.trail]
        let index = try AuditIndex(folder.index, for: .updating)
        _ = try index.update([rotated, folder.trail])
        let segments = try index.segments(of: files)
        let lines = try files.flatMap { try TrailLine.all(folder.content($0)) }
        var found = 0
        for _ in 0..<150 {
            var query = random.query(segments)
            let wanted = lines.filter { matches($0, query) }.sorted { ($0.time, $0.sequence) < ($1.time, $1.sequence) }
            var rows: [QueryRow] = []
            let isCut = try index.find(query) { row in
                rows.append(row)
                return true
            }
            let limit = query.limit ?? .max
            let expected = wanted.map(\.time).suffix(min(limit, wanted.count))
            query.segments = []
            #expect(rows.map(\.time) == Array(expected), "\(query)")
            if limit > wanted.count {
                let sequences = Set(rows.map { "\($0.time) \($0.sequence)" })
                let due = Set(wanted.map { "\($0.time) \($0.sequence)" })
                #expect(sequences == due, "\(query)")
            }
            #expect(isCut == (wanted.count > limit), "\(query)")
            found += rows.count
        }
        #expect(found > 500)
    }

    @Test("a row has what its line has, and a decision has what is known of its end")
    func rows() throws {
        let folder = try TrailFolder()
        let identifier = RecordIdentifier(value: 7)
        let request = RequestRecord(
            id: RecordIdentifier(value: 8),
            connection: identifier,
            decision: .deny,
            treatment: .refuse,
            reason: "rule_deny",
            policy: RecordedPolicy(hash: nil, mode: .enforce),
            workload: WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: 4_294_967_294),
            method: "POST",
            authority: "API.example:8443",
            path: "/v1/files",
            destination: RecordedDestination(port: 8443)
        )
        let end = ConnectionEndRecord(
            id: identifier,
            outcome: .closed,
            closedBy: .client,
            bytesUp: 12,
            bytesDown: .max,
            durationMilliseconds: 3,
            dialled: "[2001:db8::1]:443"
        )
        try folder.append([
            AuditRecord(connection(7, .allow, host: "api.example", original: "203.0.113.9:443"), at: day),
            AuditRecord(request, at: day + 1), AuditRecord(end, at: day + 2),
        ])
        let (index, summary) = try folder.updated()
        let rows = try index.rows(AuditQuery(segments: summary.segments)).filter { $0.event == nil }
        #expect(rows.map(\.kind) == ["connection", "request", "connection_end"])
        let first = try #require(rows.first)
        #expect(first.isAllowed == true && first.address == "203.0.113.9" && first.uid == 1000 && first.port == 443)
        #expect(first.outcome == "closed" && first.closedBy == "client" && first.bytesUp == 12)
        #expect(first.bytesDown == UInt64(Int64.max))
        #expect(first.protocol == "tls" && first.rule == "no-paste-sites" && first.reason == "rule_deny")
        #expect(first.file == folder.trail && first.time == day && first.id == identifier.description)
        let second = rows[1]
        #expect(second.host == "api.example" && second.method == "POST" && second.path == "/v1/files")
        #expect(second.connection == identifier.description && second.outcome == nil && second.isAllowed == false)
        #expect(rows[2].address == "2001:db8::1" && rows[2].durationMilliseconds == 3 && rows[2].isAllowed == nil)
    }

    @Test(
        "G05: SQL and search syntax in what is recorded and in what is asked are texts",
        arguments: [
            "Robert'); DROP TABLE records;--", "\" OR 1=1 --", "x' OR '1'='1", "%", "*", "_", "host:deny", "a NEAR b",
            "NOT deny", "deny OR allow", "^deny", "(deny", "deny)", "\"deny", "deny\"", "{host path}: deny", "-deny",
            "+deny", "deny\\", "\u{0}deny", "𝔡𝔢𝔫𝔶 \u{202E}", "AND", "\n",
        ]
    )
    func injection(text: String) throws {
        let folder = try TrailFolder()
        try folder.append([
            AuditRecord(connection(1, host: "a.example", rule: text, reason: "malformed_name", detail: text), at: day),
            AuditRecord(connection(2, host: "b.example", rule: "other", reason: "malformed_name"), at: day + 1),
        ])
        let (index, summary) = try folder.updated()
        var query = AuditQuery(segments: summary.segments)
        query.rule = text
        #expect(try index.rows(query).map(\.host) == ["a.example"])
        query.rule = nil
        query.kind = text
        #expect(try index.rows(query).isEmpty)
        query.kind = nil
        query.words = text.split(whereSeparator: \.isWhitespace).map(String.init).filter(AuditQuery.isSearchable)
        let rows = try index.rows(query)
        if query.words.isEmpty { return #expect(rows.count == 3) }
        #expect(rows.map(\.detail) == [text])
        query.words = [text]
        if AuditQuery.isSearchable(text) { #expect(try index.rows(query).map(\.host) == ["a.example"]) }
    }

    @Test(
        "host patterns are those of policies, and addresses are found however they are written",
        arguments: [
            ("api.example.com", ["api.example.com"]), ("*.example.com", ["api.example.com", "a.b.example.com"]),
            ("*.com", ["api.example.com", "a.b.example.com", "example.com"]), ("example.com", ["example.com"]),
            ("*.xample.com", []), ("nothing.example", []),
        ]
    )
    func hosts(pattern: String, expected: [String]) throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "api.example.com", "a.b.example.com", "example.com", "notexample.org")
        let (index, summary) = try folder.updated()
        var query = AuditQuery(segments: summary.segments)
        query.host = try HostPattern(pattern)
        #expect(try index.rows(query).compactMap(\.host) == expected)
    }

    @Test("one host in one day, what was denied, and a rule are each found by an ordered list, not by looking at all")
    func plans() throws {
        let folder = try TrailFolder()
        try folder.append(hosts: "a.example")
        let (index, summary) = try folder.updated()
        var query = AuditQuery(segments: summary.segments)
        query.since = day
        query.until = day + 86_400_000_000
        query.limit = 100
        #expect(try index.plan(query).contains("INDEX by_time (time>? AND time<?)"))
        query.host = try HostPattern("a.example")
        #expect(try index.plan(query).contains("by_host (host=? AND time>? AND time<?)"))
        query.host = nil
        query.address = IPAddress("203.0.113.9")
        #expect(try index.plan(query).contains("by_address (address=? AND time>? AND time<?)"))
        query.address = nil
        query.rule = "r"
        #expect(try index.plan(query).contains("by_rule (rule=? AND time>? AND time<?)"))
        query.rule = nil
        query.verdict = .denied
        #expect(try index.plan(query).contains("USING INDEX denied (time>? AND time<?)"))
        for limit in [nil, 10] {
            query.limit = limit
            #expect(try !index.plan(query).contains("SCAN records"))
        }
    }
}

/// Whether a line is what a query asks for, seen without an index.
private func matches(_ line: TrailLine, _ query: AuditQuery) -> Bool {
    let name = line.host.flatMap { try? HostName($0) }
    if let pattern = query.host, name.map({ pattern.matches($0) }) != true { return false }
    if let address = query.address, line.address != address.description { return false }
    if let since = query.since, line.time < since { return false }
    if let until = query.until, line.time >= until { return false }
    switch query.verdict {
    case nil: break
    case .denied: if !line.denies { return false }
    case .allowed: if !line.isDecision || line.denies { return false }
    }
    if let rule = query.rule, line.text("rule") != rule { return false }
    if let uid = query.uid, line.uid != UInt64(uid) { return false }
    if let kind = query.kind, line.text("kind") != kind { return false }
    return query.words.allSatisfy { line.contains($0) }
}
