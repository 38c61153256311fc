import NetworkTypes
import PolicyEngine
import SourceDocuments
import Testing

/// The warnings about rules, each of which stands on a line of its own from line 5 on.
private func warnings(_ rules: [String], canIntercept: Bool = false) throws -> [String] {
    let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\nrules:\n"
    let text = head + rules.map { "  - { \($0) }\n" }.joined()
    return try load(text, canIntercept: canIntercept).warnings.map {
        String($0.description.dropFirst("p.yaml:".count))
    }
}

/// A rule on port 1 that allows, unless told otherwise.
private func rule(_ name: String, _ match: String, _ action: String = "allow") -> String {
    "name: \(name), match: { ports: [1], \(match) }, action: \(action)"
}

@Suite struct LintTests {
    @Test(
        "a rule that is never reached is a warning that names what is in its way",
        arguments: [
            (
                ["name: a, match: { ports: [1] }, action: allow", "name: b, match: { ports: [1] }, action: tunnel"],
                ["6:23: the rule is never reached: `a` matches the same; remove one of them"]
            ),
            (
                ["name: a, match: { ports: [1] }, action: deny", "name: b, match: { ports: [1] }, action: allow"],
                ["6:23: the rule is never reached: `a` matches the same; remove one of them"]
            ),
            (
                ["name: a, match: { ports: [1] }, action: allow", "name: b, match: { ports: [1] }, action: deny"],
                ["5:23: the rule is never reached: `b` matches the same; remove one of them"]
            ),
            (
                [rule("a", "hosts: ['*.x.test']"), rule("b", "hosts: [a.x.test, '*.b.x.test']")],
                ["6:23: the rule is never reached: `a` matches all of it and more; remove one of them"]
            ),
            (
                [rule("a", "hosts: [a.test]"), rule("c", "hosts: [c.test]"), rule("b", "hosts: [a.test, c.test]")],
                ["7:23: the rule is never reached: `a` and `c` together match all of it; remove one of them"]
            ),
            (
                [rule("a", "cidrs: [203.0.113.0/24]"), rule("b", "cidrs: [203.0.113.128/25, 203.0.113.7]")],
                ["6:23: the rule is never reached: `a` matches all of it and more; remove one of them"]
            ),
            (
                [
                    "name: a, match: { ports: [1-10, 11-20], protocols: [tls, http] }, action: allow",
                    "name: b, match: { ports: [5-15], sni: present, workload: { uids: [7] } }, action: allow",
                ],
                ["6:23: the rule is never reached: `a` matches all of it and more; remove one of them"]
            ),
            (
                [
                    rule("a", "protocols: [http], http: { paths: [/v1/*], headers: { x: present } }"),
                    rule(
                        "b",
                        "protocols: [http], http: { methods: [GET], paths: [/v1/a, /v1/*/b], headers: { X: [c] } }"
                    ),
                ],
                ["6:23: the rule is never reached: `a` matches all of it and more; remove one of them"]
            ),
            ([rule("a", "hosts: [a.x.test]"), rule("b", "hosts: ['*.x.test']")], []),
            ([rule("a", "hosts: ['*.x.test']"), rule("b", "hosts: [x.test]")], []),
            ([rule("a", "workload: { uids: [1] }"), "name: b, match: { ports: [1] }, action: allow"], []),
            ([rule("a", "time: [{ days: [mon] }]"), "name: b, match: { ports: [1] }, action: allow"], []),
            // A deny on trial is not carried out.
            ([rule("a", "hosts: [x.test]", "deny, mode: audit"), rule("b", "hosts: [x.test]")], []),
            ([rule("a", "hosts: []")], ["5:23: `hosts` is an empty list: the rule matches nothing"]),
            (
                [rule("a", "protocols: [http], http: { query: { q: [] } }")],
                ["5:23: `http.query.q` is an empty list: the rule matches nothing"]
            ),
        ] as [([String], [String])]
    )
    func unreachable(rules: [String], expected: [String]) throws {
        #expect(try warnings(rules) == expected)
    }

    @Test("a deny that is wider than what its neighbours allow is a warning, wherever it stands")
    func widerDenies() throws {
        let allow = rule("a", "hosts: [api.x.test, y.test]")
        let deny = rule("d", "hosts: ['*.x.test']", "deny")
        #expect(
            try warnings([allow, deny]) == [
                "5:45: `api.x.test` is never allowed here: the deny `d` at p.yaml:6:13 matches all of it and more; "
                    + "narrow the deny, or remove the item"
            ]
        )
        #expect(
            try warnings([rule("a", "hosts: [api.x.test]"), deny]) == [
                "5:23: the rule is never reached: the deny `d` at p.yaml:6:13 matches all of it and more; "
                    + "narrow the deny, or remove this rule"
            ]
        )
    }

    @Test(
        "B14: blocks that add up to everything are a warning, however they are split",
        arguments: [
            (["0.0.0.0/1", "128.0.0.0/1"], "IPv4"), (["2000::/5", "2800::/5", "3000::/4"], "IPv6"),
            (["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/3"], "IPv4"), (["2000::/4", "3000::/4"], "IPv6"),
            (["0.0.0.0/1", "128.0.0.0/2"], nil), (["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/4"], nil),
        ] as [([String], String?)]
    )
    func splitBlocks(blocks: [String], family: String?) throws {
        let quoted = blocks.map { "'\($0)'" }
        let inOne = try warnings([rule("a", "cidrs: [\(quoted.joined(separator: ", "))]")])
            .filter { $0.contains("add up") }
        let inSeveral = try warnings(quoted.enumerated().map { rule("r\($0.offset)", "cidrs: [\($0.element)]") })
            .filter { $0.contains("add up") }
        let end =
            "to every public \(family ?? "") address; name the blocks that are meant, or say `default: allow` if it is all of them"
        let last = 4 + blocks.count
        #expect(inOne == (family == nil ? [] : ["5:45: the blocks of `cidrs` add up \(end)"]))
        let together = "\(last):46: with those of the rules before, the blocks of `cidrs` add up \(end)"
        #expect(inSeveral == (family == nil ? [] : [together]))
    }

    @Test("B14: a block that holds every public address is a warning", arguments: ["0.0.0.0/0", "::/0", "::/1"])
    func wholeBlock(block: String) throws {
        let found = try warnings([rule("a", "cidrs: ['\(block)']")]).filter { $0.contains("every public") }
        #expect(found.map { String($0.prefix { $0 != ";" }) }.map { $0.contains("the block \(block) holds") } == [true])
    }

    @Test("a block so wide that it holds the metadata service is a warning")
    func metadata() throws {
        let found = try warnings([rule("a", "cidrs: [169.254.0.0/16, 169.254.169.254]")])
        #expect(
            found == [
                "5:45: the block 169.254.0.0/16 lets the agent reach the cloud metadata service at 169.254.169.254; "
                    + "name narrower blocks, or deny 169.254.169.254/32"
            ]
        )
        #expect(try warnings([rule("a", "cidrs: [0.0.0.0/0]", "deny")]).isEmpty)
    }

    @Test(
        "C01: the metadata services of all clouds are known, and the ways to them that IPv6 has",
        arguments: [
            ("169.254.170.0/30", "169.254.170.2", nil), ("169.254.170.16/28", "169.254.170.23", nil),
            ("100.64.0.0/10", "100.100.100.200", nil), ("168.63.0.0/16", "168.63.129.16", nil),
            ("192.0.0.0/24", "192.0.0.192", nil), ("fd00:ec2::/120", "fd00:ec2::23", nil),
            ("fd20::/16", "fd20:ce::254", nil), ("64:ff9b::/96", "169.254.169.254", "64:ff9b::a9fe:a9fe/128"),
            ("64:ff9b:1::/96", "169.254.169.254", "64:ff9b:1::/48"),
            ("2002:a9fe::/32", "169.254.169.254", "2002:a9fe:a9fe::/48"),
        ] as [(String, String, String?)]
    )
    func metadataServices(block: String, service: String, way: String?) throws {
        let found = try warnings([rule("a", "cidrs: ['\(block)']")])
        let place = try way ?? CIDR(service).description
        let words = "\(service)\(way.map { ", by way of \($0)" } ?? ""); name narrower blocks, or deny \(place)"
        #expect(found == ["5:45: the block \(block) lets the agent reach the cloud metadata service at \(words)"])
        #expect(try warnings([rule("a", "cidrs: ['\(service)']")]).isEmpty)
    }

    @Test("a block whose metadata services are denied is no warning, as the remedy has it")
    func deniedMetadata() throws {
        let deny = "name: d, match: { cidrs: [169.254.169.254, 169.254.170.0/24] }, action: deny"
        let named = rule("b", "hosts: [x.test], cidrs: [169.254.0.0/16]")
        #expect(try warnings([rule("a", "cidrs: [169.254.0.0/16]"), named, deny]).isEmpty)
        #expect(try warnings([rule("a", "cidrs: [169.254.0.0/16]"), deny + ", mode: audit"]).count == 1)
        let half = "name: d, match: { cidrs: [169.254.169.254] }, action: deny"
        let found = try warnings([rule("a", "cidrs: [169.254.0.0/16]"), half])
        #expect(found.count == 1 && found[0].contains("at 169.254.170.2; "))
    }

    @Test(
        "B02: a shared network that nobody looks into is a warning",
        arguments: [
            ("hosts: [d1.cloudfront.net]", "allow", true), ("hosts: ['*.fastly.net']", "tunnel", true),
            ("hosts: [logs.s3.eu-west-1.amazonaws.com]", "allow", true), ("hosts: [s3.amazonaws.com]", "allow", true),
            ("hosts: [s3-us-west-2.amazonaws.com]", "tunnel", true), ("hosts: ['*.s3.amazonaws.com']", "allow", true),
            ("hosts: [sts.amazonaws.com]", "allow", false), ("hosts: [s3.example.com]", "allow", false),
            ("hosts: [storage.googleapis.com]", "allow", true), ("hosts: [api.github.com]", "allow", false),
            ("hosts: [cloudfront.net.example.com]", "allow", false), ("hosts: [x.example.com]", "tunnel", false),
            ("protocols: [http], hosts: [d1.cloudfront.net]", "allow", false),
            ("hosts: [d1.cloudfront.net]", "deny", false),
        ]
    )
    func fronting(match: String, action: String, isWarned: Bool) throws {
        let found = try warnings([rule("a", match, action)])
        #expect(found.count(where: { $0.contains("is served by a network that many share") }) == (isWarned ? 1 : 0))
        let looking = try warnings([rule("a", match, "inspect")], canIntercept: true)
        #expect(looking.isEmpty)
    }

    @Test(
        "D07: names that search paths complete are warnings",
        arguments: [
            ("redis", "is a single label, which search paths complete"),
            ("redis.default.svc", "is what the search path of a pod completes"),
            ("'*.svc'", "is what the search path of a pod completes"), ("redis.default.svc.cluster.local", nil),
            ("'*.internal'", nil),
        ] as [(String, String?)]
    )
    func incompleteNames(host: String, expected: String?) throws {
        let found = try warnings([rule("a", "hosts: [\(host)]")])
        let name = host.replacing("'", with: "")
        let end = ", and is looked up here as it stands; write the whole name, such as redis.default.svc.cluster.local"
        #expect(found == (expected.map { ["5:45: `\(name)` \($0)\(end)"] } ?? []))
    }

    @Test("B17: an allow without ports is a warning")
    func ports() throws {
        // On plain HTTP a tunnel lets through what an allow does.
        for action in ["allow", "tunnel"] {
            let found = try warnings(["name: a, match: { hosts: [x.test] }, action: \(action)"])
            #expect(
                found == [
                    "5:23: the rule has no `ports`, and so holds on 80, without encryption, as on 443; "
                        + "say `ports: [443]`, or name both"
                ],
                "\(action)"
            )
        }
        #expect(
            try warnings(["name: a, match: { cidrs: [203.0.113.7] }, action: tunnel"])
                == ["5:23: the rule holds on every port: it has no `ports`; name the ports that are meant"]
        )
        #expect(try warnings(["name: a, match: { hosts: [x.test] }, action: deny"]).isEmpty)
    }
}
