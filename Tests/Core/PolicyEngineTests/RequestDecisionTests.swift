import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

@Suite struct RequestDecisionTests {
    static let rules = """
        { name: no-admin, match: { protocols: [http], http: { paths: [/admin, /admin/*] } }, action: deny }
        { name: no-tenant, match: { protocols: [http], http: { headers: { X-Tenant: [evil] } } }, action: deny }
        { name: read, match: { hosts: [x.example], protocols: [http], http: { methods: [GET, HEAD], paths: [/v1/*] } }, action: allow }
        { name: write, match: { hosts: [x.example], protocols: [http], http: { methods: [POST], paths: [/v1/messages], headers: { x-api: ['2', '3'] } } }, action: tunnel }
        """

    @Test(
        "each request is judged by method, path and headers",
        arguments: [
            ("GET", "/v1/a", "", "allow rule_allow by read, dial x.example"),
            ("HEAD", "/v1/", "", "allow rule_allow by read, dial x.example"),
            ("GET", "/%76%31/a", "", "allow rule_allow by read, dial x.example"),
            ("GET", "/v1", "", "deny default_deny"),
            ("GET", "/v2/a", "", "deny default_deny"),
            ("PUT", "/v1/a", "", "deny default_deny"),
            ("GET", "/admin", "", "deny rule_deny by no-admin"),
            ("GET", "/%61dmin/x", "", "deny rule_deny by no-admin"),
            ("GET", "/Admin", "", "deny default_deny"),
            ("GET", "/v1/a", "x-tenant: evil", "deny rule_deny by no-tenant"),
            ("GET", "/v1/a", "x-tenant: good|x-tenant: evil", "deny rule_deny by no-tenant"),
            ("GET", "/v1/a", "x-tenant: Evil", "allow rule_allow by read, dial x.example"),
            ("POST", "/v1/messages", "x-api: 2", "allow rule_allow by write, dial x.example"),
            ("POST", "/v1/messages", "x-api: 2|x-api: 3", "allow rule_allow by write, dial x.example"),
            ("POST", "/v1/messages", "x-api: 2|x-api: 4", "deny default_deny"),
            ("POST", "/v1/messages", "x-other: 2", "deny default_deny"),
            ("POST", "/v1/messages", "", "deny default_deny"),
            // Two slashes are one to some servers, and a rule asks for paths.
            ("GET", "//admin", "", "deny ambiguous_path"),
            ("GET", "/v1//a", "", "deny ambiguous_path"),
        ]
    )
    func judgesRequests(method: String, path: String, fields: String, expected: String) throws {
        let decision = try policy(Self.rules).decide(request(method, path, fields))
        #expect(decision.summary == expected)
        #expect(decision.treatment == (decision.verdict == .allow ? .http : .refuse))
    }

    @Test(
        "B10: a method is compared as it is written",
        arguments: ["GETS", "GET1", "TRACE", "BREW", "brew"]
    )
    func methodGames(method: String) throws {
        #expect(try policy(Self.rules).decide(request(method, "/v1/a")).summary == "deny default_deny")
        let deny = try policy(
            "{ name: d, match: { protocols: [http], http: { methods: [GET] } }, action: deny }",
            default: "allow"
        )
        #expect(deny.decide(try request(method, "/")).verdict == .allow)
        #expect(deny.decide(try request("GET", "/")).verdict == .deny)
    }

    @Test("B10: a header that overrides the method is denied by a rule that says so", arguments: ["DELETE", "delete"])
    func methodOverride(method: String) throws {
        let policy = try policy(
            "{ name: o, match: { protocols: [http], http: { headers: { x-http-method-override: present } } }, action: deny }",
            default: "allow"
        )
        #expect(policy.askedFields == ["x-http-method-override"])
        let decision = policy.decide(try request("POST", "/", "x-http-method-override: \(method)"))
        #expect(decision.summary == "deny rule_deny by o")
    }

    @Test("a method is a token, and nothing else", arguments: ["", "GE T", "GET\r", "G\0", "GÉT", "\u{212a}", "GET/"])
    func noMethods(text: String) {
        #expect(RequestMethod(text) == nil)
    }

    @Test("two slashes in a row are no matter where no rule asks for paths")
    func emptySegments() throws {
        let policy = try policy("{ name: a, match: { hosts: [x.example], protocols: [http] }, action: allow }")
        #expect(policy.decide(try request("GET", "//v1//a")).verdict == .allow)
    }

    @Test("B15: an empty list matches no request", arguments: ["methods: []", "paths: []", "headers: { x: [] }"])
    func emptyMatchesNothing(key: String) throws {
        let match = "{ protocols: [http], http: { \(key) } }"
        let allow = try policy("{ name: a, match: \(match), action: allow }")
        let deny = try policy("{ name: d, match: \(match), action: deny }", default: "allow")
        var unknown = try request("GET", "/")
        unknown.request = nil
        for facts in [try request("GET", "/", "x: 1"), unknown, try silence(port: 80)] {
            #expect(allow.decide(facts).summary == "deny default_deny")
            #expect(deny.decide(facts).verdict == .allow)
        }
    }

    @Test(
        "what is not known of a request allows nothing, and denies where a deny asks for it",
        arguments: [
            ("GET", nil, false, "deny undetermined by no-admin"),
            (nil, "/admin", false, "deny rule_deny by no-admin"),
            (nil, "/v1/a", false, "deny undetermined by no-tenant"),
            (nil, "/v1/a", true, "undetermined undetermined"),
            ("POST", "/v1/a", true, "deny default_deny"),
            ("GET", "/v1/a", true, "allow rule_allow by read, dial x.example"),
            (nil, nil, false, "deny undetermined by no-admin"),
        ] as [(String?, String?, Bool, String)]
    )
    func unknownParts(method: String?, path: String?, fieldsAreKnown: Bool, expected: String) throws {
        let policy = try policy(Self.rules)
        var facts = try request("GET", "/")
        facts.request = RequestFacts(
            method: try method.map { try requestMethod($0) },
            path: try path.map { try CanonicalPath($0) },
            fields: fieldsAreKnown ? RequestFields(of: policy.askedFields, []) : nil
        )
        #expect(policy.decide(facts).summary == expected)
        facts.isFinal = true
        let final = expected.hasPrefix("undetermined") ? "deny undetermined" : expected
        #expect(policy.decide(facts).summary == final)
    }

    @Test("a question that leaves the request out is answered where no rule depends on it")
    func independentRules() throws {
        let policy = try policy(
            """
            { name: d, match: { hosts: [y.example], protocols: [http], http: { methods: [POST] } }, action: deny }
            { name: a, match: { hosts: [x.example] }, action: allow }
            """
        )
        var facts = try facts("x.example", port: 80, speaking: .http)
        facts.isFinal = true
        #expect(policy.decide(facts).summary == "allow rule_allow by a, dial x.example")
        facts.opening = .known(.http, name: try HostName("y.example"))
        #expect(policy.decide(facts).summary == "deny undetermined by d")
    }

    @Test(
        "rules about requests say nothing about another protocol",
        arguments: [ApplicationProtocol.tls, .h2c, .opaque]
    )
    func otherProtocols(spoken: ApplicationProtocol) throws {
        let policy = try policy(Self.rules, default: "allow")
        var facts = try request("GET", "/admin")
        facts.opening = .known(spoken, name: try HostName("x.example"))
        #expect(policy.decide(facts).reason == .defaultAllow)
        #expect(policy.decide(facts).treatment == .tunnel)
    }

    @Test("audit mode lets requests through and says what enforce would do")
    func auditMode() throws {
        let policy = try policy(Self.rules, mode: "audit")
        for (path, reason) in [("/admin", "rule_deny (would deny) by no-admin"), ("//", "ambiguous_path (would deny)")]
        {
            let decision = policy.decide(try request("GET", path, addresses: ["203.0.113.7"]))
            #expect(decision.summary == "allow \(reason), dial original 203.0.113.7:80")
            #expect(decision.treatment == .http)
        }
    }

    @Test("a rule on trial makes no path ambiguous; what it would do is said")
    func ambiguityOnTrial() throws {
        let trial = "{ name: t, match: { protocols: [http], http: { paths: [/z] } }, action: deny, mode: audit }"
        let decision = try policy(trial, default: "allow").decide(request("GET", "/bucket//key"))
        #expect(decision.verdict == .allow && decision.wouldDeny && decision.reason == .ambiguousPath)
        let firm = try policy(trial.replacing(", mode: audit", with: ""), default: "allow")
        #expect(firm.decide(try request("GET", "/bucket//key")).summary == "deny ambiguous_path")
    }

    @Test("a connection of plain HTTP is let in without a rule and dials nothing: its requests are judged")
    func perRequest() throws {
        let decision = Decision.perRequest(port: 80)
        #expect(decision.summary == "allow per_request")
        #expect(decision.treatment == .http)
        for policy in [try policy(""), try policy("", mode: "audit")] {
            let hasPermit = policy.permit(for: decision) != nil
            #expect(!hasPermit)
            var facts = try request("GET", "/admin")
            #expect(policy.stillAllows(decision, facts) == decision)
            facts.isOwnListener = true
            #expect(policy.stillAllows(decision, facts).summary == "deny own_listener")
        }
    }

    @Test(
        "a host that was asked for is compared, what will be spoken to it is open",
        arguments: [
            ("{ name: a, match: { hosts: [x.example] }, action: allow }", "allow rule_allow by a, dial x.example"),
            ("{ name: a, match: { hosts: [y.example] }, action: allow }", "deny default_deny"),
            (
                "{ name: a, match: { protocols: [tls], hosts: [x.example] }, action: allow }",
                "undetermined undetermined"
            ),
            ("{ name: a, match: { protocols: [tls], hosts: [y.example] }, action: allow }", "deny default_deny"),
            ("{ name: d, match: { hosts: [x.example] }, action: deny }", "deny rule_deny by d"),
            (
                """
                { name: d, match: { protocols: [http], http: { paths: [/admin] } }, action: deny }
                { name: a, match: { hosts: [x.example] }, action: allow }
                """, "allow rule_allow by a, dial x.example"
            ),
            (rules, "undetermined undetermined"),
        ]
    )
    func askedHosts(rules: String, expected: String) throws {
        var facts = try facts("x.example", port: 80, to: nil)
        facts.opening = .asked(try HostName("x.example"))
        #expect(try policy(rules).decide(facts).summary == expected)
    }

    @Test("the last question about a host is answered: what a deny could depend on denies")
    func lastQuestion() throws {
        let policy = try policy(
            """
            { name: d, match: { protocols: [http] }, action: deny }
            { name: a, match: { hosts: [x.example] }, action: allow }
            { name: t, match: { hosts: [y.example], protocols: [tls] }, action: allow }
            """
        )
        var facts = try facts(nil, to: nil)
        facts.isFinal = true
        facts.opening = .asked(try HostName("x.example"))
        #expect(policy.decide(facts).summary == "deny undetermined by d")
        let tls = try PolicyEngineTests.policy(
            "{ name: t, match: { hosts: [y.example], protocols: [tls] }, action: allow }"
        )
        facts.opening = .asked(try HostName("y.example"))
        #expect(tls.decide(facts).summary == "deny undetermined")
    }

    @Test("an address that was asked for is the original destination, and matches no host")
    func askedAddress() throws {
        var facts = try facts(nil)
        facts.opening = .asked(nil)
        let hosts = try policy("{ name: a, match: { hosts: [x.example] }, action: allow }")
        #expect(hosts.decide(facts).summary == "deny default_deny")
        let block = try policy("{ name: a, match: { cidrs: [203.0.113.0/24] }, action: allow }")
        #expect(block.decide(facts).summary == "allow rule_allow by a, dial original")
    }
}
