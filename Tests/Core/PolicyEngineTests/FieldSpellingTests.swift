import PolicyEngine
import PolicyReference
import Testing

/// Servers after CGI take `X_Tenant` for `X-Tenant`: what a rule says of one would be got round by the other.
@Suite struct FieldSpellingTests {
    static let rules = """
        { name: all, match: { hosts: [x.example], protocols: [http] }, action: allow }
        { name: d, match: { protocols: [http], http: { headers: { X-Method-Override: present, under_score: present } } }, action: deny }
        """

    @Test(
        "B10: a field that differs from one that a rule names in what CGI does not tell apart looks like it",
        arguments: [
            ("X_Method_Override", true), ("x-method_override", true), ("X.Method~Override", true),
            ("Under-Score", true),
            ("x-method-override", false), ("X-Method-Override", false), ("under_score", false),
            ("X-Method-Overrid_", false),
            ("XX_Method_Override", false), ("Content_Type", false),
        ]
    )
    func looksAlike(name: String, expected: Bool) throws {
        let spellings = try #require(try policy(Self.rules).fieldSpellings)
        #expect(spellings.isLookalike(Array(name.utf8).span) == expected)
    }

    @Test("what changes a header, puts a secret in, or asks for calls names fields, too; other rules name none")
    func named() throws {
        func looksAlike(_ terms: String, _ name: String) throws -> Bool {
            let policy = try policy("{ name: a, match: { hosts: [x.example], protocols: [http] }, \(terms) }")
            return policy.fieldSpellings?.isLookalike(Array(name.utf8).span) ?? false
        }
        #expect(try looksAlike("action: allow, headers: { set: { X-Team: a } }", "x_team"))
        #expect(try looksAlike("action: allow, headers: { remove: [X-Team] }", "X_TEAM"))
        #expect(try !looksAlike("action: allow", "x_team"))
        #expect(try looksAlike("action: allow, limits: { request_bytes: 1MiB }", "Content_Encoding"))
        #expect(try !looksAlike("action: allow, limits: { response_bytes: 1MiB }", "Content_Encoding"))
        let calls = try policy(
            "{ name: a, match: { hosts: [x.example], protocols: [http], mcp: { tools: [t] } }, action: deny }"
        )
        for name in ["Content_Type", "content_encoding", "Mcp_Method"] {
            #expect(calls.fieldSpellings?.isLookalike(Array(name.utf8).span) == true)
        }
    }

    @Test("such a request is refused, unless the rule is on trial, which says that it would")
    func refuses() throws {
        func decide(_ policy: Policy) throws -> String {
            var facts = try request("GET", "/")
            facts.request?.fields = RequestFields(of: policy.askedFields, [], lookalikes: ["x_method_override"])
            return policy.decide(facts).summary
        }
        #expect(try decide(try policy(Self.rules)) == "deny ambiguous_field")
        let trial = Self.rules.replacing("action: deny", with: "action: deny, mode: audit")
        #expect(try decide(try policy(trial)) == "allow ambiguous_field (would deny), dial x.example")
        let audited = try policy(Self.rules, mode: "audit")
        #expect(try decide(audited) == "allow ambiguous_field (would deny), dial original")
    }
}
