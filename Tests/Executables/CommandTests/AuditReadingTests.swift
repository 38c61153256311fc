import AuditTrail
import Foundation
import Testing

@Suite("penstock audit tail, show and stats")
struct AuditReadingTests {
    /// The identifier of a record.
    private func id(_ number: Int) -> String { RecordIdentifier(value: UInt128(number)).description }

    private func tail(_ words: String..., in folder: Folder? = nil) throws -> Ending {
        try run(["audit", "tail", "audit.jsonl"] + words, in: folder ?? Trail.sample())
    }

    @Test("piped, the lines come as they are in the file, the last twenty of them")
    func piped() throws {
        let folder = try Trail.sample()
        #expect(try tail(in: folder).output == folder.text("audit.jsonl"))
        let many = try Trail.folder((1...30).map { Trail.connection($0, "a.example", .deny) })
        let lines = try many.text("audit.jsonl").split(separator: "\n").map(String.init)
        #expect(try tail(in: many).lines == lines.suffix(20))
        #expect(try tail("-n", "3", in: many).lines == lines.suffix(3))
        #expect(try tail("-n", "0", in: many).lines == [])
        #expect(try tail("-n", "500", in: many).lines == lines)
    }

    @Test("of a long file its end is found without reading all of it, over the borders of blocks")
    func longFile() throws {
        let long = String(repeating: "x", count: 4000)
        let folder = try Trail.folder((1...900).map { Trail.connection($0, "a\($0).example", .deny, detail: long) })
        let lines = try folder.text("audit.jsonl").split(separator: "\n").map(String.init)
        #expect(try tail("-n", "3", in: folder).lines == lines.suffix(3))
        #expect(try tail("-n", "600", in: folder).lines == lines.suffix(600))
        #expect(try tail("--host", "a5.example", in: folder).lines == [lines[5]])
    }

    @Test("filters: denied ones, hosts as policy writes them, addresses, and time; the end goes with what was allowed")
    func filters() throws {
        func numbers(_ words: String...) throws -> [Int] {
            let said = try run(["audit", "tail", "audit.jsonl"] + words, in: Trail.sample())
            return try said.lines.map { line in
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return object?["sequence"] as? Int ?? 0
            }
        }
        #expect(try numbers("--deny") == [5, 6, 8, 9])
        #expect(try numbers("--host", "pastebin.com") == [5])
        #expect(try numbers("--host", "*.pastebin.com") == [8])
        #expect(try numbers("--host", "API.example.com") == [2, 3, 4, 6, 7])
        #expect(try numbers("--host", "203.0.113.3") == [8])
        #expect(try numbers("--host", "api.example.com", "--deny") == [6])
        #expect(try numbers("--since", "2026-11-21T10:15:11Z") == [8, 9])
        #expect(try numbers("--since", "2026-11-21T12:15:11+02:00", "--deny", "-n", "1") == [9])
        #expect(try numbers("--since", "2027-01-01") == [])
        #expect(try numbers("--since", "20000d").count == 9)
    }

    @Test("as a table: aligned, the day once, an end beside what it is the end of")
    func table() throws {
        let said = try tail("--table")
        #expect(said.lines.first == "-- 2026-11-21 (UTC)")
        let rows = said.lines.dropFirst()
        #expect(rows.count == 9)
        #expect(!said.output.contains("\u{1b}"))
        #expect(rows.contains { $0.hasPrefix("10:15:05.123  allow    api.example.com:443  ") && $0.hasSuffix(id(1)) })
        #expect(
            rows.contains { $0.contains("deny     POST api.example.com:80/admin") && $0.contains("paths (rule_deny)") }
        )
        #expect(
            rows.contains { $0.contains("end      api.example.com:443 ") && $0.contains("closed by client, up 1.5 kB") }
        )
        #expect(rows.contains { $0.contains("end      api.example.com:80 ") && $0.contains("200 closed") })
        #expect(rows.contains { $0.contains("would    audited.example:443") && $0.contains("would deny: rule_allow") })
        #expect(rows.contains { $0.contains("daemon   started") })
        let columns = rows.filter { $0.hasSuffix(id(1)) || $0.hasSuffix(id(2)) }.map(\.count)
        #expect(Set(columns).count == 1, "\(said)")
        #expect(rows.allSatisfy { $0.count <= 120 })
    }

    @Test("a terminal gets a table in colours that fits it; NO_COLOR takes the colours, a pipe the table")
    func terminal() throws {
        let folder = try Trail.sample()
        let words = ["audit", "tail", "audit.jsonl", "--deny"]
        let coloured = try terminalOutput(words, in: folder, environment: ["TERM=xterm"])
        #expect(coloured.contains("\u{1b}[31mdeny   \u{1b}[0m"))
        #expect(coloured.contains("\u{1b}[33mwould  \u{1b}[0m"))
        let plain = try terminalOutput(words, in: folder, environment: ["NO_COLOR=1"], columns: 80)
        #expect(!plain.contains("\u{1b}"))
        let rows = plain.split(separator: "\n").dropFirst()
        #expect(rows.count == 4)
        #expect(rows.allSatisfy { $0.count <= 80 })
        #expect(try !terminalOutput(words, in: folder, environment: ["TERM=dumb"]).contains("\u{1b}"))
        #expect(try terminalOutput(words + ["--json"], in: folder).hasPrefix("{\"v\":1"))
    }

    @Test("-f goes on with what is written, over a rotation, and says what it missed")
    func follow() async throws {
        let folder = try Trail.folder((1...9).map { Trail.connection($0, "a\($0).example", .deny) })
        let lines = try folder.text("audit.jsonl").split(separator: "\n").map { "\($0)\n" }
        try folder.put(lines[..<2].joined(), as: "live")
        let output = folder.path + "/seen"
        let errors = folder.path + "/missed"
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "exec \(program) audit tail -f \(folder.path)/live -n 1 >\(output) 2>\(errors)"]
        try process.run()
        // It inherits a thread on which signals to end are blocked: only this one is not.
        defer { kill(process.processIdentifier, SIGKILL) }
        #expect(try await seen(output, lines, 1...1))
        let handle = try #require(FileHandle(forWritingAtPath: folder.path + "/live"))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(lines[2].utf8))
        #expect(try await seen(output, lines, 1...2))
        try FileManager.default.moveItem(atPath: folder.path + "/live", toPath: folder.path + "/old")
        try handle.write(contentsOf: Data(lines[3].utf8))
        try folder.put(lines[4..<6].joined(), as: "live")
        #expect(try await seen(output, lines, 1...5))
        try FileManager.default.removeItem(atPath: folder.path + "/live")
        try folder.put(lines[8...].joined(), as: "live")
        #expect(try await seen(output, lines, Array(1...5) + [8, 9]))
        #expect(try folder.text("missed") == "penstock: records 7 to 8 are not in the file any more\n")
    }

    /// Waits until these lines were written, at most 20 seconds; false where they never were.
    private func seen(_ path: String, _ lines: [String], _ wanted: some Sequence<Int>) async throws -> Bool {
        let expected = wanted.map { lines[$0] }.joined()
        for _ in 0..<400 {
            if (try? String(contentsOf: URL(filePath: path), encoding: .utf8)) == expected { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test("show tells all of a connection, its requests within; it is found by theirs, and by the beginning of its own")
    func show() throws {
        let folder = try Trail.sample()
        let said = try penstock("audit", "show", id(1), "audit.jsonl", in: folder)
        #expect(said.status == 0)
        let heads = said.lines.filter { $0.hasPrefix("2026-") }.map { $0.split(separator: "  ")[1] }
        #expect(heads == ["connection", "request", "request end", "request", "connection end"])
        #expect(said.lines.contains("  path                      /v1/messages"))
        #expect(said.lines.contains("  destination.name          api.example.com"))
        #expect(said.lines.contains("  bytes_down                2500000 (2.5 MB)"))
        #expect(said.lines.contains("  duration_ms               61000 (61 s)"))
        #expect(!said.output.contains("pastebin"))
        #expect(try penstock("audit", "show", id(11), "audit.jsonl", in: folder).output == said.output)
        #expect(try penstock("audit", "show", id(1).lowercased(), "audit.jsonl", in: folder).output == said.output)
        let json = try penstock("audit", "show", id(1), "audit.jsonl", "--json", in: folder)
        let lines = try folder.text("audit.jsonl").split(separator: "\n").map(String.init)
        #expect(json.lines == [1, 2, 3, 5, 6].map { lines[$0] })
        let several = try penstock("audit", "show", String(id(1).prefix(12)), "audit.jsonl", in: folder)
        #expect(several.status == 1)
        #expect(several.lines == [1, 2, 3, 4].map(id))
        let nothing = try penstock("audit", "show", id(99), "audit.jsonl", in: folder)
        #expect(nothing.status == 1)
        #expect(nothing.errors == "penstock: no record of \(id(99)) in audit.jsonl\n")
    }

    @Test("stats count hosts, denials, bytes and rules, with bars; --json says the same")
    func stats() throws {
        let folder = try Trail.sample()
        let said = try penstock("audit", "stats", "audit.jsonl", in: folder)
        #expect(said.status == 0)
        #expect(
            said.lines.prefix(3) == [
                "9 records, 2026-11-21T10:15:04.123456Z to 2026-11-21T10:15:12.123456Z",
                "decisions: 6, allowed 3, denied 3, would deny 1", "bytes: up 1.5 kB, down 2.5 MB",
            ]
        )
        #expect(said.lines.contains("  api.example.com   ████████████████████  3"), "\(said)")
        #expect(said.lines.contains("  pastebin.com      ██████▋               1"), "\(said)")
        #expect(said.lines.contains("  audited.example   ████████████████████  0 + 1 would"))
        #expect(said.lines.contains("  api.example.com  ████████████████████  up 1.5 kB, down 2.5 MB"))
        #expect(said.lines.contains { $0.hasPrefix("  no-paste ") && $0.hasSuffix("allow 0, deny 2") })
        let json = try penstock("audit", "stats", "--json", "--top", "1", "audit.jsonl", in: folder)
        let object = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let hosts = try #require(object["hosts"] as? [[String: Any]])
        #expect(hosts.map { $0["name"] as? String } == ["api.example.com"])
        #expect((object["total"] as? [String: Any])?["denied"] as? Int == 3)
    }

    @Test("where requests are judged one by one their bytes are their hosts', and what is left the connection's")
    func statsOfRequests() throws {
        var connection = Trail.connection(1, "front.example", .allow)
        connection.reason = "per_request"
        let identifiers = [1, 11].map { RecordIdentifier(value: UInt128($0)) }
        let folder = try Trail.folder([
            connection, Trail.request(11, of: 1, .allow, "/"),
            RequestEndRecord(
                id: identifiers[1],
                connection: identifiers[0],
                outcome: .closed,
                bytesUp: 1000,
                bytesDown: 2000
            ),
            ConnectionEndRecord(id: identifiers[0], outcome: .closed, bytesUp: 1000, bytesDown: 2300),
        ])
        let said = try penstock("audit", "stats", "audit.jsonl", in: folder)
        #expect(said.lines.contains("bytes: up 1.0 kB, down 2.3 kB"), "\(said)")
        #expect(said.lines.contains("  api.example.com  ████████████████████  up 1.0 kB, down 2.0 kB"), "\(said)")
        #expect(said.lines.contains("  front.example    ██                    up 0 B, down 300 B"), "\(said)")
    }

    @Test("bytes are counted by the rule that let them through, and not where no rule is known")
    func statsOfRules() throws {
        var connection = Trail.connection(1, "a.example", .allow, rule: "first")
        let end = ConnectionEndRecord(id: connection.id, outcome: .closed, bytesUp: 1000, bytesDown: 2000)
        connection.detail = nil
        let folder = try Trail.folder([connection, Trail.connection(2, "b.example", .deny, rule: "none"), end])
        let said = try penstock("audit", "stats", "audit.jsonl", in: folder)
        #expect(said.lines.contains("rules by bytes"), "\(said)")
        #expect(said.lines.contains("  first  ████████████████████  up 1.0 kB, down 2.0 kB"), "\(said)")
        let json = try penstock("audit", "stats", "--json", "audit.jsonl", in: folder)
        let object = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        let rules = try #require(object["heaviest_rules"] as? [[String: Any]])
        #expect(rules.map { $0["name"] as? String } == ["first"])
        #expect(rules.first?["bytes_down"] as? Int == 2000)
        let reasons = try #require(object["reasons"] as? [[String: Any]])
        #expect(reasons.allSatisfy { $0["bytes_up"] == nil })
    }

    @Test(
        "a file that is none of the trail is said to be that, and nothing is counted of it",
        arguments: [
            ["audit", "stats", "other.txt"], ["audit", "keys", "other.txt"], ["policy", "learn", "other.txt"],
            ["audit", "show", "00000000000000000000000001", "other.txt"], ["audit", "tail", "other.txt"],
            ["audit", "tail", "-n", "0", "other.txt"], ["audit", "tail", "--deny", "torn.txt"],
            ["policy", "diff", "p.yaml", "p.yaml", "--audit", "audit.jsonl", "other.txt"],
        ]
    )
    func otherFile(words: [String]) throws {
        let folder = try Trail.sample()
        try folder.put("nothing\nof the kind\n", as: "other.txt")
        try folder.put("neither\nthis", as: "torn.txt")
        try folder.put("apiVersion: penstock/v1\nkind: EgressPolicy\nname: p\nrules: []\n", as: "p.yaml")
        let said = try run(words, in: folder)
        #expect(said.status == 66, "\(said)")
        #expect(said.output.isEmpty)
        let other = try #require(words.last)
        #expect(said.errors.contains("\(other): this is no file of the audit trail: none of its lines is a record"))
    }

    @Test("tail of what is no trail is 66, by a pipe and however long it is; of an empty file, and with one record, 0")
    func tailOfOther() throws {
        let folder = try Trail.sample()
        let isNone = "this is no file of the audit trail: none of its lines is a record"
        let piped = try spawn(["sh", "-c", "echo nothing | \(program) audit tail /dev/stdin"], in: folder)
        #expect(piped.status == 66 && piped.errors.contains("/dev/stdin: \(isNone)"), "\(piped)")
        try folder.put(String(repeating: "no record\n", count: 300_000), as: "long.txt")
        let long = try penstock("audit", "tail", "long.txt", "-n", "0", in: folder)
        #expect(long.status == 66 && long.errors.contains("long.txt: \(isNone)"), "\(long)")
        try folder.put("", as: "empty.txt")
        #expect(try penstock("audit", "tail", "empty.txt", in: folder).status == 0)
        let record = try folder.text("audit.jsonl").split(separator: "\n")[0]
        try folder.put("nothing\n\(record)\n", as: "one.txt")
        let one = try penstock("audit", "tail", "one.txt", in: folder)
        #expect(one.status == 0 && one.lines == [String(record)], "\(one)")
        #expect(one.errors.contains("1 line is no record"), "\(one)")
    }

    @Test(
        "compressed data that ends in the middle is 1, as the help of each command says",
        arguments: [["tail"], ["stats"], ["show", "00000000000000000000000001"], ["keys"]]
    )
    func cutShort(words: [String]) throws {
        let folder = try Trail.sample()
        let cut = "zstd -q audit.jsonl && head -c 300 audit.jsonl.zst > cut.zst"
        #expect(try spawn(["sh", "-c", cut], in: folder).status == 0)
        let said = try run(["audit"] + words + ["cut.zst"], in: folder)
        #expect(said.status == 1 && said.errors.contains("cut.zst: its zstd data ends in the middle"), "\(said)")
        let help = try penstock("help", "audit", words[0]).output.replacing("\n", with: " ")
        #expect(help.contains(#/ 1 [^·]*compressed data is damaged/#), "\(help)")
    }

    @Test("G05: what hostile text is in records steers no terminal and breaks no line, wherever it is shown")
    func hostileText() throws {
        let hostile = "\u{1b}[2J\u{1b}]0;x\u{7}\r\n\u{9b}31m\u{202e}\u{2028}\u{0}"
        let folder = try Trail.folder([
            Trail.connection(1, hostile, .deny, rule: hostile, detail: hostile),
            Trail.request(2, of: 1, .deny, "/\(hostile)"),
            LifecycleRecord(event: .draining, version: hostile, pid: 1, detail: hostile),
            PolicyRecord(event: .refused, hashBefore: nil, hashAfter: hostile, problems: [hostile]),
        ])
        // A line of somebody else's, which is shown nowhere.
        try folder.put(folder.text("audit.jsonl") + "\u{1b}[31m{}\n", as: "audit.jsonl")
        let commands = [
            ["tail", "audit.jsonl"], ["tail", "audit.jsonl", "--table"], ["show", id(1), "audit.jsonl"],
            ["show", id(1), "audit.jsonl", "--json"], ["stats", "audit.jsonl"], ["stats", "--json", "audit.jsonl"],
            ["verify", "audit.jsonl"], ["verify", "--json", "audit.jsonl"], ["keys", "audit.jsonl"],
        ]
        for command in commands {
            let said = try run(["audit"] + command, in: folder)
            let text = said.output + said.errors
            let harmful = text.unicodeScalars.filter { scalar in
                [.control, .format, .lineSeparator].contains(scalar.properties.generalCategory) && scalar != "\n"
            }
            #expect(harmful.isEmpty, "\(command)")
            #expect(said.errors.contains("is no record") || command[0] == "verify", "\(command)")
        }
        #expect(try run(["audit", "tail", "--table", "audit.jsonl"], in: folder).lines.count == 6)
    }

    @Test(
        "what cannot be read is 66, what is asked wrongly 64",
        arguments: [
            (["tail", "nowhere.jsonl"], 66, "nowhere.jsonl: open: No such file"),
            (["tail", "a", "b"], 64, "one word too many: 'b'; see penstock help audit tail"),
            (["tail", "a", "--since", "yesterday"], 64, "--since 'yesterday' is no time"),
            (["tail", "a", "--since", "-5m"], 64, "--since '-5m' is no time"),
            (["tail", "a", "--host", "a b"], 64, "--host 'a b' is no host"),
            (["tail", "a", "-n", "-1"], 64, "-n '-1' is no number of records"),
            (["tail", "a", "--table", "--json"], 64, "--table or --json, not both"),
            (["tail", "-f", "/dev/null"], 64, "only the plain file that the daemon writes can be followed"),
            (["show"], 64, "the identifier of a connection, a request or a check is needed"),
            (["show", "42"], 64, "'42' is no identifier"),
            (["show", "00000000000000000000000001", "nowhere"], 66, "nowhere: open: No such file"),
            (["stats", "nowhere"], 66, "nowhere: open: No such file"),
            (["stats", "--top", "0"], 64, "--top '0' is no number of rows"),
            (["keys", "nowhere"], 66, "nowhere: open: No such file"),
            ([], 64, "'penstock audit' needs a command; see penstock help audit"),
            (["tial"], 64, "unknown command 'audit tial'; did you mean 'audit tail'?; see penstock help audit"),
        ] as [([String], Int32, String)]
    )
    func misuse(words: [String], status: Int32, complaint: String) throws {
        let said = try run(["audit"] + words)
        #expect(said.status == status)
        #expect(said.errors.contains(complaint), "\(said)")
        #expect(said.output.isEmpty)
    }
}
