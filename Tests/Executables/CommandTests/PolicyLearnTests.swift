import AuditTrail
import Foundation
import Testing

@Suite("penstock policy learn")
struct PolicyLearnTests {
    /// Learns from a folder's trail, and puts the policy there.
    private func learn(_ folder: Folder, _ words: [String] = []) throws -> String {
        let said = try run(["policy", "learn", "audit.jsonl"] + words, in: folder)
        #expect(said.status == 0, "\(said)")
        try folder.put(said.output, as: "learned.yaml")
        return said.output
    }

    /// How many decisions come out another way under what was learned than under a policy that allows everything.
    private func decisionsThatDiffer(_ folder: Folder) throws -> String {
        try folder.put(policy(Self.everything), as: "everything.yaml")
        let words = ["policy", "diff", "everything.yaml", "learned.yaml", "--audit", "audit.jsonl"]
        let said = try run(words, in: folder)
        return said.lines.first { $0.contains("would come out another way") } ?? "\(said)"
    }

    private static let everything = """
        { name: names, match: { ports: ["1-65535"] }, action: allow }
        """

    private func connection(
        _ number: Int,
        _ name: String?,
        _ original: String,
        _ spoken: RecordedProtocol?,
        dialled: String? = nil
    ) -> ConnectionRecord {
        var record = Trail.connection(number, name ?? "", .allow)
        record.protocol = spoken
        let port = UInt16(original.split(separator: ":").last ?? "0")
        record.destination = RecordedDestination(name: name, port: port, original: original, dialled: dialled)
        record.sni = name
        record.binding = dialled == nil ? [] : ["sni", "dns"]
        return record
    }

    private func request(_ number: Int, _ method: String, _ path: String, host: String = "web.example") -> RequestRecord
    {
        var record = Trail.request(number, of: 1, .allow, path)
        record.method = method
        record.destination.name = host
        return record
    }

    @Test("calls of tools are allowed by name, and no others with them; a name that would be a pattern is left out")
    func calls() throws {
        func call(_ number: Int, _ method: String, _ tool: String? = nil) -> RequestRecord {
            var record = request(number, "POST", "/mcp", host: "tools.example")
            record.message = RecordedMessage(era: "2025-06-18", calls: [.init(method: method, tool: tool, id: "1")])
            return record
        }
        let folder = try Trail.folder([
            call(1, "tools/list"), call(2, "tools/call", "read_file"), call(3, "tools/call", "list_files"),
            request(4, "GET", "/mcp", host: "tools.example"), call(5, "tools/call", "*"),
        ])
        let text = try learn(folder)
        let rule = """
                  http:
                    methods: [POST]
                    paths:
                      - /mcp
                  mcp:
                    methods: [tools/call, tools/list]
                    tools: [list_files, read_file]
            """
        #expect(text.contains(rule), "\(text)")
        let question = [
            "policy", "explain", "learned.yaml", "--host", "tools.example", "--port", "80", "--protocol", "http",
        ]
        let post = ["--method", "POST", "--path", "/mcp", "--call"]
        for (call, decision) in [
            ("tools/call read_file", "allow"), ("tools/call delete_repo", "deny"), ("ping", "deny"),
        ] {
            let said = try run(question + post + [call], in: folder)
            #expect(said.lines.first == "decision: \(decision)", "\(call): \(said)")
        }
    }

    @Test("calls that could not be read are not learned as any call, and are counted; a rule without calls says so")
    func unreadCalls() throws {
        func post(_ number: Int, _ reason: String?, tool: String? = nil) -> RequestRecord {
            var record = request(number, "POST", "/mcp", host: "tools.example")
            if let tool {
                record.message = RecordedMessage(
                    era: "2025-06-18",
                    calls: [.init(method: "tools/call", tool: tool, id: "1")]
                )
            }
            guard let reason else { return record }
            record.reason = reason
            record.would = .deny
            return record
        }
        let folder = try Trail.folder([post(1, nil, tool: "read_file"), post(2, "malformed_call")])
        let text = try learn(folder)
        let line =
            "# Left out: 1 with calls that could be read in more than one way (malformed_call): a rule for them would "
            + "allow any call\n"
        #expect(text.contains(line), "\(text)")
        #expect(text.components(separatedBy: "- name:").count == 2 && text.contains("tools: [read_file]"), "\(text)")
        let both = try learn(Trail.folder([post(1, nil, tool: "read_file"), post(2, nil)]))
        let warning =
            "  # NOT LIMITED: others to the same path called tools. With this rule, any tool may be called there.\n"
        #expect(both.components(separatedBy: warning).count == 2, "\(both)")
    }

    @Test("what was learned loads: a method in small letters, which rules refuse, is left out and counted")
    func methodsInSmallLetters() throws {
        let folder = try Trail.folder([request(1, "delete", "/a"), request(2, "GET", "/a"), request(3, "brew", "/a")])
        let text = try learn(folder)
        let line =
            "# Left out: 1 with a method such as `get`, which is refused where rules ask for methods: write it in "
            + "capitals in the client\n"
        #expect(text.contains(line), "\(text)")
        #expect(text.contains("        methods: [GET, brew]\n"), "\(text)")
        let checked = try penstock("policy", "check", "--strict", "learned.yaml", in: folder)
        #expect(checked.status == 0, "\(checked)")
    }

    @Test(
        "what is alike shares a rule; ports, protocols, methods and paths are stated; comments say how often and when"
    )
    func wholePolicy() throws {
        let folder = try Trail.folder([
            connection(1, "b.example.com", "203.0.113.1:443", .tls),
            connection(2, "a.example.com", "203.0.113.2:443", .tls),
            connection(3, "a.example.com", "203.0.113.2:443", .tls),
            connection(4, nil, "203.0.113.30:22", .serverFirst),
            request(5, "GET", "/v1/a"), request(6, "GET", "/v1/b"), request(7, "POST", "/v1/b"),
            Trail.connection(8, "denied.example", .deny),
        ])
        let text = try learn(folder)
        #expect(
            text == """
                # Learned by `penstock policy learn` from 7 decisions, 2026-11-21T10:15:05.123456Z to 2026-11-21T10:15:12.123456Z.
                # It allows what was let through then, and nothing else. Read it first: what an agent did is not always what it should do.
                # Left out: 1 that were denied (--denied takes them, too)
                apiVersion: penstock/v1
                kind: EgressPolicy
                name: learned
                mode: enforce
                default: deny
                rules:
                  # Plain HTTP to port 80: one name.
                  - name: web.example-http-80
                    match:
                      hosts:
                        - web.example  # once, last 2026-11-21T10:15:09Z
                      ports: [80]
                      protocols: [http]
                      http:
                        methods: [GET]
                        paths:
                          - /v1/a
                    action: allow
                  # Plain HTTP to port 80: one name.
                  # No calls were read there: where a server has tools (MCP), they are not limited.
                  - name: web.example-http-80-2
                    match:
                      hosts:
                        - web.example  # 2 times, last 2026-11-21T10:15:11Z
                      ports: [80]
                      protocols: [http]
                      http:
                        methods: [GET, POST]
                        paths:
                          - /v1/b
                    action: allow
                  # TLS to port 443: 2 names.
                  - name: tls-443
                    match:
                      hosts:
                        - a.example.com  # 2 times, last 2026-11-21T10:15:07Z
                        - b.example.com  # once, last 2026-11-21T10:15:05Z
                      ports: [443]
                      protocols: [tls]
                    action: allow
                  # Any protocol to port 22: one address.
                  - name: any-22
                    match:
                      cidrs:
                        - 203.0.113.30/32  # once, last 2026-11-21T10:15:08Z
                      ports: [22]
                    action: allow

                """
        )
        let checked = try penstock("policy", "check", "--strict", "learned.yaml", in: folder)
        #expect(checked.status == 0, "\(checked)")
    }

    @Test("what it writes allows everything that was let through, and nothing else of what was recorded")
    func exactly() throws {
        var records: [any RecordBody] = [
            connection(1, "a.example.com", "203.0.113.2:443", .tls, dialled: "203.0.113.2:443"),
            connection(2, "a.example.com", "203.0.113.2:8443", .tls),
            connection(3, nil, "203.0.113.30:22", .serverFirst),
            connection(4, nil, "[2001:db8::1]:9000", .opaque), connection(5, nil, "203.0.113.31:443", .tls),
            connection(6, "db.internal.example", "10.0.0.5:5432", .tls, dialled: "10.0.0.5:5432"),
            connection(7, nil, "10.0.0.9:6379", .opaque), connection(8, nil, "203.0.113.30:9090", .h2c),
        ]
        for (index, path) in ["/", "/a%20b", "/v1/%2A", "/v1/x:y", "/v1/{z}", "/#".replacing("#", with: "%23")]
            .enumerated()
        {
            records.append(request(20 + index, index % 2 == 0 ? "GET" : "POST", path))
        }
        let folder = try Trail.folder(records)
        let text = try learn(folder)
        #expect(!text.contains("NOT ALLOWED"), "\(text)")
        #expect(text.contains("private, loopback or otherwise special"), "\(text)")
        let checked = try penstock("policy", "check", "learned.yaml", in: folder)
        #expect(checked.status == 0, "\(checked)")
        try folder.put(policy("", default: "deny"), as: "nothing.yaml")
        let words = ["policy", "diff", "nothing.yaml", "learned.yaml", "--audit", "audit.jsonl"]
        let said = try run(words, in: folder)
        #expect(said.output.contains("14 decisions of 14 would come out another way"), "\(said)\n\(text)")
        for other in [
            ["b.example.com", "443"], ["a.example.com", "444"], ["203.0.113.30", "23"], ["10.0.0.8", "6379"],
        ] {
            let answer = try penstock(
                "policy",
                "explain",
                "learned.yaml",
                "--host",
                other[0],
                "--port",
                other[1],
                in: folder
            )
            #expect(answer.lines.first == "decision: deny", "\(other) \(answer)")
        }
        let request = ["--host", "web.example", "--port", "80", "--protocol", "http", "--method", "PUT", "--path", "/"]
        let answer = try run(["policy", "explain", "learned.yaml"] + request, in: folder)
        #expect(answer.lines.first == "decision: deny", "\(answer)")
    }

    @Test("the trail of a whole day of many hosts and paths is learned without loss")
    func manyRecords() throws {
        let methods = ["GET", "POST", "PUT"]
        var records: [any RecordBody] = []
        for number in 1...300 {
            if number % 3 == 0 {
                let path = "/v\(number % 4)/files/\(number)"
                records.append(request(number, methods[number % 7 % 3], path, host: "h\(number % 5).example.com"))
            } else {
                let original = "203.0.113.\(number % 200 + 1):\(440 + number % 4)"
                records.append(connection(number, "n\(number % 40).example.com", original, .tls))
            }
        }
        let folder = try Trail.folder(records)
        let text = try learn(folder)
        #expect(!text.contains("NOT ALLOWED"))
        #expect(try decisionsThatDiffer(folder).hasPrefix("0 decisions of 300 "))
    }

    @Test("methods with an asterisk, which no rule may name, are left out and counted; the rest is learned")
    func starredMethods() throws {
        let folder = try Trail.folder([
            request(1, "GET", "/a"), request(2, "FOO*", "/a"), request(3, "*", "/b"), request(4, "BAR", "/c"),
        ])
        let text = try learn(folder)
        #expect(text.contains("# Left out: 2 with an asterisk in the method, which no rule may name\n"), "\(text)")
        #expect(text.contains("methods: [GET]") && text.contains("methods: [BAR]") && !text.contains("*"), "\(text)")
        #expect(try penstock("policy", "check", "learned.yaml", in: folder).status == 0)
    }

    @Test("what is learned may be as long as a policy's file may be")
    func longPolicies() throws {
        let label = String(repeating: "a", count: 60)
        let records = (1...7000).map { connection($0, "n\($0).\(label).\(label).example", "203.0.113.1:443", .tls) }
        let folder = try Trail.folder(records)
        let text = try learn(folder)
        #expect(text.utf8.count > 1 << 20)
        #expect(try penstock("policy", "check", "learned.yaml", in: folder).status == 0)
    }

    @Test("wildcards stand only where they were asked for")
    func wildcards() throws {
        let folder = try Trail.folder([
            connection(1, "a.example.com", "203.0.113.1:443", .tls),
            connection(2, "b.c.example.com", "203.0.113.1:443", .tls),
            connection(3, "example.com", "203.0.113.1:443", .tls),
        ])
        #expect(try !learn(folder).contains("*"))
        let text = try learn(folder, ["--wildcard", "*.example.com"])
        #expect(text.contains("        - \"*.example.com\"  # 2 times, last 2026-11-21T10:15:06Z\n"), "\(text)")
        #expect(text.contains("        - example.com      # once, last 2026-11-21T10:15:07Z\n"), "\(text)")
        #expect(try penstock("policy", "learn", "audit.jsonl", "--wildcard", "example.com", in: folder).status == 64)
    }

    @Test("more paths than --paths are written by what they have in common")
    func paths() throws {
        var records: [any RecordBody] = [request(40, "GET", "/v1/list")]
        for number in 1...30 { records.append(request(number, "GET", "/v1/files/\(number)")) }
        let folder = try Trail.folder(records)
        #expect(try learn(folder, ["--paths", "40"]).contains("          - /v1/files/30\n"))
        let text = try learn(folder)
        #expect(text.contains("        paths:\n          - \"/v1/files/*\"\n          - /v1/list\n"), "\(text)")
        #expect(try decisionsThatDiffer(folder).hasPrefix("0 decisions of 31 "))
    }

    @Test("what was denied is left out, and said to be; --denied takes it in")
    func denied() throws {
        let folder = try Trail.sample()
        #expect(try !learn(folder).contains("pastebin.com"))
        let text = try learn(folder, ["--denied", "--name", "all of it"])
        #expect(text.contains("www.pastebin.com"))
        #expect(text.contains("\nname: \"all of it\"\n"))
        #expect(try decisionsThatDiffer(folder).hasPrefix("0 decisions of 6 "))
    }

    @Test("a trail without traffic gives a policy that loads and allows nothing")
    func nothing() throws {
        let folder = try Trail.folder([])
        #expect(try learn(folder).hasSuffix("default: deny\nrules: []\n"))
        #expect(try penstock("policy", "check", "--strict", "learned.yaml", in: folder).status == 0)
        #expect(try penstock("policy", "learn", "none", in: folder).status == 66)
    }
}
