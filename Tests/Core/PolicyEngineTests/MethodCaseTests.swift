import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

/// Many servers take `delete` for DELETE: a deny of one would be got round by the other.
@Suite struct MethodCaseTests {
    static let rules = """
        { name: all, match: { hosts: [x.example], protocols: [http] }, action: allow }
        { name: d, match: { protocols: [http], http: { methods: [DELETE, Purge] } }, action: deny }
        """

    @Test(
        "B10: a method that differs in case alone from one that is registered or named is refused",
        arguments: [
            ("DELETE", "deny rule_deny by d"), ("delete", "deny ambiguous_method"), ("Delete", "deny ambiguous_method"),
            ("dELETE", "deny ambiguous_method"), ("Purge", "deny rule_deny by d"), ("PURGE", "deny ambiguous_method"),
            ("purge", "deny ambiguous_method"), ("get", "deny ambiguous_method"), ("propFind", "deny ambiguous_method"),
            ("version-control", "deny ambiguous_method"), ("GET", "allow rule_allow by all, dial x.example"),
            ("PROPFIND", "allow rule_allow by all, dial x.example"),
            ("brew", "allow rule_allow by all, dial x.example"),
            ("DELETED", "allow rule_allow by all, dial x.example"),
        ]
    )
    func refuses(method: String, expected: String) throws {
        let decision = try policy(Self.rules).decide(request(method, "/"))
        #expect(decision.summary == expected)
    }

    @Test("where no rule asks for methods, their case is no matter; a method that is named as it is written is itself")
    func harmless() throws {
        let open = try policy(
            "{ name: a, match: { hosts: [x.example], protocols: [http], http: { paths: [/] } }, action: allow }"
        )
        #expect(open.decide(try request("delete", "/")).verdict == .allow)
        let named = try policy(
            "{ name: a, match: { hosts: [x.example], protocols: [http], http: { methods: [purge, PURGE] } }, action: allow }"
        )
        #expect(named.decide(try request("purge", "/")).verdict == .allow)
        #expect(named.decide(try request("PURGE", "/")).verdict == .allow)
        #expect(named.decide(try request("Purge", "/")).reason == .ambiguousMethod)
    }

    @Test("a rule on trial refuses no method for its case, and says that it would")
    func onTrial() throws {
        let policy = try policy(
            """
            { name: all, match: { hosts: [x.example], protocols: [http] }, action: allow }
            { name: d, match: { protocols: [http], http: { methods: [DELETE] } }, action: deny, mode: audit }
            """
        )
        let decision = policy.decide(try request("delete", "/"))
        #expect(decision.summary == "allow ambiguous_method (would deny), dial x.example")
        let audited = try PolicyEngineTests.policy(Self.rules, mode: "audit")
        let trial = audited.decide(try request("delete", "/"))
        #expect(trial.summary == "allow ambiguous_method (would deny), dial original")
    }

    @Test("B20: a request under way is cut from the moment when a rule asks for methods")
    func rejudges() throws {
        let facts = try request("delete", "/a", addresses: ["203.0.113.9"])
        let decision = try policy("{ name: all, match: { hosts: [x.example] }, action: allow }").decide(facts)
        #expect(decision.verdict == .allow)
        #expect(try policy(Self.rules).stillAllows(decision, facts).summary == "deny ambiguous_method")
    }

    @Test("inside TLS it is the same where the daemon looks inside, and no matter in a tunnel")
    func insideTLS() throws {
        func rules(_ protocols: String) -> String {
            """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: test
            rules:
              - { name: all, match: { hosts: [x.example] }, action: allow }
              - { name: d, match: { hosts: [x.example], protocols: \(protocols), http: { methods: [DELETE] } }, action: deny }
            """
        }
        var facts = try request("delete", "/")
        facts.opening = .known(.tls, name: try HostName("x.example"))
        facts.port = 443
        let inspecting = try load(rules("[http, tls]"), canIntercept: true).policy
        #expect(inspecting.decide(facts).summary == "deny ambiguous_method")
        #expect(try load(rules("[http]")).policy.decide(facts).verdict == .allow)
    }
}
