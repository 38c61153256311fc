import PolicyEngine
import PolicyReference
import SourceDocuments
import Testing

/// What is said of a rule on line 5, whose `match` begins at column 23: errors where it does not load, else warnings.
private func said(_ match: String, _ terms: String = "action: deny", name: String = "r") -> [String] {
    let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\nrules:\n"
    let text = head + "  - { name: \(name), match: { \(match) }, \(terms) }\n"
    do throws(SourceProblems) {
        return try load(text).warnings.map(\.description)
    } catch {
        return error.problems.map { "error: \($0)" }
    }
}

/// The same of what a rule of plain HTTP asks of requests.
private func said(http: String) -> [String] {
    said("hosts: [x.example], protocols: [http], http: { \(http) }")
}

@Suite("What is accepted and never holds")
struct NeverHoldingTests {
    private static let method =
        "holds for a method of that very name alone; leave `methods` out: without it every method matches"
    private static let value = "holds for that very value alone: an asterisk stands for itself"
    private static let remedy = "say `present`, without brackets, for any value, or write each value out"

    @Test(
        "a pattern where none is known is an error that says what to write instead",
        arguments: [
            (
                "methods: ['*']",
                "5:82: item 1 of `methods` is `*`, which no request says: an asterisk stands for no other method; "
                    + "leave `methods` out: without it every method matches"
            ),
            (
                "methods: [GET, 'PUT*']",
                "5:87: item 2 of `methods` is `PUT*`, which no request says: an asterisk stands for no other method; "
                    + "write each method out"
            ),
            (
                "headers: { 'x-*': present }",
                "5:83: `x-*` has an asterisk, which stands for no other name: no request has such a header; "
                    + "write each name out"
            ),
            (
                "headers: { x-a: [present] }",
                "5:89: item 1 of `x-a` is `present`, which in a list holds for that very value alone; "
                    + "say `x-a: present`, without brackets, for any value"
            ),
            (
                "query: { q: [a, present] }",
                "5:88: item 2 of `q` is `present`, which in a list holds for that very value alone; "
                    + "say `q: present`, without brackets, for any value"
            ),
        ]
    )
    func patterns(http: String, expected: String) {
        #expect(said(http: http) == ["error: p.yaml:\(expected)"])
    }

    @Test(
        "what could be meant as it stands, and probably is not, is a warning",
        arguments: [
            (
                "methods: [ALL, GET]",
                ["5:82: item 1 of `methods` is `ALL`, which \(method)"]
            ),
            (
                "methods: [any]",
                ["5:82: item 1 of `methods` is `any`, which \(method)"]
            ),
            ("headers: { x-a: ['*'] }", ["5:89: item 1 of `x-a` is `*`, which \(value); \(remedy)"]),
            ("headers: { x-a: [b, 'x-*'] }", ["5:92: item 2 of `x-a` is `x-*`, which \(value); \(remedy)"]),
            ("query: { q: ['a*'] }", ["5:85: item 1 of `q` is `a*`, which \(value); \(remedy)"]),
            (
                "query: { 'f*': [a] }",
                [
                    "5:81: `f*` holds for the key of that very name alone: an asterisk stands for itself; write each key out"
                ]
            ),
            ("headers: { Accept: ['*/*', 'text/*'], if-none-match: ['*'] }", []), ("methods: [ALLOW, GET]", []),
            ("headers: { x-a: present }, query: { q: present }", []),
        ] as [(String, [String])]
    )
    func doubts(http: String, expected: [String]) {
        #expect(said(http: http) == expected.map { "p.yaml:\($0)" })
    }

    @Test("no header with an asterisk in its name is set, removed, or has a credential")
    func headerChanges() {
        let found = said(
            "hosts: [x.example], ports: [80], protocols: [http]",
            "action: allow, headers: { set: { 'X-*': a }, remove: ['*', X-B] }"
        )
        #expect(
            found == [
                "error: p.yaml:5:112: `X-*` has an asterisk, which stands for no other name here; write each name out",
                "error: p.yaml:5:133: item 1 of `remove`, `*`, has an asterisk, which stands for no other name here; "
                    + "write each name out",
            ]
        )
    }

    @Test(
        "names where the connection has none are a warning, whatever the action",
        arguments: [
            (
                "protocols: [h2c]",
                "`h2c` carries no name, and a connection without a name matches no host: the rule matches nothing"
            ),
            (
                "protocols: [opaque]",
                "`opaque` carries no name: with `hosts`, the rule matches only what names its host in CONNECT or SOCKS"
            ),
            (
                "protocols: [opaque, h2c]",
                "`opaque` carries no name: with `hosts`, the rule matches only what names its host in CONNECT or SOCKS"
            ),
            (
                "sni: absent",
                "a client without a server name matches no host, unless it names one in CONNECT or SOCKS"
            ),
            ("protocols: [opaque, tls]", nil), ("sni: present", nil),
        ] as [(String, String?)]
    )
    func nameless(match: String, expected: String?) {
        let warnings = expected.map { ["p.yaml:5:23: \($0); say `cidrs` instead of `hosts`"] } ?? []
        for action in ["deny", "allow"] {
            #expect(said("hosts: [x.example], ports: [7], \(match)", "action: \(action)") == warnings, "\(action)")
            let byAddress = said("cidrs: [203.0.113.7], ports: [7], \(match)", "action: \(action)")
            #expect(byAddress.isEmpty)
        }
    }

    @Test("what such a rule is said to match it matches, and nothing else")
    func namelessDecisions() throws {
        let rule = "match: { hosts: [x.example], ports: [443], protocols:"
        let opaque = try policy("{ name: a, \(rule) [opaque] }, action: allow }")
        #expect(opaque.decide(try facts("x.example", speaking: .opaque)).summary.hasPrefix("allow"))
        #expect(opaque.decide(try facts(nil, speaking: .opaque)).summary.hasPrefix("deny"))
        let h2c = try policy("{ name: a, \(rule) [h2c] }, action: allow }")
        #expect(h2c.decide(try facts("x.example", speaking: .h2c)).summary.hasPrefix("deny"))
    }

    @Test(
        "C02: a block of IPv4 addresses dressed as IPv6 is an error that names the IPv4 block",
        arguments: [
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("::ffff:a00:1", "10.0.0.1"), ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:10.0.0.1/128", "10.0.0.1"),
        ]
    )
    func mapped(block: String, plain: String) {
        let end = "`\(block)`, is IPv4 dressed as IPv6, about which no rule decides; write \(plain)"
        #expect(said("cidrs: ['\(block)']") == ["error: p.yaml:5:33: item 1 of `cidrs`, \(end)"])
        #expect(
            said("workload: { addresses: ['\(block)'] }") == ["error: p.yaml:5:49: item 1 of `addresses`, \(end)"]
        )
    }

    @Test("a block that holds more than such addresses is taken", arguments: ["::/0", "::/80", "::fffe:0:0/95"])
    func partlyMapped(block: String) {
        #expect(said("cidrs: ['\(block)']").isEmpty)
    }

    @Test(
        "what asks for nothing or changes nothing is said once",
        arguments: [
            (
                "ports: [7], time: [{ zone: '+01:00' }]", "action: deny",
                ["error: p.yaml:5:46: `zone` alone would match at every moment; name `days`, `from` or `to` beside it"]
            ),
            (
                "ports: [7], time: [{ days: [] }]", "action: deny",
                ["p.yaml:5:23: `time.days` is an empty list: the rule matches nothing"]
            ),
            (
                "ports: [7], time: []", "action: deny",
                ["p.yaml:5:23: `time` is an empty list: the rule matches nothing"]
            ),
            (
                "protocols: [http], ports: [80]", "action: allow, headers: { set: {} }",
                [
                    "error: p.yaml:5:83: `headers` changes nothing; name a header under `set` or `remove`, or remove it"
                ]
            ),
            (
                "protocols: [http], ports: [80]", "action: allow, headers: { remove: [], set: {} }",
                [
                    "error: p.yaml:5:83: `headers` changes nothing; name a header under `set` or `remove`, or remove it"
                ]
            ),
            (
                "protocols: [http], ports: [80]", "action: allow, headers: { add: { X-A: a } }",
                ["error: p.yaml:5:85: unknown key `add`; the keys here are set, remove"]
            ),
            (
                "ports: [7]", "action: allow, budget: { bytes_down: 1MiB }",
                ["error: p.yaml:5:64: unknown key `bytes_down`; the keys here are bytes_up, requests, per, by"]
            ),
            (
                "protocols: [http], ports: [80]", "action: allow, limits: { bytes: 1MiB }",
                ["error: p.yaml:5:84: unknown key `bytes`; the keys here are request_bytes, response_bytes"]
            ),
            (
                "ports: [7]", "action: allow, budget: { bytes_up: 10MB }",
                [
                    "error: p.yaml:5:74: `bytes_up` is `10MB`, expected a size such as 64KiB, 256MiB or 4GiB; "
                        + "write a whole number and its unit: KiB, MiB, GiB, TiB"
                ]
            ),
            (
                "workload: { uids: [root] }", "action: deny",
                [
                    "error: p.yaml:5:44: item 1 of `uids` is a string, expected an integer; write the user's number, "
                        + "such as 1000; names of users are not known here"
                ]
            ),
        ] as [(String, String, [String])]
    )
    func nothing(match: String, terms: String, expected: [String]) {
        #expect(said(match, terms) == expected)
    }

    @Test("no rule is called `none`, which cases and `explain` say where no rule decides")
    func ruleCalledNone() {
        #expect(
            said("ports: [7]", name: "none") == [
                "error: p.yaml:5:13: `name` is `none`, which stands for no rule in cases and in what `explain` says; "
                    + "give the rule another name"
            ]
        )
        #expect(said("ports: [7]", name: "nones").isEmpty)
    }

    @Test(
        "a policy's name is held to what a rule's is",
        arguments: [
            ("\"t\\e[31m\"", false), ("ä", false), (String(repeating: "a", count: 129), false),
            (String(repeating: "a", count: 128), true), ("research agent, 2", true),
        ]
    )
    func policyNames(name: String, loads: Bool) {
        var found: [String] = []
        do throws(SourceProblems) {
            _ = try load("apiVersion: penstock/v1\nkind: EgressPolicy\nname: \(name)\nrules: []\n")
        } catch { found = error.problems.map(\.description) }
        let complaint =
            "p.yaml:3:7: `name` is no name of a policy; write at most 128 printable ASCII characters"
        #expect(found == (loads ? [] : [complaint]))
    }
}
