import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

@Suite struct SilentOpeningTests {
    @Test(
        "a silent connection is allowed by what needs no name, and otherwise waits where a name could help",
        arguments: [
            ("{ name: a, match: { cidrs: [203.0.113.0/24] }, action: allow }", "allow rule_allow by a, dial original"),
            ("{ name: a, match: { hosts: [x.example] }, action: allow }", "undetermined undetermined"),
            ("{ name: a, match: { protocols: [tls] }, action: allow }", "undetermined undetermined"),
            (
                "{ name: a, match: { protocols: [tls, http, h2c, opaque] }, action: allow }",
                "allow rule_allow by a, dial original"
            ),
            ("{ name: a, match: { hosts: [x.example], ports: [22] }, action: allow }", "deny default_deny"),
            ("{ name: d, match: { cidrs: [203.0.113.7] }, action: deny }", "deny rule_deny by d"),
            (
                """
                { name: d, match: { hosts: [x.example] }, action: deny }
                { name: a, match: { ports: [443] }, action: allow }
                """, "allow rule_allow by a, dial original"
            ),
            (
                """
                { name: n, match: { hosts: [x.example] }, action: allow }
                { name: a, match: { ports: [443] }, action: allow }
                """, "allow rule_allow by a, dial original"
            ),
            ("", "deny default_deny"),
        ]
    )
    func judgesSilence(rules: String, expected: String) throws {
        #expect(try policy(rules).decide(silence()).summary == expected)
    }

    @Test("a silent connection that the default allows need not wait")
    func defaultAllowsSilence() throws {
        let policy = try policy("{ name: n, match: { hosts: [x.example] }, action: allow }", default: "allow")
        #expect(policy.decide(try silence()).summary == "allow default_allow, dial original")
    }

    @Test(
        "C04: where the guard refuses a silent connection, a rule in front that may yet name the address is waited for"
    )
    func waitsForTheRuleInFront() throws {
        let database =
            "{ name: db, match: { hosts: [db.internal.example], cidrs: [10.0.0.0/8], ports: [443] }, action: allow }"
        let web = "{ name: web, match: { ports: [443] }, action: allow }"
        let inFront = try policy("\(database)\n\(web)")
        #expect(inFront.decide(try silence(to: "10.1.2.3")).summary == "undetermined undetermined")
        let behind = try policy("\(web)\n\(database)")
        #expect(behind.decide(try silence(to: "10.1.2.3")).summary == "deny special_address by web")
    }

    @Test("the end of waiting refuses with its reason, and in audit mode only says so")
    func endsWaiting() throws {
        let rule = "{ name: a, match: { hosts: [x.example] }, action: allow }"
        let enforced = try policy(rule)
        #expect(enforced.refuse(try silence(), because: .sniffLimit).summary == "deny sniff_limit")
        let observed = try policy(rule, mode: "audit")
        #expect(observed.decide(try silence()).verdict == .undetermined)
        #expect(
            observed.refuse(try silence(), because: .sniffLimit).summary
                == "allow sniff_limit (would deny), dial original"
        )
    }

    @Test("what is said late is judged: a deny cuts, and the rule that allowed goes on")
    func judgesLateWords() throws {
        let policy = try policy(
            """
            { name: d, match: { hosts: [bad.example] }, action: deny }
            { name: h, match: { hosts: [good.example] }, action: allow }
            { name: a, match: { ports: [443] }, action: allow }
            """
        )
        let silent = try silence(addresses: ["203.0.113.7"])
        let decision = policy.decide(silent)
        #expect(decision.summary == "allow rule_allow by a, dial original 203.0.113.7:443")
        let late = { (name: String?) in try facts(name, addresses: ["203.0.113.7"]) }
        #expect(policy.stillAllows(decision, try late("bad.example")).summary == "deny rule_deny by d")
        #expect(policy.stillAllows(decision, try late("good.example")) == decision)
        #expect(policy.stillAllows(decision, try late("other.example")) == decision)
        #expect(policy.stillAllows(decision, try late(nil)) == decision)
        #expect(policy.stillAllows(decision, silent) == decision)
    }
}
