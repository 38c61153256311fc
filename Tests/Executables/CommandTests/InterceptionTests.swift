import AuditTrail
import Foundation
import Testing

@Suite("What penstock says of requests inside TLS")
struct InterceptionTests {
    private static let rules = """
        { name: messages, match: { hosts: [api.example.com], http: { methods: [POST], paths: [/v1/messages] } }, action: allow }
        { name: all, match: { hosts: [all.example.com] }, action: inspect }
        { name: pinned, match: { hosts: [pinned.example.com] }, action: tunnel }
        { name: blind, match: { hosts: [blind.example.com] }, action: allow }
        { name: no, match: { hosts: [no.example.com] }, action: deny }
        """

    private func explain(_ words: [String], rules: String = rules) throws -> Ending {
        let folder = try Folder(["p.yaml": policy(rules)])
        return try run(["policy", "explain", "p.yaml", "--intercept", "--port", "443"] + words, in: folder)
    }

    @Test(
        "explain judges the connection first, and the request where it would be read",
        arguments: [
            ("api", ["--method", "POST", "--path", "/v1/messages"], "allow", "intercept", "rule_allow"),
            ("api", ["--method", "POST", "--path", "/v1/files"], "deny", "refuse", "default_deny"),
            ("api", ["--method", "POST"], "deny", "refuse", "undetermined"),
            ("api", [], "deny", "refuse", "undetermined"),
            ("all", ["--method", "PUT", "--path", "/a"], "allow", "intercept", "rule_allow"),
            ("all", [], "allow", "intercept", "rule_allow"),
            ("pinned", ["--method", "PUT", "--path", "/a"], "allow", "tunnel", "rule_allow"),
            ("blind", ["--path", "/a"], "allow", "tunnel", "rule_allow"),
            ("no", ["--path", "/a"], "deny", "refuse", "rule_deny"),
            ("all", ["--method", "GET", "--path", "/a/../b"], "deny", "refuse", "ambiguous_path"),
            ("all", ["--method", "GET", "--path", "*"], "deny", "refuse", "malformed_request"),
            ("all", ["--method", "CONNECT"], "deny", "refuse", "proxy_in_capture"),
            ("all", ["--path", "/", "--query", "v=a b"], "deny", "refuse", "malformed_request"),
            // What nobody reads counts for nothing.
            ("pinned", ["--method", "GET", "--path", "/a/../b"], "allow", "tunnel", "rule_allow"),
            ("pinned", ["--method", "GET", "--path", "*"], "allow", "tunnel", "rule_allow"),
            ("pinned", ["--method", "CONNECT"], "allow", "tunnel", "rule_allow"),
            ("pinned", ["--path", "/", "--query", "v=a b"], "allow", "tunnel", "rule_allow"),
            ("blind", ["--path", "/a/../b"], "allow", "tunnel", "rule_allow"),
            ("no", ["--path", "/a/../b"], "deny", "refuse", "rule_deny"),
            ("none", ["--path", "/a/../b"], "deny", "refuse", "default_deny"),
        ]
    )
    func explained(host: String, words: [String], decision: String, treatment: String, reason: String) throws {
        let said = try explain(["--host", "\(host).example.com"] + words)
        #expect(said.status == 0, "\(said)")
        #expect(
            said.lines.prefix(3) == ["decision: \(decision)", "treatment: \(treatment)", "reason: \(reason)"],
            "\(said)"
        )
    }

    @Test("where nobody reads the request, its path counts for nothing in audit mode and in cases, too")
    func unreadPaths() throws {
        let cases = """
            cases:
              - { name: a, host: pinned.example.com, port: 443, path: /a/../b, expect: allow, treatment: tunnel, rule: pinned }
              - { name: b, host: 10.0.0.1, sni: blind.example.com, port: 443, path: /a/../b, expect: deny, reason: special_address }
              - { name: c, host: all.example.com, port: 443, path: /a/../b, expect: deny, reason: ambiguous_path }
              - { name: d, host: all.example.com, port: 80, protocol: http, path: /a/../b, expect: deny, reason: ambiguous_path }
            """
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        let tested = try run(["policy", "test", "p.yaml", "c.yaml", "--intercept"], in: folder)
        #expect(tested.status == 0, "\(tested)")
        try folder.put(policy(Self.rules, mode: "audit"), as: "audit.yaml")
        let words = ["policy", "explain", "audit.yaml", "--intercept", "--port", "443", "--path", "/a/../b", "--host"]
        let tunnelled = try run(words + ["pinned.example.com"], in: folder)
        #expect(tunnelled.lines.prefix(2) == ["decision: allow", "treatment: tunnel"], "\(tunnelled)")
        let refused = try run(words + ["none.example.com"], in: folder)
        #expect(refused.lines.prefix(2) == ["decision: allow", "would: deny"], "\(refused)")
        #expect(refused.lines.contains("reason: default_deny"), "\(refused)")
        // Not even audit mode lets through what is read and cannot be understood.
        let read = try run(words + ["all.example.com"], in: folder)
        #expect(read.lines.first == "decision: deny", "\(read)")
    }

    @Test("explain says what is missing, and where a request is not read")
    func notes() throws {
        let open = try explain(["--host", "api.example.com"])
        #expect(open.lines.contains("because: a rule asks for what is not known; say --method, --path"), "\(open)")
        #expect(open.lines.contains("note: TLS is ended here, and each request is judged: give one (--method, --path)"))
        let refused = try explain(["--host", "no.example.com", "--path", "/"])
        #expect(refused.lines.contains("note: the connection is refused, so no request is read"), "\(refused)")
        let tunnelled = try explain(["--host", "pinned.example.com", "--path", "/"])
        let note = "note: no rule needs to look inside TLS here: the request is carried unread"
        #expect(tunnelled.lines.contains(note), "\(tunnelled)")
    }

    @Test("without --intercept a policy that needs it says so: check, explain, test and diff; with it they answer")
    func hint() throws {
        let cases = "cases: [{ name: a, host: api.example.com, port: 443, method: GET, path: /, expect: deny }]\n"
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        let commands = [
            ["check", "p.yaml"], ["explain", "p.yaml", "--host", "all.example.com", "--port", "443"],
            ["test", "p.yaml", "c.yaml"], ["diff", "p.yaml", "p.yaml"],
        ]
        for command in commands {
            let without = try run(["policy"] + command, in: folder)
            #expect(without.status != 0)
            let hint = "it loads in a daemon with `interception.authority`: add --intercept"
            #expect((without.output + without.errors).contains(hint), "\(without)")
            let with = try run(["policy"] + command + ["--intercept"], in: folder)
            #expect(with.status == 0, "\(with)")
        }
    }

    @Test("a case of TLS that names a request needs --intercept")
    func cases() throws {
        let rules = "{ name: api, match: { hosts: [api.example.com] }, action: allow }"
        let cases = "cases:\n  - { name: a, host: api.example.com, port: 443, path: /, expect: allow }\n"
        let folder = try Folder(["p.yaml": policy(rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.status == 65)
        #expect(said.errors.contains("c.yaml:2:"), "\(said)")
        let complaint =
            "path inside TLS is read only by a daemon with `interception.authority`: add --intercept, or say protocol http"
        #expect(said.errors.contains(complaint), "\(said)")
    }

    @Test("diff judges recorded requests inside TLS with --intercept, and counts them as left out without")
    func diff() throws {
        let folder = try Trail.folder([
            Trail.lookedInto(1, "api.example.com"), Trail.inside(11, of: 1, .allow, "/v1/messages"),
            Trail.inside(12, of: 1, .deny, "/v1/files"),
        ])
        let old = "{ name: one, match: { hosts: [api.example.com], protocols: [tls] }, action: allow }"
        try folder.put(policy(old), as: "old.yaml")
        try folder.put(policy(Self.rules), as: "new.yaml")
        try folder.put(policy(old), as: "same.yaml")
        let words = ["policy", "diff", "old.yaml", "new.yaml", "--audit", "audit.jsonl", "--intercept"]
        let said = try run(words, in: folder)
        #expect(said.output.contains("of 2 would come out another way"), "\(said)")
        let without = try run(["policy", "diff", "old.yaml", "same.yaml", "--audit", "audit.jsonl"], in: folder)
        #expect(
            without.lines.contains("  2 requests inside TLS, which policies judge with --intercept only"),
            "\(without)"
        )
    }

    @Test(
        "what a tunnel carried is not judged by rules that ask for it; whether it is looked into changes nothing by itself",
        arguments: [
            ("{ name: a, match: { hosts: [api.example.com] }, action: inspect }", "0 decisions of 1 would", 0),
            (
                "{ name: a, match: { hosts: [api.example.com], http: { methods: [GET] } }, action: allow }",
                "0 decisions of 0 would", 1
            ), ("{ name: a, match: { hosts: [api.example.com] }, action: deny }", "1 decision", 0),
        ]
    )
    func carriedUnread(rule: String, said expected: String, unjudged: Int) throws {
        let folder = try Trail.folder([Trail.connection(1, "api.example.com", .allow)])
        try folder.put(policy("{ name: a, match: { hosts: [api.example.com] }, action: allow }"), as: "old.yaml")
        try folder.put(policy(rule), as: "new.yaml")
        let said = try penstock(
            "policy",
            "diff",
            "old.yaml",
            "new.yaml",
            "--intercept",
            "--audit",
            "audit.jsonl",
            in: folder
        )
        #expect(said.output.contains(expected), "\(said)")
        let cause = "  1 where rules ask for what no record holds"
        let isLeftOut = said.lines.contains { $0.hasPrefix(cause) }
        #expect(isLeftOut == (unjudged == 1), "\(said)")
    }

    @Test("learn writes rules for requests inside TLS, and tunnels what took no certificate")
    func learn() throws {
        var rejected = ConnectionEndRecord(id: RecordIdentifier(value: 2), outcome: .clientRejectedInterception)
        rejected.closedBy = .client
        var some = rejected
        some.id = RecordIdentifier(value: 3)
        let folder = try Trail.folder([
            Trail.lookedInto(1, "api.example.com"), Trail.inside(11, of: 1, .allow, "/v1/messages"),
            Trail.lookedInto(2, "pinned.example.com"), rejected, Trail.lookedInto(3, "api.example.com"), some,
        ])
        let said = try penstock("policy", "learn", "audit.jsonl", "--intercept", in: folder)
        #expect(said.status == 0, "\(said)")
        let rules = """
            rules:
              # TLS to port 443: one name, where clients did not take the certificate of the daemon.
              - name: pinned.example.com-tunnel-443
                match:
                  hosts:
                    - pinned.example.com  # once, last 2026-11-21T10:15:08Z
                  ports: [443]
                  protocols: [tls]
                action: tunnel
              # TLS to port 443: one name.
              # No calls were read there: where a server has tools (MCP), they are not limited.
              - name: api.example.com-tls-443
                match:
                  hosts:
                    - api.example.com  # once, last 2026-11-21T10:15:06Z
                  ports: [443]
                  protocols: [tls]
                  http:
                    methods: [POST]
                    paths:
                      - /v1/messages
                action: allow

            """
        #expect(said.output.hasSuffix(rules), "\(said)")
        #expect(said.output.contains("# NOT TUNNELLED: some clients of api.example.com:443 did not take"), "\(said)")
        #expect(!said.output.contains("NOT ALLOWED"), "\(said)")
        try folder.put(said.output, as: "learned.yaml")
        let checked = try penstock("policy", "check", "--strict", "--intercept", "learned.yaml", in: folder)
        #expect(checked.status == 0, "\(checked)")
        let without = try penstock("policy", "learn", "audit.jsonl", in: folder)
        #expect(without.output.contains("# Left out: 1 requests inside TLS"), "\(without)")
    }

    @Test("tables show https:// before a request that was read inside TLS, and stats count them")
    func tables() throws {
        let folder = try Trail.folder([
            Trail.lookedInto(1, "api.example.com"), Trail.inside(11, of: 1, .allow, "/v1"),
            Trail.request(12, of: 1, .allow, "/plain"),
        ])
        for command in ["tail", "query"] {
            let words = command == "query" ? ["--format", "table"] : ["--table"]
            let said = try terminalOutput(["audit", command, "audit.jsonl"] + words, in: folder)
            #expect(said.contains("POST https://api.example.com:443/v1"), "\(said)")
            #expect(said.contains("POST api.example.com:80/plain"), "\(said)")
        }
        let story = try penstock("audit", "show", "00000000000000000000000001", "audit.jsonl", in: folder)
        #expect(story.lines.contains { $0.hasPrefix("  scheme ") && $0.hasSuffix(" https") }, "\(story)")
        let stats = try penstock("audit", "stats", "audit.jsonl", in: folder)
        #expect(stats.lines.contains("requests read inside TLS: 1"), "\(stats)")
        let json = try penstock("audit", "stats", "--json", "audit.jsonl", in: folder)
        #expect(
            json.output.contains(#""schemes":[{"name":"http","records":1},{"name":"https","records":1}]"#),
            "\(json)"
        )
        let row = try penstock("audit", "query", "audit.jsonl", "--format", "json", "--text", "v1", in: folder)
        #expect(row.output.contains(#""protocol":"https""#), "\(row)")
    }
}
