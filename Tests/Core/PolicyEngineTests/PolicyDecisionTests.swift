import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

@Suite struct PolicyDecisionTests {
    static let product = """
        { name: no-paste-sites, match: { hosts: ["*.pastebin.com", pastebin.com] }, action: deny }
        { name: anthropic, match: { hosts: [api.anthropic.com], ports: [443] }, action: allow }
        { name: pinned, match: { hosts: [mcp-proxy.anthropic.com] }, action: tunnel }
        { name: git-over-ssh, match: { cidrs: [203.0.113.0/24], ports: [22] }, action: allow }
        """

    @Test(
        "the policy of the manual judges as the manual says",
        arguments: [
            ("api.anthropic.com", 443, "allow rule_allow by anthropic, dial api.anthropic.com"),
            ("API.Anthropic.COM.", 443, "allow rule_allow by anthropic, dial api.anthropic.com"),
            ("api.anthropic.com", 8443, "deny default_deny"),
            ("x.api.anthropic.com", 443, "deny default_deny"),
            ("mcp-proxy.anthropic.com", 443, "allow rule_allow by pinned, dial mcp-proxy.anthropic.com"),
            ("mcp-proxy.anthropic.com", 80, "allow rule_allow by pinned, dial mcp-proxy.anthropic.com"),
            ("mcp-proxy.anthropic.com", 22, "allow rule_allow by git-over-ssh, dial original"),
            ("pastebin.com", 443, "deny rule_deny by no-paste-sites"),
            ("a.b.pastebin.com", 9999, "deny rule_deny by no-paste-sites"),
            ("notpastebin.com", 443, "deny default_deny"),
            (nil, 443, "deny default_deny"),
            (nil, 22, "allow rule_allow by git-over-ssh, dial original"),
        ] as [(String?, UInt16, String)]
    )
    func judgesTheManual(name: String?, port: UInt16, expected: String) throws {
        #expect(try policy(Self.product).decide(facts(name, port: port)).summary == expected)
    }

    @Test("B15: a matching deny wins wherever it stands", arguments: [true, false])
    func denyWins(denyFirst: Bool) throws {
        let deny = "{ name: d, match: { hosts: ['*.example.com'] }, action: deny }"
        let allow = "{ name: a, match: { hosts: [api.example.com] }, action: allow }"
        let rules = denyFirst ? "\(deny)\n\(allow)" : "\(allow)\n\(deny)"
        #expect(try policy(rules).decide(facts("api.example.com")).summary == "deny rule_deny by d")
    }

    @Test("B15: among rules that allow, the first one decides")
    func firstAllows() throws {
        let rules = """
            { name: any, match: { ports: [443] }, action: allow }
            { name: block, match: { cidrs: [203.0.113.0/24] }, action: tunnel }
            """
        let policy = try policy(rules)
        #expect(policy.decide(try facts("x.example")).summary == "allow rule_allow by any, dial x.example")
        #expect(policy.decide(try facts("x.example", port: 444)).summary == "allow rule_allow by block, dial original")
    }

    @Test(
        "B15: an empty list matches nothing, for an allow and for a deny",
        arguments: ["hosts: []", "cidrs: []", "ports: []", "protocols: []", "workload: { uids: [] }"]
    )
    func emptyMatchesNothing(key: String) throws {
        let allow = try policy("{ name: a, match: { \(key) }, action: allow }")
        let deny = try policy("{ name: d, match: { \(key) }, action: deny }", default: "allow")
        for facts in [try facts("x.example"), try silence(), try facts("x.example", uid: nil)] {
            #expect(allow.decide(facts).summary == "deny default_deny")
            #expect(deny.decide(facts).reason == .defaultAllow)
        }
        guard key != "hosts: []" else { return }
        let beside = try policy("{ name: a, match: { hosts: [x.example], \(key) }, action: allow }")
        #expect(beside.decide(try facts("x.example", addresses: ["203.0.113.1"])).summary == "deny default_deny")
    }

    @Test(
        "B15: all keys of a match must hold",
        arguments: [
            ("x.example", 8443, ApplicationProtocol.tls, 1000, "allow rule_allow by a, dial x.example"),
            ("y.example", 8443, .tls, 1000, "deny default_deny"),
            ("x.example", 8499, .tls, 1000, "allow rule_allow by a, dial x.example"),
            ("x.example", 8500, .tls, 1000, "deny default_deny"),
            ("x.example", 8443, .http, 1000, "deny default_deny"),
            ("x.example", 8443, .tls, 1001, "deny default_deny"),
            ("x.example", 8443, .tls, nil, "deny default_deny"),
        ] as [(String, UInt16, ApplicationProtocol, UInt32?, String)]
    )
    func allKeysHold(name: String, port: UInt16, spoken: ApplicationProtocol, uid: UInt32?, expected: String) throws {
        let policy = try policy(
            "{ name: a, match: { hosts: [x.example], ports: [8443, 8490-8499], protocols: [tls], workload: { uids: [1000] } }, action: allow }"
        )
        #expect(policy.decide(try facts(name, port: port, speaking: spoken, uid: uid)).summary == expected)
    }

    @Test("a deny on users holds for a user that cannot be found out, and says that it is not sure")
    func unknownUserIsDenied() throws {
        let policy = try policy(
            """
            { name: a, match: { hosts: [x.example] }, action: allow }
            { name: root, match: { workload: { uids: [0] } }, action: deny }
            { name: sure, match: { ports: [80] }, action: deny }
            """
        )
        #expect(policy.decide(try facts("x.example", uid: 1000)).verdict == .allow)
        #expect(policy.decide(try facts("x.example", uid: 0)).summary == "deny rule_deny by root")
        #expect(policy.decide(try facts("x.example", uid: nil)).summary == "deny undetermined by root")
        #expect(policy.decide(try facts("x.example", port: 80, uid: nil)).summary == "deny rule_deny by sure")
        #expect(policy.decide(try silence(uid: nil)).summary == "deny undetermined by root")
    }

    @Test("B03: a wildcard is for names below, at any depth, and a name is compared as a whole")
    func wildcards() throws {
        let policy = try policy("{ name: a, match: { hosts: ['*.google.com'] }, action: allow }")
        for name in ["a.google.com", "a.b.google.com", "A.GOOGLE.COM."] {
            #expect(policy.decide(try facts(name)).verdict == .allow, "\(name)")
        }
        for name in ["google.com", "agoogle.com", "google.com.evil.example", "google.co"] {
            #expect(policy.decide(try facts(name)).verdict == .deny, "\(name)")
        }
    }

    @Test("B03: a connection without a name matches no host, in an allow or in a deny")
    func namelessMatchesNoHost() throws {
        let allow = try policy("{ name: a, match: { hosts: [x.example] }, action: allow }")
        let deny = try policy("{ name: d, match: { hosts: [x.example] }, action: deny }", default: "allow")
        #expect(allow.decide(try facts(nil)).summary == "deny default_deny")
        #expect(deny.decide(try facts(nil)).summary == "allow default_allow, dial original")
    }

    @Test("cleartext HTTP/2 has no name, whatever somebody says its name is")
    func h2cHasNoName() throws {
        let allow = try policy("{ name: a, match: { hosts: [x.example] }, action: allow }")
        #expect(allow.decide(try facts("x.example", speaking: .h2c)).summary == "deny default_deny")
        let byPort = try policy("{ name: a, match: { ports: [443] }, action: allow }")
        #expect(byPort.decide(try facts("x.example", speaking: .h2c)).summary == "allow rule_allow by a, dial original")
    }

    @Test(
        "what allowed a connection decides what is dialled",
        arguments: [
            ("hosts: [x.example]", "x.example", "203.0.113.7", "allow rule_allow by a, dial x.example"),
            (
                "hosts: [x.example], cidrs: [198.51.100.0/24]", "x.example", "203.0.113.7",
                "allow rule_allow by a, dial x.example"
            ),
            ("cidrs: [203.0.113.0/24]", "x.example", "203.0.113.7", "allow rule_allow by a, dial original"),
            ("cidrs: [203.0.113.0/24]", "x.example", "203.0.114.7", "deny default_deny"),
            ("cidrs: [203.0.113.0/24]", "x.example", nil, "deny default_deny"),
            ("ports: [443]", "x.example", "203.0.113.7", "allow rule_allow by a, dial x.example"),
            ("ports: [443]", nil, "203.0.113.7", "allow rule_allow by a, dial original"),
            ("ports: [443]", "x.example", nil, "allow rule_allow by a, dial x.example"),
            ("ports: [443]", nil, nil, "deny no_original_destination by a"),
        ] as [(String, String?, String?, String)]
    )
    func dialsWhatAllowed(match: String, name: String?, original: String?, expected: String) throws {
        let policy = try policy("{ name: a, match: { \(match) }, action: allow }")
        #expect(policy.decide(try facts(name, to: original)).summary == expected)
    }

    @Test("the default dials the name, or else the original destination")
    func defaultDials() throws {
        let policy = try policy("", default: "allow")
        #expect(policy.decide(try facts("x.example")).summary == "allow default_allow, dial x.example")
        #expect(policy.decide(try facts(nil)).summary == "allow default_allow, dial original")
        #expect(policy.decide(try facts(nil, to: nil)).summary == "deny no_original_destination")
    }

    @Test("an own listener is refused, whatever the policy says", arguments: ["enforce", "audit"])
    func refusesOwnListeners(mode: String) throws {
        let policy = try policy(
            "{ name: a, match: { cidrs: [127.0.0.0/8] }, action: allow }",
            mode: mode,
            default: "allow"
        )
        var facts = try facts(nil, to: "127.0.0.1")
        facts.isOwnListener = true
        #expect(policy.decide(facts).summary == "deny own_listener")
        #expect(policy.refuse(facts, because: .sniffLimit).summary == "deny own_listener")
        let allowed = policy.decide(try PolicyEngineTests.facts(nil, to: "127.0.0.1"))
        #expect(policy.stillAllows(allowed, facts).summary == "deny own_listener")
    }
}
