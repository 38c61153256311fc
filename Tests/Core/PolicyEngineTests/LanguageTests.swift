import NetworkTypes
import PolicyEngine
import PolicyReference
import SourceDocuments
import Testing

private let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\n"

/// The complaints about the keys of a rule, whose text begins at column 15 of line 5.
private func complaints(rule: String, canIntercept: Bool = false) -> [String] {
    do throws(SourceProblems) {
        let yaml = head + "rules:\n  - { name: r, \(rule) }\n"
        return ["loaded: \(try load(yaml, canIntercept: canIntercept).policy.rules.map(\.terms))"]
    } catch {
        return error.problems.map { String($0.description.dropFirst("p.yaml:".count)) }
    }
}

@Suite struct LanguageTests {
    @Test("what a rule says beside its action is read")
    func terms() throws {
        let rules = try load(
            """
            \(head)rules:
              - name: a
                match: { hosts: [x.example], ports: [443] }
                action: allow
                mode: audit
                rate: { limit: 100, per: minute, by: host }
                budget: { bytes_up: 10MiB, requests: 7, per: day, by: workload }
              - { name: b, match: { hosts: [y.example], ports: [443] }, action: tunnel, budget: { requests: 1 } }
              - name: c
                match: { protocols: [http], http: { methods: [PUT] } }
                action: deny
                except_tunnels: true
                mode: audit
              - name: d
                match: { protocols: [http], ports: [80] }
                action: allow
                limits: { request_bytes: 1KiB, response_bytes: 1GiB }
            """
        ).policy.rules
        #expect(
            rules.map(\.terms) == [
                RuleTerms(
                    isOnTrial: true,
                    rate: RateLimit(limit: 100, per: .minute, by: .host),
                    budget: Budget(bytesUp: 10 << 20, requests: 7, per: .day, by: .workload)
                ),
                RuleTerms(budget: Budget(bytesUp: nil, requests: 1, per: nil)),
                RuleTerms(isOnTrial: true, exceptsTunnels: true),
                RuleTerms(limits: ContentLimits(requestBytes: 1024, responseBytes: 1 << 30)),
            ]
        )
    }

    @Test("the newer keys of a match are read")
    func matches() throws {
        let rules = try load(
            """
            \(head)rules:
              - name: a
                match:
                  ports: [443]
                  sni: absent
                  workload: { namespaces: [agents], service_accounts: [research, ci.bot], addresses: [10.88.0.7, "2001:db8:88::/64"] }
                  time: [{ days: [mon-wed, sun], from: "22:00", to: "06:30", zone: "-01:30" }, { days: [fri-mon] }]
                action: allow
              - name: b
                match:
                  protocols: [http]
                  http: { paths: [/a/*/b, "/**/c", "/d/**"], query: { q: ["", x], z: present }, headers: { X-A: present } }
                action: deny
            """
        ).policy.rules
        let first = rules[0].match
        #expect(first.sni == .absent)
        #expect(first.namespaces == ["agents"])
        #expect(first.serviceAccounts == ["research", "ci.bot"])
        #expect(first.clientBlocks?.map(\.description) == ["10.88.0.7/32", "2001:db8:88::/64"])
        #expect(
            first.times == [
                TimeWindow(days: [.monday, .tuesday, .wednesday, .sunday], from: 1320, to: 390, zone: -90),
                TimeWindow(days: [.friday, .saturday, .sunday, .monday]),
            ]
        )
        let http = try #require(rules[1].match.http)
        #expect(http.query == [QueryMatch(key: [0x71], values: [[], [0x78]]), QueryMatch(key: [0x7a], values: nil)])
        #expect(http.fields == [FieldMatch(name: "x-a", values: nil)])
        #expect(try http.paths?.last == .below(CanonicalPath("/d/")))
    }

    @Test(
        "a mistake in a rule's terms is named with its place and a remedy",
        arguments: [
            (
                "match: { ports: [1] }, action: deny, rate: { limit: 1, per: day }",
                ["5:53: `rate` counts what a rule allows, and this one denies; put it on the rule that allows"]
            ),
            (
                "match: { ports: [1] }, action: allow, rate: { limit: 0, per: week, by: pod, x: 1 }",
                [
                    "5:69: `limit` is 0, expected 1 to 1000000000000",
                    "5:77: `per` is `week`, expected one of second, minute, hour, day",
                    "5:87: `by` is `pod`, expected one of workload, host, rule",
                    "5:92: unknown key `x`; the keys here are limit, per, by",
                ]
            ),
            (
                "match: { ports: [1] }, action: allow, rate: {}",
                ["5:60: the key `limit` is missing", "5:60: the key `per` is missing"]
            ),
            (
                "match: { ports: [1] }, action: allow, budget: { per: day }",
                ["5:62: `budget` limits nothing; name `bytes_up` or `requests`, or remove it"]
            ),
            (
                "match: { ports: [1] }, action: allow, budget: { bytes_up: 10 }",
                ["5:74: `bytes_up` is an integer, expected a size such as 64KiB, 256MiB or 4GiB; write the unit"]
            ),
            (
                "match: { ports: [1] }, action: allow, mode: audit",
                [
                    "5:54: `mode` is `audit`, and an `allow` without `rate`, `budget` and `limits` refuses nothing that could be on trial; remove it"
                ]
            ),
            (
                "match: { ports: [1] }, action: deny, mode: enforce",
                ["5:53: `mode` is `enforce`, which every rule does; leave it out, or write `audit`"]
            ),
            (
                "match: { protocols: [http] }, action: deny, limits: { request_bytes: 1KiB }",
                ["5:60: `limits` is for what a rule allows, and this one denies; put it on the rule that allows"]
            ),
            (
                "match: { protocols: [http] }, action: allow, limits: {}",
                ["5:69: `limits` limits nothing; name `request_bytes` or `response_bytes`, or remove it"]
            ),
            (
                "match: { protocols: [tls, http] }, action: allow, limits: { request_bytes: 1KiB }",
                [
                    "5:66: `limits` is about bodies, and what this rule matches may be carried unread; say `protocols: [http]`"
                ]
            ),
            (
                "match: { ports: [1] }, action: tunnel, except_tunnels: true",
                ["5:55: `except_tunnels` belongs to a `deny`; remove it"]
            ),
            (
                "match: { ports: [1] }, action: allow, time: []",
                ["5:54: `time` does not belong here; write it under `match`"]
            ),
            (
                "match: { time: [{}] }, action: deny",
                [
                    "5:32: `time` is an empty mapping, which would match at every moment; name `days`, `from` or `to`"
                ]
            ),
            (
                "match: { time: [{ days: [monday, tue-x], from: '9:00', to: '24:01', zone: Europe/Berlin }] }, action: deny",
                [
                    "5:41: item 1 of `days` is `monday`, expected a day such as mon, or several such as mon-fri; did you mean `mon`?",
                    "5:49: item 2 of `days` is `tue-x`, expected a day such as mon, or several such as mon-fri; did you mean `tue`?",
                    "5:63: `from` is `9:00`, expected a time such as 09:00; write two digits each, 00:00 to 23:59",
                    "5:75: `to` is `24:01`, expected a time such as 09:00; write two digits each, 00:00 to 24:00",
                    "5:90: `zone` is `Europe/Berlin`, expected an offset from UTC such as +01:00; write `Z`, or hours and minutes from -14:00 to +14:00; names of zones are not known here",
                ]
            ),
            (
                "match: { time: [{ from: '09:00', to: '09:00' }] }, action: deny",
                ["5:53: the window ends when it begins; leave `from` and `to` out for whole days"]
            ),
            (
                "match: { sni: absent, protocols: [tls, http] }, action: deny",
                ["5:25: `sni` is about TLS, and `protocols` names `http`; say `protocols: [tls]`, or leave it out"]
            ),
            (
                "match: { protocols: [http], http: { query: { 'a+b': [c], d: ['%20'] } } }, action: deny",
                [
                    "5:61: `a+b` is no key of a query that all servers read alike; write it decoded, in printable ASCII without spaces, `+` and `%`",
                    "5:77: item 1 of `d` is no value of a query that all servers read alike; write it decoded, in printable ASCII without spaces, `+` and `%`",
                ]
            ),
        ] as [(String, [String])]
    )
    func namesMistakes(rule: String, expected: [String]) {
        #expect(complaints(rule: rule) == expected)
    }

    @Test(
        "with interception, what looks inside loads, and what contradicts it does not",
        arguments: [
            ("match: { hosts: [x.example], ports: [443] }, action: inspect", nil),
            ("match: { ports: [443], http: { methods: [GET] } }, action: allow", nil),
            (
                "match: { ports: [1], protocols: [opaque, tls] }, action: inspect",
                "5:73: `inspect` cannot look into `opaque`; name `tls` and `http` alone under `protocols`"
            ),
            (
                "match: { ports: [1], protocols: [h2c], http: { methods: [GET] } }, action: deny",
                "5:55: `http` cannot look into `h2c`; name `tls` and `http` alone under `protocols`"
            ),
            (
                "match: { ports: [1], http: { methods: [GET] } }, action: tunnel",
                "5:73: `tunnel` never looks inside TLS, and `http` asks what is inside; write `allow`, or leave out `http`"
            ),
        ] as [(String, String?)]
    )
    func interception(rule: String, expected: String?) {
        let found = complaints(rule: rule, canIntercept: true)
        #expect(expected.map { found == [$0] } ?? found[0].hasPrefix("loaded"), "\(found)")
    }

    @Test(
        "a deny that looks inside what a tunnel carries does not load, unless it leaves tunnels alone",
        arguments: [
            ("hosts: ['*.a.example']", "", false), ("hosts: ['*.a.example']", ", except_tunnels: true", true),
            ("hosts: ['*.b.example']", "", true), ("ports: [80]", "", true), ("ports: [443], sni: absent", "", true),
            ("ports: [443]", "", false), ("ports: [443], protocols: [http]", "", true),
        ]
    )
    func tunnels(match: String, terms: String, loads: Bool) {
        let yaml =
            head + """
                rules:
                  - { name: t, match: { hosts: [x.a.example], ports: [443], sni: present }, action: tunnel }
                  - { name: d, match: { \(match), http: { methods: [PUT] } }, action: deny\(terms) }
                """
        var found: [String] = []
        do throws(SourceProblems) { _ = try load(yaml, canIntercept: true) } catch {
            found = error.problems.map(\.description)
        }
        let expected =
            "p.yaml:6:23: the deny `d` looks inside what the tunnel `t` at p.yaml:5:13 carries unseen; "
            + "say `except_tunnels: true` beside its `action`, or make the tunnel an `allow`"
        #expect(found == (loads ? [] : [expected]))
    }

    @Test("what a document extends comes first, and the name is its own")
    func extends() throws {
        let base = try readPolicyText(head.replacing("test", with: "base") + "rules: [\(Self.rule("a"))]")
        let own = try readPolicyText(head + "extends: [base.yaml, 'more.yaml']\nrules: [\(Self.rule("b"))]")
        #expect(own.flatMap(extendedFiles).map(\.path) == ["base.yaml", "more.yaml"])
        #expect(own.flatMap(extendedFiles).map(\.location.column) == [11, 22])
        let documents = base.map { PolicyDocument($0, isExtended: true) } + own.map { PolicyDocument($0) }
        let policy = try Policy.load(documents, hash: "sha256:test").policy
        #expect(policy.name == "test")
        #expect(policy.rules.map(\.name.text) == ["a", "b"])
    }

    private static func rule(_ name: String) -> String {
        "{ name: \(name), match: { ports: [1] }, action: deny }"
    }
}
