import Foundation
import Testing

@Suite("penstock policy test")
struct PolicyTestTests {
    private static let rules = """
        { name: api, match: { hosts: [api.example] }, action: allow }
        { name: web, match: { hosts: [web.example], protocols: [http], http: { methods: [GET], paths: [/v1/*], headers: { x-a: [b] } } }, action: allow }
        { name: no-paste, match: { hosts: [paste.example] }, action: deny }
        """

    private static let good = """
        cases:
          - { name: the api, host: api.example, port: 443, expect: allow, rule: api, reason: rule_allow, treatment: tunnel }
          - { name: a request, host: web.example, port: 80, protocol: http, method: GET, path: /v1/a, headers: { X-A: [b] }, expect: allow, rule: web }
          - { name: pasting, host: paste.example, port: 443, expect: deny, rule: no-paste }
          - { name: elsewhere, host: 203.0.113.9, sni: else.example, port: 22, uid: 7, addr: [192.0.2.1], expect: deny, rule: none }

        """

    @Test("cases that come out as they ought to end with 0 and one line")
    func good() throws {
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": Self.good])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.status == 0, "\(said)")
        #expect(said.output == "4 of 4 cases pass, 3 of 3 rules decide one\n")
        #expect(try penstock("policy", "test", "--strict", "p.yaml", "c.yaml", in: folder).status == 0)
    }

    @Test("a case says what the body of a request calls, and without it a rule that asks is not decided")
    func calls() throws {
        let rules = """
            { name: web, match: { hosts: [web.example], protocols: [http] }, action: allow }
            { name: no-delete, match: { protocols: [http], mcp: { tools: ["delete_*"] } }, action: deny }
            """
        let request = "host: web.example, port: 80, protocol: http"
        let cases = """
            cases:
              - { name: reading, \(request), calls: [tools/call read_file, ping], expect: allow, rule: web }
              - { name: deleting, \(request), calls: [tools/list, tools/call delete_it], expect: deny, rule: no-delete }
              - { name: no call, \(request), calls: [], expect: allow }
              - { name: none, \(request), calls: [none], expect: allow, rule: web }
              - { name: unknown, \(request), expect: deny, rule: no-delete, reason: undetermined }
            """
        let folder = try Folder(["p.yaml": policy(rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.output == "5 of 5 cases pass, 2 of 2 rules decide one\n", "\(said)")
        try folder.put("cases: [{ name: a, \(request), calls: [tools/call], expect: deny }]", as: "c.yaml")
        let wrong = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(wrong.status == 65)
        #expect(wrong.errors.contains("item 1 of `calls`, `tools/call`, is no call"), "\(wrong)")
        try folder.put("cases: [{ name: a, \(request), calls: [none, ping], expect: deny }]", as: "c.yaml")
        let mixed = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(mixed.status == 65)
        #expect(mixed.errors.contains("`none` stands alone: a body calls something, or nothing"), "\(mixed)")
    }

    @Test("a header may be there and empty, as `explain --header 'X-A:'` says it")
    func emptyHeaders() throws {
        let request = "host: web.example, port: 80, protocol: http"
        let cases = """
            cases:
              - { name: empty, \(request), headers: { X-A: [""] }, expect: allow, rule: web }
              - { name: other, \(request), headers: { X-B: [""] }, expect: deny, rule: none }
            """
        let rules = "{ name: web, match: { protocols: [http], http: { headers: { x-a: present } } }, action: allow }"
        let folder = try Folder(["p.yaml": policy(rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.output == "2 of 2 cases pass, 1 of 1 rules decide one\n", "\(said)")
    }

    @Test("a case that fails is named with its place, what was expected and what was found; 1")
    func failing() throws {
        let cases = """
            cases:
              - { name: a, host: api.example, port: 443, expect: deny, rule: web, reason: default_deny, treatment: refuse }
            """
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.status == 1)
        #expect(
            said.output == """
                c.yaml:2:5: error: the case `a` fails
                  decision: expected deny, found allow
                  rule: expected web, found api
                  reason: expected default_deny, found rule_allow
                  treatment: expected refuse, found tunnel
                  it was rule_allow, rule api
                p.yaml:8:13: warning: no case is decided by the rule `web`
                p.yaml:9:13: warning: no case is decided by the rule `no-paste`
                0 of 1 cases pass, 1 of 3 rules decide one

                """
        )
    }

    @Test("rules that decide no case are listed; under --strict they are errors")
    func coverage() throws {
        let cases = "cases: [{ name: a, host: api.example, port: 443, expect: allow }]\n"
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        #expect(try penstock("policy", "test", "p.yaml", "c.yaml", in: folder).status == 0)
        let strict = try penstock("policy", "test", "--strict", "p.yaml", "c.yaml", in: folder)
        #expect(strict.status == 1)
        #expect(strict.lines.first == "p.yaml:8:13: error: no case is decided by the rule `web`", "\(strict)")
    }

    @Test("--json writes an object for each case and one for the whole")
    func json() throws {
        struct Line: Decodable, Equatable {
            struct Fault: Decodable, Equatable { var subject, expected, found: String }
            var kind: String
            var name: String?
            var result: String?
            var rule: String?
            var faults: [Fault]?
            var failed: Int?
            var rules_not_hit: [String]?
        }
        let cases = "cases: [{ name: a, host: api.example, port: 443, expect: deny }]\n"
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "--json", "p.yaml", "c.yaml", in: folder)
        #expect(said.status == 1)
        let lines = try said.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        let fault = Line.Fault(subject: "decision", expected: "deny", found: "allow")
        #expect(
            lines == [
                Line(kind: "case", name: "a", result: "fail", rule: "api", faults: [fault]),
                Line(kind: "summary", failed: 1, rules_not_hit: ["web", "no-paste"]),
            ]
        )
    }

    @Test(
        "cases that cannot be read are named with place and remedy, and end with 65",
        arguments: [
            ("case: []\n", "c.yaml:1:1: error: unknown key `case`"),
            ("cases: []\n", "c.yaml:1:8: error: `cases` is an empty list"),
            ("cases: [{ name: a, host: b.example, port: 1 }]", "error: the key `expect` is missing"),
            ("cases: [{ name: a, host: b.example, port: 0, expect: deny }]", "`port` is 0, expected 1 to 65535"),
            ("cases: [{ name: a, host: b.example, port: 1, expect: dney }]", "help: did you mean `deny`?"),
            (
                "cases: [{ name: a, host: b.example, port: 1, sni: c.example, expect: deny }]",
                "c.yaml:1:46: error: sni goes with host ADDRESS"
            ),
            (
                "cases: [{ name: a, host: b.example, port: 1, method: GET, expect: deny }]",
                "error: method inside TLS is read only by a daemon"
            ),
            (
                "cases: [{ name: a, host: b.example, port: 1, addr: [c.example], expect: deny }]",
                "item 1 of `addr`, `c.example`, is no IP address"
            ),
            (
                "cases: [{ name: a, host: b.example, port: 1, protocol: http, path: /a?b, expect: deny }]",
                "without the query"
            ),
        ]
    )
    func wrongCases(cases: String, complaint: String) throws {
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.status == 65, "\(said)")
        #expect(said.output.isEmpty)
        #expect(said.errors.contains(complaint), "\(said)")
        #expect(said.errors.hasSuffix("penstock: c.yaml holds no cases that can be read\n"), "\(said)")
    }

    @Test("cases that are all faulty are not called an empty list")
    func allFaulty() throws {
        let cases = "cases:\n  - { name: typo, host: api.example, port: 443, expect: alow }\n"
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.status == 65)
        #expect(said.errors.hasPrefix("c.yaml:2:57: error: `expect` is `alow`"), "\(said)")
        #expect(!said.errors.contains("empty"), "\(said)")
    }

    @Test("two cases of one name are an error that says where the first is; a faulty one counts")
    func repeatedNames() throws {
        let cases = """
            cases:
              - { name: a, host: api.example, port: 0, expect: allow }
              - { name: b, host: api.example, port: 443, expect: allow }
              - { name: a, host: api.example, port: 443, expect: allow }
              - { name: a, host: api.example, port: 443, expect: allow }

            """
        let folder = try Folder(["p.yaml": policy(Self.rules), "c.yaml": cases])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.status == 65)
        let complaints = said.errors.split(separator: "\n").filter { $0.contains("is taken") }
        #expect(
            complaints == [
                "c.yaml:4:13: error: the case name `a` is taken, first at c.yaml:2:13",
                "c.yaml:5:13: error: the case name `a` is taken, first at c.yaml:2:13",
            ],
            "\(said)"
        )
    }

    @Test("every key of a case is in the help")
    func help() throws {
        let keys = [
            "name", "host", "port", "expect", "protocol", "sni", "uid", "client_address", "namespace",
            "service_account", "time", "addr", "method", "path", "query", "calls", "headers", "rule", "reason",
            "treatment",
        ]
        let text = try penstock("policy", "test", "--help", in: Folder()).output
        let missing = keys.filter { !text.contains("`\($0)`") }
        #expect(missing.isEmpty)
        let folder = try Folder([
            "p.yaml": policy(Self.rules), "c.yaml": "cases: [{ frob: 1, name: a, host: b.example, port: 1 }]",
        ])
        let said = try penstock("policy", "test", "p.yaml", "c.yaml", in: folder)
        #expect(said.errors.contains("help: `penstock policy test --help` names the keys"), "\(said)")
    }

    @Test("a policy that does not load ends with 65, a file that is not there with 66, a wrong command line with 64")
    func codes() throws {
        let folder = try Folder(["bad.yaml": "rules: 1\n", "p.yaml": policy(Self.rules), "c.yaml": Self.good])
        #expect(try penstock("policy", "test", "bad.yaml", "c.yaml", in: folder).status == 65)
        #expect(try penstock("policy", "test", "p.yaml", "none", in: folder).status == 66)
        #expect(try penstock("policy", "test", "none", "c.yaml", in: folder).status == 66)
        #expect(try penstock("policy", "test", "p.yaml", in: folder).status == 64)
        #expect(try penstock("policy", "test", "p.yaml", "c.yaml", "d", in: folder).status == 64)
    }
}
