import AuditStore
import AuditTrail
import Foundation
import Glibc
import Testing

@Suite("penstock audit query and reindex")
struct AuditQueryTests {
    @Test(
        "each option finds what it says",
        arguments: [
            ([], [1, 2, 3, 4, 5, 6]), (["--host", "a.example"], [3]), (["--host", "*.example"], [3, 4, 5]),
            (["--host", "203.0.113.7"], [5]), (["--since", "2026-11-21T00:00:04Z"], [5, 6]),
            (["--until", "2026-11-21T00:00:04Z", "--since", "2026-11-21T00:00:03.000000Z"], [4]),
            (["--deny"], [3, 5]), (["--allow"], [4]), (["--rule", "it's = \"x\""], [4]), (["--uid", "1001"], [4]),
            (["--kind", "policy"], [2]), (["--text", "paste deny"], [3]), (["--text", "nothing"], []),
            (["--limit", "2"], [5, 6]), (["--limit=all", "--deny", "--since=2026-11-21"], [3, 5]),
        ]
    )
    func options(words: [String], sequences: [Int]) throws {
        let folder = try queryFolder()
        let said = try run(["audit", "query", "audit.jsonl"] + words, in: folder)
        #expect(said.status == 0, "\(said)")
        let objects = try said.lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
        #expect(objects.map { $0?["sequence"] as? Int } == sequences, "\(said)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/audit.index.sqlite"))
        #expect(said.errors.contains("only the last 2") == words.contains("2"))
    }

    @Test("a decision has what is known of its end in its row, in every form")
    func forms() throws {
        let folder = try queryFolder()
        let json = try penstock("audit", "query", "audit.jsonl", "--rule", "it's = \"x\"", in: folder)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(object["outcome"] as? String == "closed" && object["bytes_down"] as? Int == 34_000_000)
        #expect(object["decision"] as? String == "allow" && object["host"] as? String == "b.example")
        let table = try penstock("audit", "query", "audit.jsonl", "--format", "table", in: folder)
        let row = table.lines.first { $0.contains("allow    b.example:443") }
        #expect(row?.contains("it's = \"x\" (rule_allow)") == true, "\(table)")
        #expect(table.lines.first == "-- 2026-11-21 (UTC)")
        let isPrintable = table.output.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x7F }
        #expect(isPrintable)
    }

    @Test(
        "CSV is that of RFC 4180, and nothing in it is a formula to a spreadsheet",
        arguments: [
            ("plain", "plain"), ("a b", "\"a b\""), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\u{fffd}=1"), ("\r=1", "'\u{fffd}=1"), ("a\r\nb", "a\u{fffd}\u{fffd}b"),
            ("\u{ff1d}1", "'\u{ff1d}1"), ("\u{1b}[31m", "'\u{fffd}[31m"), ("1=1", "1=1"),
            ("=\"a,b\"", "\"'=\"\"a,b\"\"\""),
        ]
    )
    func csv(detail: String, cell: String) throws {
        let folder = try Folder()
        try write([AuditRecord(judged(1, .deny, host: "a.example", detail: detail), at: midnight)], folder)
        let said = try penstock("audit", "query", "audit.jsonl", "--deny", "--format", "csv", in: folder)
        let lines = said.output.components(separatedBy: "\r\n")
        let head =
            "time,kind,sequence,id,connection,decision,would,reason,rule,host,address,port,protocol,method,path,uid,status,"
            + "outcome,closed_by,bytes_up,bytes_down,duration_ms,event,detail,file"
        #expect(lines.count == 3 && lines.last == "")
        #expect(lines.first == head)
        let start =
            "2026-11-21T00:00:00.000000Z,connection,2,00000000000000000000000001,,deny,,rule_deny,,a.example,,443,"
        #expect(lines[1] == start + "tls,,,1000,,,,,,,,\(cell),audit.jsonl")
    }

    @Test(
        "a command line that asks for nothing ends with 64 and says why",
        arguments: [
            (["--host", "a b"], "--host 'a b' is no host; write example.com, *.example.com or an address"),
            (["--since", "soon"], "--since 'soon' is no time; write 2026-11-21T10:15:04Z, or 10m, 2h, 7d"),
            (["--until", "2026-02-30"], "--until '2026-02-30' is no time; write 2026-11-21T10:15:04Z, or 10m, 2h, 7d"),
            (["--deny", "--allow"], "--deny or --allow, not both"),
            (["--uid", "-1"], "--uid '-1' is no user number; write 0 to 4294967295"),
            (["--kind", "connections"], "unknown kind 'connections'; did you mean 'connection'?"),
            (["--text", "a *"], "--text 'a *' has no letters or digits to look for in every word"),
            (["--limit", "some"], "--limit 'some' is no number of rows; write 1 to 1000000000, or all"),
            (["--limit", "0"], "--limit '0' is no number of rows; write 1 to 1000000000, or all"),
            (["--format", "xml"], "unknown format 'xml'; write one of table, json, csv"),
            (["--format", "cvs"], "unknown format 'cvs'; did you mean 'csv'?"),
            (["--forrmat", "csv"], "unknown option '--forrmat'; did you mean '--format'?"),
        ]
    )
    func misuse(words: [String], complaint: String) throws {
        let said = try run(["audit", "query", "audit.jsonl"] + words)
        #expect(said.status == 64)
        #expect(said.output.isEmpty)
        #expect(said.errors == "penstock: \(complaint); see penstock help audit query\n")
    }

    @Test("without an update nothing is written, and a trail that is gone is still answered for")
    func noUpdate() throws {
        let folder = try queryFolder()
        let early = try penstock("audit", "query", "audit.jsonl", "--no-update", in: folder)
        #expect(early.status == 66)
        #expect(early.errors.contains("there is no index; 'penstock audit reindex' makes it"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/audit.index.sqlite"))
        let first = try penstock("audit", "query", "audit.jsonl", in: folder)
        try FileManager.default.removeItem(atPath: folder.path + "/audit.jsonl")
        #expect(try penstock("audit", "query", "audit.jsonl", in: folder).status == 66)
        let again = try penstock("audit", "query", "audit.jsonl", "--no-update", in: folder)
        #expect(again.status == 0)
        #expect(again.output == first.output)
    }

    @Test("reindexing counts what it takes in, shows how far it is, and a slip in a name costs nobody the index")
    func reindex() throws {
        let folder = try queryFolder()
        let said = try penstock("audit", "reindex", "audit.jsonl", "--index", "my.sqlite", "--progress", in: folder)
        #expect(said.status == 0)
        #expect(said.output.wholeMatch(of: /my\.sqlite: 6 records of 1 file, in .+\n/) != nil, "\(said)")
        #expect(said.errors.contains("100% of"))
        let slip = try penstock("audit", "reindex", "audit.json", "--index", "my.sqlite", in: folder)
        #expect(slip.status == 66)
        let ask = ["audit", "query", "audit.jsonl", "--index", "my.sqlite", "--no-update"]
        #expect(try run(ask, in: folder).lines.count == 6)
        // The trail itself is no index, whatever is said.
        let trail = try folder.text("audit.jsonl")
        let worse = try penstock("audit", "reindex", "audit.jsonl", "--index", "audit.jsonl", in: folder)
        #expect(worse.status == 66)
        #expect(worse.errors.contains("this is no index of Penstock's, and is left alone"))
        #expect(try folder.text("audit.jsonl") == trail)
    }

    @Test("a damaged index ends with 1 and says what mends it")
    func damaged() throws {
        let folder = try queryFolder()
        let first = try penstock("audit", "query", "audit.jsonl", in: folder)
        let place = URL(filePath: folder.path + "/audit.index.sqlite")
        var bytes = try Data(contentsOf: place)
        bytes.replaceSubrange(4096..., with: Data(repeating: 0xA5, count: bytes.count - 4096))
        try bytes.write(to: place)
        let said = try penstock("audit", "query", "audit.jsonl", in: folder)
        #expect(said.status == 1)
        #expect(
            said.errors.contains("audit.index.sqlite: the index is damaged; 'penstock audit reindex' makes it anew")
        )
        #expect(try penstock("audit", "reindex", "audit.jsonl", in: folder).status == 0)
        #expect(try penstock("audit", "query", "audit.jsonl", in: folder).output == first.output)
    }

    @Test("a line that somebody put in is counted, and the rest is found")
    func foreignLine() throws {
        let folder = try queryFolder()
        let text = try folder.text("audit.jsonl") + "not a record\n"
        try Data(text.utf8).write(to: URL(filePath: folder.path + "/audit.jsonl"))
        let said = try penstock("audit", "query", "audit.jsonl", in: folder)
        #expect(said.status == 0 && said.lines.count == 6)
        #expect(said.errors.contains("1 line is no record"))
    }

    /// The commands with `sqlite3` that docs/audit.md shows.
    private static func documented() throws -> [String] {
        let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/audit.md")
        let text = try String(contentsOf: docs, encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("sqlite3 ") }.map(String.init)
    }

    @Test("the bytes of docs/audit.md's last command are each host's own, counted once, where requests were judged")
    func documentedBytes() throws {
        var front = Trail.connection(1, "front.example", .allow)
        front.reason = "per_request"
        let (first, second) = (RecordIdentifier(value: 1), RecordIdentifier(value: 2))
        let request = RecordIdentifier(value: 11)
        let folder = try Trail.folder([
            front, Trail.request(11, of: 1, .allow, "/"), Trail.connection(2, "tunnel.example", .allow),
            RequestEndRecord(id: request, connection: first, outcome: .closed, bytesUp: 1, bytesDown: 2000),
            ConnectionEndRecord(id: first, outcome: .closed, bytesUp: 2, bytesDown: 2300),
            ConnectionEndRecord(id: second, outcome: .closed, bytesUp: 3, bytesDown: 500),
        ])
        #expect(try penstock("audit", "reindex", "audit.jsonl", in: folder).status == 0)
        let command = try #require(try Self.documented().last { $0.contains("bytes_down") })
        let said = try spawn(["sh", "-c", command], in: folder)
        #expect(said.lines == ["api.example.com|2000", "tunnel.example|500"], "\(said)")
    }

    @Test("the sqlite3 commands of docs/audit.md run, and find something")
    func documentation() throws {
        let folder = try queryFolder()
        #expect(try penstock("audit", "reindex", "audit.jsonl", in: folder).status == 0)
        let commands = try Self.documented()
        #expect(commands.count >= 3)
        for command in commands {
            // Not Foundation's `Process`, as in RunCommand.swift.
            let status = unsafe system("cd '\(folder.path)' && \(command) > out")
            #expect(status == 0, "\(command)")
            #expect(try !folder.text("out").isEmpty, "\(command)")
        }
    }
}

/// 2026-11-21T00:00:00Z.
private let midnight: Int64 = 1_795_219_200_000_000

/// A folder with a trail of six records: 1 the start, 2 a policy, 3 to 5 connections, 6 the end of 4.
private func queryFolder() throws -> Folder {
    let folder = try Folder()
    let end = ConnectionEndRecord(
        id: RecordIdentifier(value: 4),
        outcome: .closed,
        closedBy: .client,
        bytesUp: 12,
        bytesDown: 34_000_000,
        durationMilliseconds: 3400
    )
    try write(
        [
            AuditRecord(PolicyRecord(event: .loaded, hashBefore: nil, hashAfter: nil), at: midnight + 1_000_000),
            AuditRecord(judged(3, .deny, host: "a.example", rule: "no-paste-sites"), at: midnight + 2_000_000),
            AuditRecord(
                judged(4, .allow, host: "b.example", rule: "it's = \"x\"", uid: 1001),
                at: midnight + 3_000_000
            ),
            AuditRecord(
                judged(5, .allow, would: .deny, host: "c.example", original: "203.0.113.7:443"),
                at: midnight + 4_000_000
            ),
            AuditRecord(end, at: midnight + 5_000_000),
        ],
        folder
    )
    return folder
}

private func write(_ records: [AuditRecord], _ folder: Folder) throws {
    let path = folder.path + "/audit.jsonl"
    let writer = try AuditWriter(path: path, durability: .written, version: "1.2.3", pid: 7) { midnight }
    for record in records { writer.submit(record) }
    guard writer.finish(timeout: .seconds(30)) else { throw CocoaError(.fileWriteUnknown) }
}

private func judged(
    _ number: Int,
    _ decision: Decision,
    would: Decision? = nil,
    host: String,
    rule: String? = nil,
    uid: UInt32 = 1000,
    original: String? = nil,
    detail: String? = nil
) -> ConnectionRecord {
    ConnectionRecord(
        id: RecordIdentifier(value: UInt128(number)),
        decision: decision,
        would: would,
        treatment: decision == .allow ? .tunnel : .refuse,
        rule: rule,
        reason: decision == .allow ? "rule_allow" : "rule_deny",
        policyHash: nil,
        mode: .enforce,
        workload: WorkloadIdentity(namespace: nil, pod: nil, serviceAccount: nil, uid: uid),
        capture: .transparent,
        protocol: .tls,
        destination: RecordedDestination(name: host, port: 443, original: original),
        detail: detail
    )
}
