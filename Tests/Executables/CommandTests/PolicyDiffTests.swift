import AuditTrail
import Foundation
import Testing

@Suite("penstock policy diff")
struct PolicyDiffTests {
    private static let old = """
        { name: api, match: { hosts: [api.example.com, audited.example], ports: [443] }, action: allow }
        { name: paths, match: { hosts: [api.example.com], protocols: [http], http: { paths: [/v1/*] } }, action: allow }
        { name: no-paste, match: { hosts: ["*.pastebin.com", pastebin.com] }, action: deny }
        { name: ssh, match: { cidrs: [203.0.113.0/24], ports: [22] }, action: allow }
        """
    private static let new = """
        { name: ssh, match: { cidrs: [203.0.113.0/24], ports: [22] }, action: allow }
        { name: api, match: { hosts: [api.example.com, www.pastebin.com] }, action: allow }
        { name: paths, match: { hosts: [api.example.com], protocols: [http], http: { paths: [/v1/*, /admin] } }, action: allow }
        { name: no-paste, match: { hosts: [pastebin.com] }, action: deny }
        { name: more, match: { hosts: [more.example] }, action: tunnel }
        """

    private func folder(_ trail: Folder? = nil, mode: String = "enforce") throws -> Folder {
        let folder = try trail ?? Folder()
        try folder.put(policy(Self.old), as: "old.yaml")
        try folder.put(policy(Self.new, mode: mode), as: "new.yaml")
        return folder
    }

    @Test("without records it compares the rules by their names: added, removed, changed, moved; 1")
    func rules() throws {
        let folder = try folder()
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", in: folder)
        #expect(said.status == 1)
        #expect(
            said.output == """
                ~ rule ssh: moved before or behind others
                ~ rule api
                    hosts: +www.pastebin.com  -audited.example
                    ports: 443 -> any
                ~ rule paths
                    http.paths: +/admin
                ~ rule no-paste
                    hosts: -*.pastebin.com
                + rule more: tunnel, hosts more.example

                """,
            "\(said)"
        )
        let back = try penstock("policy", "diff", "new.yaml", "old.yaml", in: folder)
        #expect(back.lines.contains("- rule more: tunnel, hosts more.example"), "\(back)")
    }

    @Test("the order of ways out is what they say")
    func order() throws {
        let ways = { (list: String) in
            "apiVersion: penstock/v1\nkind: EgressPolicy\nname: p\negress: [\(list)]\nrules:\n"
                + "  - { name: a, match: { hosts: [a.example] }, action: allow, egress: [\(list)] }\n"
        }
        let folder = try Folder(["old.yaml": ways("one, direct"), "new.yaml": ways("direct, one")])
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", in: folder)
        #expect(said.status == 1, "\(said)")
        #expect(said.lines.count { $0.hasSuffix("egress: one, direct -> direct, one") } == 2, "\(said)")
    }

    @Test("what a key beside the action was not is nothing; what a match does not ask for is any")
    func absentKeys() throws {
        let plain = "match: { hosts: [a.example], protocols: [http]"
        let folder = try Folder([
            "old.yaml": policy("{ name: a, \(plain) }, action: allow }"),
            "new.yaml": policy(
                "{ name: a, \(plain), ports: [80] }, action: allow, headers: { remove: [D] }, "
                    + "rate: { limit: 1, per: day } }"
            ),
        ])
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", in: folder)
        #expect(
            said.output == """
                ~ rule a
                    ports: any -> 80
                    rate: nothing -> 1 per day by rule
                    headers.remove: nothing -> D

                """,
            "\(said)"
        )
    }

    @Test("two policies that say the same end with 0, whatever their spelling")
    func same() throws {
        let other = policy(Self.old).replacing("[443]", with: "[\n443 ]") + "# more\n"
        let folder = try folder()
        try folder.put(other, as: "other.yaml")
        let said = try penstock("policy", "diff", "old.yaml", "other.yaml", in: folder)
        #expect(said.status == 0)
        #expect(said.output == "no difference\n")
    }

    @Test("mode and default are compared, and --json says the same")
    func json() throws {
        let folder = try folder(mode: "audit")
        let said = try penstock("policy", "diff", "--json", "old.yaml", "new.yaml", in: folder)
        #expect(said.status == 1)
        #expect(
            said.lines.prefix(2) == [
                #"{"kind":"setting","change":"changed","key":"mode","before":["enforce"],"after":["audit"]}"#,
                #"{"kind":"rule","rule":"ssh","change":"moved"}"#,
            ],
            "\(said)"
        )
    }

    @Test("with records, what would come out another way is shown by destination and rule, with counts and samples; 1")
    func traffic() throws {
        let folder = try folder(Trail.sample())
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", "--audit", "audit.jsonl", in: folder)
        #expect(said.status == 1)
        let expected = """
            count  change         host                  old rule        new rule
                1  deny -> allow  api.example.com:80    (default_deny)  api
                   2026-11-21T10:15:09.123456Z request 0000000000000000000000000C  POST /admin
                1  allow -> deny  audited.example:443   api             (default_deny)
                   2026-11-21T10:15:12.123456Z connection 00000000000000000000000004
                1  deny -> allow  www.pastebin.com:443  no-paste        api
                   2026-11-21T10:15:11.123456Z connection 00000000000000000000000003

            3 decisions of 6 would come out another way, from 2026-11-21T10:15:05.123456Z to 2026-11-21T10:15:12.123456Z

            """
        #expect(said.output == expected, "\(said)")
        #expect(said.errors.isEmpty)
    }

    @Test("--json has an object for each group and one for the whole; --top cuts the groups, not the numbers")
    func trafficJSON() throws {
        struct Line: Decodable {
            struct Verdict: Decodable { var decision: String; var rule: String?; var reason: String }
            struct Sample: Decodable { var id: String; var method: String? }
            var kind: String
            var host: String?
            var count: Int?
            var old: Verdict?
            var new: Verdict?
            var samples: [Sample]?
            var judged: Int?
            var changed: Int?
            var groups: Int?
        }
        let folder = try folder(Trail.sample())
        let words = ["policy", "diff", "old.yaml", "new.yaml", "--json", "--top=1", "--audit=audit.jsonl"]
        let said = try run(words, in: folder)
        let lines = try said.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.map(\.kind) == ["change", "summary"])
        #expect(lines[0].host == "api.example.com")
        #expect(lines[0].new?.rule == "api")
        #expect(lines[0].old?.reason == "default_deny")
        #expect(lines[0].samples?.count == 1)
        #expect(lines[1].judged == 6)
        #expect(lines[1].changed == 3)
        #expect(lines[1].groups == 3)
    }

    @Test("where no decision comes out another way it ends with 0, though rules differ")
    func unchangedTraffic() throws {
        let trail = try Trail.folder([Trail.connection(1, "api.example.com", .allow)])
        let folder = try folder(trail)
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", "--audit", "audit.jsonl", in: folder)
        #expect(said.status == 0, "\(said)")
        #expect(said.lines.first?.hasPrefix("0 decisions of 1 would come out another way") == true)
    }

    @Test("a change to mode audit is a change: what was denied would be let through and recorded")
    func auditMode() throws {
        let folder = try Trail.folder([Trail.connection(1, "elsewhere.example", .deny)])
        try folder.put(policy(Self.old), as: "old.yaml")
        try folder.put(policy(Self.old, mode: "audit"), as: "new.yaml")
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", "--audit", "audit.jsonl", in: folder)
        #expect(said.lines[1].hasPrefix("    1  deny -> allow (would deny)  elsewhere.example:443  "), "\(said)")
    }

    @Test("what could not be judged is counted, with the reason: headers, addresses, what no policy decides")
    func unjudged() throws {
        let rule =
            "{ name: h, match: { hosts: [api.example.com], protocols: [http], http: { headers: { x-a: [b] } } }, action: allow }"
        var special = Trail.connection(2, "api.example.com", .deny)
        special.reason = "special_address"
        var malformed = Trail.connection(3, "api.example.com", .deny)
        malformed.reason = "malformed_opening"
        var carrier = Trail.connection(4, "api.example.com", .allow)
        carrier.reason = "per_request"
        var unread = Trail.request(5, of: 4, .allow, "/mcp")
        unread.reason = "unreadable_content"
        let folder = try Trail.folder([
            Trail.request(1, of: 4, .deny, "/"), special, malformed, carrier, unread,
        ])
        try folder.put(policy(Self.old), as: "old.yaml")
        try folder.put(policy(rule), as: "new.yaml")
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", "--audit", "audit.jsonl", in: folder)
        #expect(said.status == 0)
        #expect(
            said.lines.dropFirst() == [
                "not judged:", "  1 connections whose requests are read: each of these has a record of its own",
                "  1 refused whatever a policy says: malformed, contradictory, in excess, or while nothing could be recorded",
                "  1 whose body a rule asks about, and could not be read (unreadable_content)",
                "  1 where rules ask for what no record holds, such as header values, what follows a `?` or what a tunnel carried",
                "  1 that were refused for the addresses of a name, which no record holds",
            ],
            "\(said)"
        )
    }

    @Test("what a request called is judged anew by what its record tells, and a batch is not")
    func calls() throws {
        let web = "{ name: web, match: { hosts: [api.example.com], protocols: [http] }, action: allow }\n"
        let deny = "{ name: no-delete, match: { protocols: [http], mcp: { tools: [delete_repo] } }, action: deny }\n"
        let records = ["delete_repo", "read_file", nil].enumerated().map { index, tool in
            var record = Trail.request(index + 1, of: 9, .allow, "/mcp")
            let calls = [RecordedMessage.Call(method: "tools/call", tool: tool ?? "delete_repo", id: "1")]
            record.message = RecordedMessage(era: "2025-03-26", calls: calls, isBatch: tool == nil)
            return record
        }
        let folder = try Trail.folder(records)
        try folder.put(policy(web), as: "old.yaml")
        try folder.put(policy(web + deny), as: "new.yaml")
        let said = try penstock("policy", "diff", "old.yaml", "new.yaml", "--audit", "audit.jsonl", in: folder)
        #expect(said.output.contains("    1  allow -> deny  api.example.com:80  web       no-delete\n"), "\(said)")
        #expect(said.output.contains("1 decision of 2 would come out another way"), "\(said)")
        #expect(said.output.contains("  1 where rules ask for what no record holds"), "\(said)")
    }

    @Test("several files may stand behind --audit, and progress is shown where it is asked for")
    func files() throws {
        let folder = try folder(Trail.sample())
        try folder.put(try folder.text("audit.jsonl"), as: "audit-2.jsonl")
        let words = ["policy", "diff", "old.yaml", "new.yaml", "--progress", "--audit", "audit.jsonl", "audit-2.jsonl"]
        let said = try run(words, in: folder)
        #expect(said.output.contains("    2  allow -> deny  audited.example:443 "), "\(said)")
        #expect(said.errors.contains("% of "), "\(said)")
    }

    @Test("codes: 65 for a policy that does not load, 66 for files that are not there, 64 for a wrong command line")
    func codes() throws {
        let folder = try folder()
        try folder.put("rules: 1\n", as: "bad.yaml")
        #expect(try penstock("policy", "diff", "old.yaml", "bad.yaml", in: folder).status == 65)
        #expect(try penstock("policy", "diff", "old.yaml", "none", in: folder).status == 66)
        #expect(try penstock("policy", "diff", "old.yaml", "new.yaml", "--audit", "none", in: folder).status == 66)
        #expect(try penstock("policy", "diff", "old.yaml", in: folder).status == 64)
        #expect(try penstock("policy", "diff", "old.yaml", "new.yaml", "more", in: folder).status == 64)
        #expect(try penstock("policy", "diff", "old.yaml", "new.yaml", "--top", "0", in: folder).status == 64)
    }
}
