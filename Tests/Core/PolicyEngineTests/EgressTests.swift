import NetworkTypes
import PolicyEngine
import SourceDocuments
import Testing

@Suite("Ways out")
struct EgressTests {
    private static let known: [String: EgressKind] = [
        "corporate": .there, "local": .here, "second": .here, "nowhere": .nowhere,
    ]

    private func load(
        _ rules: String,
        top: String = "",
        knowing ways: [String: EgressKind]? = known
    ) throws(SourceProblems) -> Policy {
        let lines = rules.split(separator: "\n").map { "  - \($0)\n" }.joined()
        let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\n\(top)"
        let text = head + "rules:\(lines.isEmpty ? " []" : "\n" + lines)\n"
        var egress: [EgressName: EgressKind]?
        if let ways {
            egress = [:]
            for (name, kind) in ways { if let name = EgressName(name) { egress?[name] = kind } }
        }
        return try Policy.load(readPolicyText(text), hash: "sha256:test", egress: egress).policy
    }

    private func problems(_ rules: String, top: String = "", knowing ways: [String: EgressKind]? = known) -> String {
        do throws(SourceProblems) {
            _ = try load(rules, top: top, knowing: ways)
            return ""
        } catch {
            return error.problems.map(\.description).joined(separator: "\n")
        }
    }

    private struct NoPermit: Error {}

    /// Makes the permit of a decision, and hands it to `body`.
    private func permit<Result>(
        _ policy: Policy,
        _ decision: Decision,
        _ body: (consuming Permit) throws -> Result
    ) throws -> Result {
        guard let permit = policy.permit(for: decision) else { throw NoPermit() }
        return try body(permit)
    }

    private static func rule(_ egress: String, _ more: String = "hosts: [x.example]") -> String {
        "{ name: a, match: { \(more) }, action: allow, egress: \(egress) }"
    }

    @Test(
        "what cannot be meant does not load, and the message says what to write",
        arguments: [
            (rule("corporat"), "", "no way out `corporat`; did you mean `corporate`?"),
            (rule("tor"), "", "name one of `direct`, `corporate`, `local`, `nowhere`, `second`"),
            (rule("[corporate, Direct]"), "", "is no name of a way out"),
            (rule("[corporate, corporate]"), "", "`corporate` is in `egress` already"),
            (rule("[]"), "", "`egress` is empty"),
            (rule("[second, nowhere]"), "", "`nowhere` is a blackhole"),
            (rule("{ a: b }"), "", "`egress` is a mapping"),
            ("{ name: a, match: { hosts: [x.example] }, action: deny, egress: corporate }", "", "this one denies"),
            (rule("corporate", "hosts: [x.example], cidrs: [10.0.0.0/8]"), "", "looks these up where nobody sees"),
            (rule("[second, corporate]") + "\n" + deny, "", "the deny `d` is about addresses"),
            (
                "{ name: a, match: { hosts: [x.example] }, action: allow }\n" + deny, "egress: corporate\n",
                "rule `a` at"
            ),
            (deny, "default: allow\negress: corporate\n", "`default: allow` goes out"),
            ("", "egress: missing\n", "no way out `missing`"),
        ]
    )
    func mistakes(rules: String, top: String, expected: String) {
        #expect(problems(rules, top: top).contains(expected), "\(problems(rules, top: top))")
    }

    private static let deny = "{ name: d, match: { cidrs: [198.51.100.0/24] }, action: deny }"

    @Test(
        "what no rule about addresses stands against loads",
        arguments: [
            (rule("local", "hosts: [x.example], cidrs: [10.0.0.0/8]") + "\n" + deny, ""),
            (rule("corporate", "cidrs: [10.0.0.0/8], ports: [22]") + "\n" + deny, ""),
            (rule("corporate") + "\n{ name: d, match: { cidrs: [198.51.100.0/24], ports: [22] }, action: deny }", ""),
            (
                rule("corporate")
                    + "\n{ name: d, match: { cidrs: [198.51.100.0/24], hosts: [y.example] }, action: deny }", ""
            ),
            (rule("direct") + "\n" + deny, "egress: corporate\n"),
            (rule("nowhere") + "\n" + deny, ""),
        ]
    )
    func soundPolicies(rules: String, top: String) { #expect(problems(rules, top: top).isEmpty) }

    @Test("where nobody knows the ways, every name is taken")
    func unknownConfiguration() throws {
        let policy = try load(Self.rule("[anything, direct]"), knowing: nil)
        let decision = policy.decide(try facts("x.example"))
        #expect(decision.egress.texts == ["anything", "direct"])
    }

    @Test("a decision names the rule's ways, else the policy's, and none for direct alone")
    func chosenWays() throws {
        let rules = """
            { name: a, match: { hosts: [a.example] }, action: allow, egress: [second, direct] }
            { name: b, match: { hosts: [b.example] }, action: tunnel, egress: direct }
            { name: c, match: { hosts: [c.example] }, action: allow }
            """
        let policy = try load(rules, top: "egress: local\n")
        func ways(_ name: String) throws -> [String] {
            policy.decide(try facts(name, addresses: ["203.0.113.9"])).egress.texts
        }
        #expect(try ways("a.example") == ["second", "direct"])
        #expect(try ways("b.example") == [])
        #expect(try ways("c.example") == ["local"])
        #expect(try ways("d.example") == [])
        let without = try load("{ name: c, match: { hosts: [c.example] }, action: allow }")
        #expect(without.decide(try facts("c.example", addresses: ["203.0.113.9"])).egress.isEmpty)
    }

    @Test("a proxy that looks names up is permitted the name, and no address; never localhost")
    func unseenAddresses() throws {
        let policy = try load(Self.rule("corporate", "hosts: [x.example, localhost, y.localhost]"))
        // An address that somebody found all the same changes nothing.
        for addresses in [nil, ["10.0.0.7"], []] {
            let decision = policy.decide(try facts("x.example", addresses: addresses))
            #expect(decision.verdict == .allow)
            #expect(!decision.needsAddresses)
            #expect(decision.addresses == nil)
            let told = try permit(policy, decision) { ($0.name, $0.addresses) }
            #expect(told.0?.text == "x.example")
            #expect(told.1.isEmpty)
        }
        for name in ["localhost", "y.localhost"] {
            #expect(policy.decide(try facts(name)).reason == .specialAddress)
        }
    }

    @Test("a deny with addresses that was not there at the start is not got round by a proxy that looks names up")
    func unseenDeny() throws {
        // A policy that was not read from text has not been looked through.
        let corporate = Egress(try #require(EgressName("corporate")), .there)
        let loaded = try load(Self.rule("corporate"))
        let denying = try load(Self.deny)
        let policy = Policy(
            name: "made",
            mode: .enforce,
            defaultAction: .deny,
            hash: "sha256:made",
            rules: loaded.rules + denying.rules
        )
        #expect(loaded.rules[0].terms.egress == [corporate])
        let decision = policy.decide(try facts("x.example"))
        #expect(decision.verdict == .deny)
        #expect(decision.reason == .deniedAddress)
        #expect(decision.rule?.text == "d")
    }

    @Test("the special-address guard stands for what is named to a proxy by address")
    func guardedAddresses() throws {
        let policy = try load(Self.rule("local"))
        #expect(policy.decide(try facts("x.example", addresses: ["10.0.0.7"])).reason == .specialAddress)
        #expect(policy.decide(try facts("x.example", addresses: ["203.0.113.9"])).verdict == .allow)
        let remote = try load(Self.rule("corporate"))
        #expect(remote.decide(try facts("x.example", to: "169.254.169.254")).reason == .specialAddress)
    }

    @Test("a rule of blocks alone goes to the original address, by a proxy too")
    func originalDestination() throws {
        let policy = try load(Self.rule("corporate", "cidrs: [203.0.113.0/24], ports: [22]"))
        var asked = try facts(nil, port: 22, speaking: .opaque)
        let early = try? permit(policy, policy.decide(asked)) { $0.port }
        #expect(early == nil)
        asked.addresses = ["203.0.113.7"].compactMap { IPAddress($0) }
        let told = try permit(policy, policy.decide(asked)) { ($0.name, $0.addresses.map(\.description)) }
        #expect(told.0 == nil)
        #expect(told.1 == ["203.0.113.7:22"])
    }

    @Test("with direct behind a proxy, a name without an address here is left to the proxy alone")
    func mixedWays() throws {
        let policy = try load(Self.rule("[corporate, direct]"))
        let known = policy.decide(try facts("x.example", addresses: ["203.0.113.9"]))
        #expect(known.needsAddresses)
        #expect(known.egress.texts == ["corporate", "direct"])
        let unknown = policy.decide(try facts("x.example", addresses: []))
        #expect(unknown.verdict == .allow)
        #expect(unknown.egress.texts == ["corporate"])
        // What is known here to be private is dialled by nobody.
        #expect(policy.decide(try facts("x.example", addresses: ["10.0.0.7"])).reason == .specialAddress)
    }

    @Test("a blackhole permits no address")
    func blackhole() throws {
        let policy = try load(Self.rule("nowhere"))
        let decision = policy.decide(try facts("x.example", addresses: ["203.0.113.9"]))
        #expect(decision.verdict == .allow)
        let told = try permit(policy, decision) { ($0.addresses, $0.egress.texts) }
        #expect(told.0.isEmpty)
        #expect(told.1 == ["nowhere"])
    }

    @Test("an open connection serves another request only by the same way")
    func reuse() throws {
        let corporate = try #require(EgressName("corporate"))
        let second = try #require(EgressName("second"))
        let address = UpstreamAddress(SocketAddress(try address("203.0.113.9"), port: 443))
        let remote = try load(Self.rule("corporate"))
        let name = try HostName("x.example")
        let other = try HostName("y.example")
        let unseen = remote.decide(try facts("x.example"))
        #expect(try permit(remote, unseen) { $0.covers(nil, dialledFor: name, by: corporate) })
        #expect(try !permit(remote, unseen) { $0.covers(address, dialledFor: name, by: corporate) })
        #expect(try !permit(remote, unseen) { $0.covers(nil, dialledFor: name) })
        #expect(try !permit(remote, unseen) { $0.covers(nil, dialledFor: other, by: corporate) })
        let here = try load(Self.rule("second"))
        let seen = here.decide(try facts("x.example", addresses: ["203.0.113.9"]))
        #expect(try permit(here, seen) { $0.covers(address, dialledFor: name, by: second) })
        #expect(try !permit(here, seen) { $0.covers(address, dialledFor: name) })
    }

    @Test("an errand is permitted to the proxies of permitted ways, and to nobody else")
    func errands() throws {
        let policy = try load(Self.rule("corporate"))
        let decision = policy.decide(try facts("x.example"))
        let proxy = UpstreamAddress(SocketAddress(try address("10.0.0.1"), port: 3128))
        let corporate = try #require(EgressName("corporate"))
        func errand(by way: EgressName, to addresses: [UpstreamAddress]) throws -> [UpstreamAddress]? {
            try permit(policy, decision) { permit in
                guard let errand = permit.errand(by: way, to: addresses) else { return nil }
                return errand.addresses
            }
        }
        #expect(try errand(by: corporate, to: [proxy]) == [proxy])
        #expect(try errand(by: corporate, to: []) == nil)
        #expect(try errand(by: .direct, to: [proxy]) == nil)
    }

    @Test("a new policy that states other ways ends what went by the old one")
    func replacement() throws {
        let asked = try facts("x.example", addresses: ["203.0.113.9"])
        let before = try load(Self.rule("[second, direct]"))
        let decision = before.decide(asked)
        func verdict(_ egress: String) throws -> Reason {
            try load(Self.rule(egress)).stillAllows(decision, asked).reason
        }
        #expect(try verdict("[direct, second]") == .ruleAllow)
        #expect(try verdict("second") == .policyChanged)
        #expect(try verdict("direct") == .policyChanged)
        let plain = try load("{ name: a, match: { hosts: [x.example] }, action: allow }")
        #expect(plain.stillAllows(decision, asked).reason == .policyChanged)
        #expect(plain.stillAllows(plain.decide(asked), asked).reason == .ruleAllow)
    }

    @Test("mode: audit goes out by the ways of the rule that allows, or else by the policy's")
    func auditMode() throws {
        let policy = try load(Self.rule("corporate"), top: "mode: audit\negress: second\n")
        #expect(policy.decide(try facts("x.example")).egress.texts == ["corporate"])
        let denied = policy.decide(try facts("other.example", addresses: ["203.0.113.9"]))
        #expect(denied.wouldDeny)
        #expect(denied.egress.texts == ["second"])
    }
}
