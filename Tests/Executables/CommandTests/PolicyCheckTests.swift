import Foundation
import Testing

@Suite("penstock policy check")
struct PolicyCheckTests {
    private let good = policy("{ name: a, match: { hosts: [a.example], ports: [443] }, action: allow }")

    @Test("a good policy is ok")
    func goodPolicy() throws {
        let folder = try Folder(["p.yaml": good])
        let said = try penstock("policy", "check", "p.yaml", in: folder)
        #expect(said.status == 0)
        #expect(
            said.output.wholeMatch(
                of: /p\.yaml: ok; policy 'test', mode enforce, 1 rule, sha256:[0-9a-f]{64}\n/
            ) != nil,
            "\(said)"
        )
    }

    @Test("every problem is shown at once: place, line, caret, remedy")
    func problems() throws {
        let folder = try Folder([
            "p.yaml": policy(
                """
                { name: a, match: { host: [a.example] }, action: allow }
                { name: b, match: { cidrs: [10.0.0.1/8] }, action: alow }
                """
            )
        ])
        let said = try penstock("policy", "check", "p.yaml", in: folder)
        #expect(said.status == 1)
        #expect(
            said.output == """
                p.yaml:7:25: error: unknown key `host`
                    - { name: a, match: { host: [a.example] }, action: allow }
                                          ^
                  help: did you mean `hosts`?
                p.yaml:8:33: error: item 1 of `cidrs`, `10.0.0.1/8`, has bits set behind its prefix
                    - { name: b, match: { cidrs: [10.0.0.1/8] }, action: alow }
                                                  ^
                  help: write 10.0.0.0/8 for the block, or the address alone
                p.yaml:8:56: error: `action` is `alow`, expected one of allow, deny, tunnel, inspect
                    - { name: b, match: { cidrs: [10.0.0.1/8] }, action: alow }
                                                                         ^
                  help: did you mean `allow`?
                p.yaml: does not load: 3 errors

                """
        )
    }

    @Test("a configuration says whether TLS is looked into, and which ways out there are")
    func configuration() throws {
        let rule =
            "{ name: a, match: { hosts: [a.example], ports: [443], http: { methods: [GET] } }, action: allow, egress: w }"
        let ways = "egress: { w: { blackhole: {} } }\n"
        let folder = try Folder([
            "p.yaml": policy(rule), "blind.yaml": ways, "none.yaml": "interception: { authority: /ca }\n",
            "seeing.yaml": ways + "interception: { authority: /ca }\n",
        ])
        let seeing = try penstock("policy", "check", "--config", "seeing.yaml", "p.yaml", in: folder)
        #expect(seeing.status == 0, "\(seeing)")
        let blind = try penstock("policy", "check", "--config", "blind.yaml", "p.yaml", in: folder)
        #expect(blind.status == 1 && blind.output.contains("interception, which is not configured"), "\(blind)")
        let none = try penstock("policy", "check", "--config", "none.yaml", "p.yaml", in: folder)
        #expect(none.status == 1 && none.output.contains("no way out `w`"), "\(none)")
        // What is wrong with the configuration is not said of the policy.
        try folder.put("egres: {}\n", as: "bad.yaml")
        for words in [["check"], ["explain", "--host", "a.example", "--port", "443"]] {
            let bad = try run(["policy", words[0], "--config", "bad.yaml", "p.yaml"] + words.dropFirst(), in: folder)
            #expect(bad.errors.contains("bad.yaml does not load, so no policy is read"), "\(bad)")
            #expect(bad.status == 1 && !bad.output.contains("p.yaml"), "\(bad)")
            #expect(bad.errors.contains("bad.yaml:1:1"), "\(bad)")
        }
    }

    @Test("a rule about requests that could meet TLS is a problem, and says what to write")
    func needsInterception() throws {
        let rule = "{ name: a, match: { hosts: [a.example], http: { methods: [GET] } }, action: allow }"
        let folder = try Folder(["p.yaml": policy(rule)])
        let said = try penstock("policy", "check", "p.yaml", in: folder)
        #expect(said.status == 1)
        #expect(
            said.lines.first
                == "p.yaml:7:45: error: `http` could meet TLS here, and to look inside needs interception, which is not configured"
        )
        #expect(said.lines.contains("  help: say `protocols: [http]`"), "\(said)")
    }

    @Test("warnings alone end with 0, and with 1 under --strict")
    func warnings() throws {
        let folder = try Folder(["p.yaml": policy("{ name: a, match: { hosts: [] }, action: allow }")])
        let said = try penstock("policy", "check", "p.yaml", in: folder)
        #expect(said.status == 0)
        #expect(said.lines.first == "p.yaml:7:23: warning: `hosts` is an empty list: the rule matches nothing")
        #expect(said.lines.last?.hasPrefix("p.yaml: 1 warning; policy 'test'") == true)
        let strict = try penstock("policy", "check", "--strict", "p.yaml", in: folder)
        #expect(strict.status == 1)
        #expect(strict.lines.first?.contains(": error: ") == true)
    }

    @Test("a directory is one policy; several are checked each by itself, and all of them")
    func several() throws {
        let folder = try Folder([
            "all/1.yaml": good, "all/2.yaml": policy("{ name: b, match: { hosts: [b.example] }, action: deny }"),
            "bad.yaml": "rules: 1\n",
        ])
        let said = try penstock("policy", "check", "missing.yaml", "bad.yaml", "all", in: folder)
        #expect(said.status == 66)
        #expect(said.output.contains("missing.yaml: error: open: No such file or directory (2)\n"), "\(said)")
        #expect(said.output.contains("bad.yaml:1:8: error: "), "\(said)")
        #expect(said.output.contains("all: ok; policy 'test', mode enforce, 2 rules, "), "\(said)")
        #expect(try penstock("policy", "check", "bad.yaml", "all", in: folder).status == 1)
    }

    @Test("a file without a document is named, without an excerpt; a directory's files have one slash in front")
    func names() throws {
        let folder = try Folder(["empty.yaml": "", "all/bad.yaml": "rules: 1\n"])
        let empty = try penstock("policy", "check", "empty.yaml", in: folder)
        #expect(
            empty.lines.prefix(3).map { $0.prefix(19) }
                == ["empty.yaml:1:1: err", "  help: write the p", "empty.yaml: does no"],
            "\(empty)"
        )
        let all = try penstock("policy", "check", "all/", in: folder)
        #expect(all.lines.first?.hasPrefix("all/bad.yaml:1:") == true, "\(all)")
    }

    @Test("--json writes one object a line")
    func json() throws {
        struct Line: Decodable, Equatable {
            var kind: String
            var severity: String?
            var file: String
            var line: Int?
            var column: Int?
            var remedy: String?
            var loads: Bool?
            var rules: Int?
        }
        let folder = try Folder([
            "bad.yaml": policy("{ name: a, match: { host: [a] }, action: allow }"), "good.yaml": good,
        ])
        let said = try penstock("policy", "check", "--json", "bad.yaml", "good.yaml", "none", in: folder)
        #expect(said.status == 66)
        let lines = try said.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        let help = "check the path, and that the daemon's user may read it"
        #expect(
            lines == [
                Line(
                    kind: "problem",
                    severity: "error",
                    file: "bad.yaml",
                    line: 7,
                    column: 25,
                    remedy: "did you mean `hosts`?"
                ),
                Line(kind: "policy", file: "bad.yaml"), Line(kind: "policy", file: "good.yaml", loads: true, rules: 1),
                Line(kind: "problem", severity: "error", file: "none", remedy: help),
                Line(kind: "policy", file: "none"),
            ]
        )
    }

    @Test(
        "the caret stands under the column, whatever the line holds",
        arguments: [
            "\tb: 1", "\u{feff}rules: 1",
            "{ \"\\e[31mx\": 1, rules: [], " + String(repeating: "y, ", count: 60) + " }",
        ]
    )
    func carets(line: String) throws {
        let said = try penstock("policy", "check", "p.yaml", in: try Folder(["p.yaml": line]))
        #expect(said.status == 1)
        #expect(!said.output.contains("\u{1b}"))
        #expect(!said.output.contains("\u{feff}"))
        #expect(
            said.lines.count { $0.allSatisfy { " ^".contains($0) } } == said.lines.count { $0.contains(": error:") }
        )
        #expect(said.lines.filter { $0.hasPrefix("  ") && !$0.contains("help:") }.allSatisfy { $0.count <= 103 })
    }
}
