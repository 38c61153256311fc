import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

@Suite struct PolicyReplacementTests {
    static let before = """
        { name: web, match: { hosts: [x.example] }, action: allow }
        { name: ssh, match: { cidrs: [203.0.113.0/24], ports: [22] }, action: allow }
        """

    @Test(
        "a live connection goes on only while the rule that allowed it still does",
        arguments: [
            (before, "allow rule_allow by web, dial x.example 203.0.113.9:443"),
            (
                "{ name: other, match: { ports: [443] }, action: allow }\n" + before,
                "allow rule_allow by web, dial x.example 203.0.113.9:443"
            ),
            (
                "{ name: web, match: { hosts: [x.example, y.example] }, action: tunnel }",
                "allow rule_allow by web, dial x.example 203.0.113.9:443"
            ),
            ("{ name: other, match: { hosts: [x.example] }, action: allow }", "deny policy_changed by web"),
            ("{ name: web, match: { hosts: [y.example] }, action: allow }", "deny policy_changed by web"),
            ("{ name: web, match: { cidrs: [203.0.113.7] }, action: allow }", "deny policy_changed by web"),
            ("{ name: web, match: { hosts: [x.example] }, action: deny }", "deny rule_deny by web"),
            ("{ name: d, match: { cidrs: [203.0.113.7] }, action: deny }\n" + before, "deny rule_deny by d"),
            ("{ name: d, match: { cidrs: [203.0.113.9] }, action: deny }\n" + before, "deny denied_address by d"),
            (
                "{ name: web, match: { hosts: [x.example], cidrs: [203.0.113.1] }, action: allow }",
                "deny outside_cidrs by web"
            ),
        ]
    )
    func rejudges(rules: String, expected: String) throws {
        let facts = try facts("x.example", addresses: ["203.0.113.9"])
        let decision = try policy(Self.before).decide(facts)
        #expect(try policy(rules).stillAllows(decision, facts).summary == expected)
    }

    @Test("every address that was dialled must still pass, not just one")
    func rejudgesEveryAddress() throws {
        let facts = try facts("x.example", addresses: ["203.0.113.1", "203.0.113.9"])
        let decision = try policy(Self.before).decide(facts)
        let after = try policy("{ name: d, match: { cidrs: [203.0.113.9] }, action: deny }\n" + Self.before)
        #expect(after.decide(facts).verdict == .allow)
        #expect(after.stillAllows(decision, facts).summary == "deny denied_address by d")
    }

    @Test("what the default allowed goes on while it is the default")
    func rejudgesTheDefault() throws {
        let facts = try facts(nil, addresses: ["203.0.113.7"])
        let decision = try policy("", default: "allow").decide(facts)
        #expect(try policy(Self.before, default: "allow").stillAllows(decision, facts) == decision)
        #expect(try policy(Self.before).stillAllows(decision, facts).summary == "deny policy_changed")
    }

    @Test("what audit mode let through ends when the policy is enforced, and goes on while it is not")
    func endsWhatAuditLetThrough() throws {
        let facts = try facts("y.example", addresses: ["203.0.113.7"])
        let decision = try policy(Self.before, mode: "audit").decide(facts)
        #expect(decision.wouldDeny)
        #expect(try policy(Self.before, mode: "audit").stillAllows(decision, facts) == decision)
        #expect(try policy(Self.before).stillAllows(decision, facts).summary == "deny policy_changed")
        let bound = try PolicyEngineTests.facts("x.example", addresses: ["203.0.113.7"])
        let unbound = try policy(Self.before, mode: "audit").decide(bound)
        #expect(unbound.summary == "allow rule_allow by web, dial original 203.0.113.7:443")
        // Its address was never shown to be the name's.
        #expect(try policy(Self.before).stillAllows(unbound, bound).summary == "deny policy_changed by web")
    }

    @Test("a refusal stays one")
    func refusalsStay() throws {
        let facts = try facts("y.example")
        let decision = try policy(Self.before).decide(facts)
        #expect(try policy("", default: "allow").stillAllows(decision, facts).verdict == .deny)
    }
}
