import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

@Suite struct AuditModeTests {
    @Test(
        "audit mode lets through to the original destination and records what would be refused",
        arguments: [
            ("x.example", "203.0.113.7", "allow rule_allow by a, dial original"),
            ("y.example", "203.0.113.7", "allow default_deny (would deny), dial original"),
            ("bad.example", "203.0.113.7", "allow rule_deny (would deny) by d, dial original"),
            ("x.example", "10.0.0.1", "allow special_address (would deny) by a, dial original"),
            (nil, "203.0.113.7", "allow default_deny (would deny), dial original"),
            ("x.example", nil, "allow rule_allow by a, dial x.example"),
            (nil, nil, "deny no_original_destination"),
        ] as [(String?, String?, String)]
    )
    func observes(name: String?, original: String?, expected: String) throws {
        let policy = try policy(
            """
            { name: d, match: { hosts: [bad.example] }, action: deny }
            { name: a, match: { hosts: [x.example] }, action: allow }
            """,
            mode: "audit"
        )
        #expect(policy.decide(try facts(name, to: original)).summary == expected)
    }

    @Test("audit mode keeps private addresses, and a permit can be made for them")
    func keepsPrivateAddresses() throws {
        let policy = try policy("{ name: a, match: { hosts: [x.example] }, action: allow }", mode: "audit")
        let decision = policy.decide(try facts("x.example", to: "10.0.0.1", addresses: ["10.0.0.1"]))
        #expect(decision.summary == "allow special_address (would deny) by a, dial original 10.0.0.1:443")
        let isPermitted = policy.permit(for: decision) != nil
        #expect(isPermitted)
    }

    @Test("a name without addresses and without an original destination cannot be dialled in any mode")
    func refusesTheUndiallable() throws {
        let policy = try policy("", mode: "audit")
        #expect(policy.decide(try facts("x.example", to: nil, addresses: [])).summary == "deny unresolvable")
    }
}
