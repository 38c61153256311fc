import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

/// Monday, 2025-12-01, 00:00 UTC.
private let monday: Int64 = 1_764_547_200

private func clock(_ days: Int64, _ hours: Int64, _ minutes: Int64, _ seconds: Int64 = 0) -> Int64 {
    monday + days * 86_400 + hours * 3600 + minutes * 60 + seconds
}

@Suite struct CircumstancesTests {
    @Test(
        "a time window is open from its first second to the one before its last, on its own clock",
        arguments: [
            ("days: [mon], from: '09:00', to: '17:30'", clock(0, 9, 0), true),
            ("days: [mon], from: '09:00', to: '17:30'", clock(0, 8, 59, 59), false),
            ("days: [mon], from: '09:00', to: '17:30'", clock(0, 17, 29, 59), true),
            ("days: [mon], from: '09:00', to: '17:30'", clock(0, 17, 30), false),
            ("days: [mon], from: '09:00', to: '17:30'", clock(1, 9, 0), false),
            ("days: [mon], from: '09:00', to: '17:30', zone: '+01:00'", clock(0, 8, 0), true),
            ("days: [mon], from: '09:00', to: '17:30', zone: '+01:00'", clock(0, 16, 30), false),
            // Over midnight, the day is that on which it begins.
            ("days: [sun], from: '22:00', to: '06:00'", clock(0, 5, 59, 59), true),
            ("days: [sun], from: '22:00', to: '06:00'", clock(0, 6, 0), false),
            ("days: [sun], from: '22:00', to: '06:00'", clock(0, 22, 0), false),
            ("days: [mon], zone: '-05:00'", clock(0, 4, 59, 59), false),
            ("days: [mon], zone: '-05:00'", clock(1, 4, 59, 59), true),
            ("to: '24:00'", clock(3, 1, 2), true),
            ("days: [thu]", 0, true), ("days: [wed]", -1, true), ("days: [mon]", .max, false),
        ] as [(String, Int64, Bool)]
    )
    func windows(window: String, moment: Int64, isOpen: Bool) throws {
        let policy = try policy("{ name: w, match: { ports: [443], time: [{ \(window) }] }, action: allow }")
        var facts = try facts("x.example")
        facts.now = moment
        #expect(policy.decide(facts).verdict == (isOpen ? .allow : .deny))
    }

    @Test(
        "what a window allowed ends with the reason for which a new connection would be refused",
        arguments: [
            ("", "deny default_deny by w"),
            ("{ name: d, match: { ports: [443], time: [{ days: [tue] }] }, action: deny }", "deny rule_deny by d"),
            // It was bound to what the first rule asked for.
            ("{ name: o, match: { ports: [443] }, action: allow }", "deny policy_changed by w"),
        ]
    )
    func endedWindow(other: String, expected: String) throws {
        let window = "{ name: w, match: { ports: [443], time: [{ days: [mon] }] }, action: allow }"
        let policy = try policy(window + "\n" + other)
        var facts = try facts("x.example", addresses: ["203.0.113.7"])
        facts.now = monday
        let decision = policy.decide(facts)
        #expect(policy.stillAllowsNow(decision, facts) == decision)
        facts.now = monday + 86_400
        #expect(policy.stillAllowsNow(decision, facts).summary == expected)
    }

    @Test("the next boundary is when the first of all windows begins or ends")
    func boundaries() throws {
        let timeless = try policy("{ name: a, match: { ports: [1] }, action: deny }")
        #expect(timeless.nextBoundary(after: 0) == nil)
        let policy = try policy(
            """
            { name: a, match: { ports: [1], time: [{ days: [mon], from: '09:00', to: '17:30', zone: '+01:00' }] }, action: deny }
            { name: b, match: { ports: [2], time: [{ days: [mon-sun] }] }, action: deny }
            { name: c, match: { ports: [3], time: [{ days: [sun], from: '22:00', to: '06:00' }] }, action: deny }
            """
        )
        #expect(policy.nextBoundary(after: clock(0, 0, 0)) == clock(0, 6, 0))
        #expect(policy.nextBoundary(after: clock(0, 6, 0)) == clock(0, 8, 0))
        #expect(policy.nextBoundary(after: clock(0, 8, 0)) == clock(0, 16, 30))
        #expect(policy.nextBoundary(after: clock(0, 16, 30)) == clock(6, 22, 0))
        #expect(policy.nextBoundary(after: clock(6, 22, 0)) == clock(7, 6, 0))
    }

    @Test("without a clock or a name for the workload, what would allow does not, and what would deny does")
    func unknown() throws {
        let rules = """
            { name: d, match: { ports: [22], workload: { namespaces: [prod] } }, action: deny }
            { name: a, match: { ports: [443], time: [{ days: [mon-fri] }], workload: { service_accounts: [ci] } }, action: allow }
            { name: b, match: { ports: [22] }, action: allow }
            """
        var facts = try facts("x.example")
        let policy = try policy(rules)
        #expect(policy.decide(facts).summary == "deny default_deny")
        facts.now = monday
        facts.workload = WorkloadNames(namespace: "dev", serviceAccount: "ci")
        #expect(policy.decide(facts).rule?.text == "a")
        facts.port = 22
        #expect(policy.decide(facts).rule?.text == "b")
        facts.workload.namespace = nil
        #expect(policy.decide(facts).summary == "deny undetermined by d")
    }

    @Test("a rule with an exhausted counter denies, and no later rule is asked; on trial it says so")
    func counters() throws {
        for (mode, expected) in [
            ("", "deny rate_exceeded by a"),
            (", mode: audit", "allow rate_exceeded (would deny) by a, dial x.example"),
        ] {
            let policy = try policy(
                """
                { name: a, match: { hosts: [x.example] }, action: allow\(mode), rate: { limit: 1, per: minute, by: host } }
                { name: b, match: { hosts: [x.example] }, action: allow }
                """
            )
            var facts = try facts("x.example")
            let draws = policy.draws(for: facts)
            #expect(draws.map(\.counter.subject) == [CountedSubject(scope: .host, key: "x.example")])
            #expect(draws.map(\.period) == [.minute])
            #expect(policy.decide(facts).draws == draws)
            facts.exhausted = Set(draws.map(\.counter))
            #expect(policy.decide(facts).summary == expected)
        }
    }

    @Test("content that has limits is looked into, also within TLS; a rule without them is a tunnel")
    func contentLimits() throws {
        let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\nrules:\n"
        let rules = """
            \(head)\
              - { name: a, match: { hosts: [x.example], protocols: [tls] }, action: allow, limits: { request_bytes: 1KiB } }
              - { name: b, match: { hosts: [y.example], protocols: [tls] }, action: allow }
            """
        let policy = try load(rules, canIntercept: true).policy
        #expect(policy.looksAtContent)
        #expect(policy.decide(try facts("x.example")).treatment == .intercept)
        let tunnel = policy.decide(try facts("y.example"))
        #expect(tunnel.treatment == .tunnel)
        #expect(policy.terms(behind: tunnel)?.terms.looksAtContent == false)
    }

    @Test(
        "B01: of a rule with blocks alone the counter is the address's: each name that the agent makes up has none of its own"
    )
    func countedHost() throws {
        let policy = try policy(
            """
            { name: a, match: { cidrs: [203.0.113.0/24] }, action: allow, rate: { limit: 1, per: day, by: host } }
            { name: b, match: { ports: [443] }, action: allow, rate: { limit: 1, per: day, by: host } }
            """
        )
        for (address, keys) in [
            ("203.0.113.7", ["203.0.113.7", "203.0.113.7"]), ("198.51.100.7", ["one.example", "two.example"]),
        ] {
            let original = OriginalDestination(try #require(SocketAddress("\(address):443")))
            let found = try ["one.example", "two.example"].map { name in
                let opening = Opening.known(.tls, name: try HostName(name))
                return policy.draws(for: Facts(original: original, port: 443, opening: opening)).map(
                    \.counter.subject.key
                )
            }
            #expect(found.flatMap(\.self) == keys)
        }
    }

    @Test(
        "a rule for clients of a gateway holds for theirs, and for nobody whose address is not known",
        arguments: [
            ("10.88.0.2", "allow rule_allow by a, dial x.example", "deny default_deny"),
            ("10.88.0.9", "deny default_deny", "deny default_deny"),
            ("2001:db8:88::7", "allow rule_allow by a, dial x.example", "deny default_deny"),
            ("10.89.0.1", "deny default_deny", "deny rule_deny by d"),
            (nil, "deny default_deny", "deny undetermined by d"),
        ]
    ) func gatewayClients(client: String?, web: String, mail: String) throws {
        let policy = try policy(
            """
            { name: a, match: { hosts: [x.example], workload: { addresses: [10.88.0.0/29, '2001:db8:88::/64'] } }, action: allow }
            { name: d, match: { ports: [25], workload: { addresses: [10.89.0.1] } }, action: deny }
            """
        )
        var facts = try facts("x.example", uid: nil)
        facts.clientAddress = try client.map(address)
        #expect(policy.decide(facts).summary == web)
        facts.port = 25
        #expect(policy.decide(facts).summary == mail)
    }

    @Test("each client of a gateway has a counter of its own")
    func countersOfClients() throws {
        let policy = try policy(
            "{ name: a, match: { hosts: [x.example] }, action: allow, budget: { requests: 9, by: workload } }"
        )
        let keys = try ["10.88.0.2", "2001:db8:88::2"].map { client in
            var facts = try facts("x.example", uid: nil)
            facts.clientAddress = try address(client)
            return policy.decide(facts).draws.map(\.counter.subject)
        }
        #expect(keys.flatMap { $0.map(\.key) } == ["-/-/10.88.0.2", "-/-/2001:db8:88::2"])
        let areKnown = keys.joined().allSatisfy(\.isKnown)
        #expect(areKnown)
    }

    @Test("a counter of a user whom nobody knows is nobody's: there is none to draw on; on trial it says so")
    func unattributable() throws {
        for (mode, expected) in [
            ("", "deny undetermined by a"),
            (", mode: audit", "allow undetermined (would deny) by a, dial x.example"),
        ] {
            let policy = try policy(
                "{ name: a, match: { hosts: [x.example] }, action: allow\(mode), budget: { requests: 9, by: workload } }"
            )
            var facts = try facts("x.example")
            facts.workload = WorkloadNames(namespace: "dev", serviceAccount: "ci")
            facts.workloadUID = 7
            let known = try #require(policy.decide(facts).draws.first?.counter.subject)
            #expect(known.isKnown && known.key == "dev/ci/7")
            facts.workloadUID = nil
            let unknown = try #require(policy.decide(facts).draws.first?.counter)
            #expect(!unknown.subject.isKnown)
            facts.lack(unknown, because: .unattributable)
            #expect(policy.decide(facts).summary == expected)
        }
    }

    @Test("a deny on trial is not carried out, and the record names it")
    func trial() throws {
        let policy = try policy(
            """
            { name: t, match: { hosts: [x.example] }, action: deny, mode: audit }
            { name: a, match: { hosts: ['*.example'] }, action: allow }
            """
        )
        let decision = policy.decide(try facts("x.example", addresses: ["203.0.113.1"]))
        #expect(decision.summary == "allow rule_deny (would deny) by t, dial x.example 203.0.113.1:443")
        #expect(decision.basis == RuleName("a").map(DecisionBasis.rule))
        var allowedBy: RuleName?
        if let permit = policy.permit(for: decision) { allowedBy = permit.rule }
        #expect(allowedBy?.text == "a")
        #expect(policy.decide(try facts("y.example")).wouldDeny == false)
    }

    @Test(
        "`*` stands within a segment and `**` for segments",
        arguments: [
            ("/v1/*/files", "/v1/7/files", true), ("/v1/*/files", "/v1/7/8/files", false),
            ("/v1/*/files", "/v1//files", true), ("/v1/**/files", "/v1/files", true),
            ("/v1/**/files", "/v1/7/8/files", true), ("/v1/**", "/v1", false), ("/v1/**", "/v1/", true),
            ("/v1/**", "/v1/a/b", true), ("/v*/x", "/v1/x", true), ("/v*/x", "/w1/x", false),
            ("/*.json", "/a.json", true), ("/*.json", "/a/b.json", false), ("/**/*.json", "/a/b.json", true),
            ("/a*b*c", "/aXbXbc", true), ("/a*b*c", "/acb", false), ("/a%2A*", "/a*x", true), ("/a%2A*", "/abx", false),
            ("/.*", "/.git", true), ("/*/b/*", "/a/b/c/d", true), ("/*/b/*", "/a/b", false),
        ]
    )
    func globs(pattern: String, path: String, matches: Bool) throws {
        let read = try PathPattern(pattern)
        #expect(try read?.matches(CanonicalPath(path)) == matches)
    }

    @Test("F08: a path made to be tried out in every way is compared in little time", .timeLimit(.minutes(1)))
    func blowUp() throws {
        let segments = try #require(try PathPattern("/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b"))
        let letters = try #require(try PathPattern("/*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"))
        let deep = try CanonicalPath(String(repeating: "/a", count: 4000))
        let long = try CanonicalPath("/" + String(repeating: "a", count: 8000))
        #expect(!segments.matches(deep))
        #expect(!letters.matches(long))
    }

    @Test(
        "a query that servers read in several ways allows nothing, and is not let past a deny",
        arguments: [
            ("q=a", "allow rule_allow by a"), ("q=%61", "allow rule_allow by a"), ("q=a&q=a", "allow rule_allow by a"),
            ("q=a&q=b", "deny default_deny"), ("", "deny default_deny"), ("Q=a", "deny default_deny"),
            ("q=a&d", "deny rule_deny by d"), ("q=a;x", "deny ambiguous_query by d"),
            ("q=a&%zz=1", "deny ambiguous_query by d"), ("q=a&%2564=1", "deny ambiguous_query by d"),
            ("q=a&%c1%a1=1", "deny ambiguous_query by d"),
            ("q=%ff", "deny default_deny"), ("q=a&%64=", "deny rule_deny by d"), ("q=a&x=%ff", "allow rule_allow by a"),
        ]
    )
    func queries(query: String, expected: String) throws {
        let policy = try policy(
            """
            { name: a, match: { hosts: [x.example], protocols: [http], http: { query: { q: [a] } } }, action: allow }
            { name: d, match: { protocols: [http], http: { query: { d: present } } }, action: deny }
            """
        )
        var facts = try request("GET", "/")
        facts.request?.query = RequestQuery(query)
        #expect(policy.decide(facts).summary.split(separator: ",").first.map(String.init) == expected)
    }
}
