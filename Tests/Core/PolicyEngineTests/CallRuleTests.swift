import NetworkTypes
import PolicyEngine
import PolicyReference
import SourceDocuments
import Testing

@Suite struct CallRuleTests {
    private static let http = "hosts: [x.example], protocols: [http]"
    /// A policy that denies one tool and allows its neighbours.
    private static let denying = """
        { name: all, match: { \(http) }, action: allow }
        { name: no-delete, match: { \(http), mcp: { tools: ["delete_*"] } }, action: deny }
        { name: no-sampling, match: { \(http), mcp: { methods: [rpc.response] } }, action: deny }
        """
    /// A policy that allows what it names.
    private static let allowing = """
        { name: reading, match: { \(http), mcp: { methods: [initialize, "notifications/*", tools/call], tools: [read_file] } }, action: allow }
        { name: listing, match: { \(http), mcp: { methods: ["*/list"] } }, action: allow }
        """

    private func facts(_ calls: RequestCalls?) throws -> Facts {
        var facts = try request("POST", "/mcp")
        facts.request?.calls = calls
        return facts
    }

    private func tool(_ name: String) -> AgentCall { AgentCall(method: "tools/call", tool: name) }

    @Test("a decision that depends on calls first asks for the body, and never allows for lack of it")
    func asksForTheBody() throws {
        for rules in [Self.denying, Self.allowing] {
            let policy = try policy(rules)
            let decision = policy.decide(try facts(nil))
            #expect(decision.verdict == .needsBody)
            #expect(decision.dial == nil)
            if let permit = policy.permit(for: decision) { Issue.record("a permit for \(permit.port)") }
            #expect(policy.asksForCalls)
            var last = try facts(nil)
            last.isFinal = true
            #expect(policy.decide(last).verdict == .deny)
            #expect(policy.decide(last).reason == .undetermined)
        }
    }

    @Test("a body is not asked for where nothing depends on it")
    func asksForNoMoreThanItNeeds() throws {
        let elsewhere =
            "{ name: d, match: { hosts: [y.example], protocols: [http], mcp: { tools: [a] } }, action: deny }"
        #expect(try policy(elsewhere, default: "allow").decide(facts(nil)).verdict == .allow)
        let path =
            "{ name: d, match: { protocols: [http], http: { paths: [/other] }, mcp: { tools: [a] } }, action: deny }"
        #expect(try policy(path, default: "allow").decide(facts(nil)).verdict == .allow)
        let nothing = "{ name: d, match: { protocols: [http], mcp: { tools: [a] } }, action: deny }"
        #expect(try policy(nothing).decide(facts(nil)).summary == "deny default_deny")
        let denied = "{ name: n, match: { protocols: [http] }, action: deny }\n" + Self.denying
        #expect(try policy(denied).decide(facts(nil)).summary == "deny rule_deny by n")
        let empty = "{ name: d, match: { protocols: [http], mcp: { tools: [] } }, action: deny }"
        #expect(try policy(empty, default: "allow").decide(facts(nil)).verdict == .allow)
        let behind = """
            { name: all, match: { \(Self.http) }, action: allow }
            { name: some, match: { \(Self.http), mcp: { tools: [a] } }, action: allow }
            """
        #expect(try policy(behind).decide(facts(nil)).summary == "allow rule_allow by all, dial x.example")
    }

    @Test("F07: one tool is denied, and its neighbours are allowed")
    func deniesOneTool() throws {
        let policy = try policy(Self.denying)
        #expect(
            policy.decide(try facts(.calls([tool("read_file")]))).summary == "allow rule_allow by all, dial x.example"
        )
        #expect(policy.decide(try facts(.calls([tool("delete_repo")]))).summary == "deny rule_deny by no-delete")
        #expect(policy.decide(try facts(.calls([AgentCall(method: "tools/list")]))).verdict == .allow)
        #expect(policy.decide(try facts(.calls([]))).verdict == .allow)
        // Case, a letter that looks alike, and an accent make another tool.
        for name in ["Delete_repo", "d\u{0435}lete_repo", "de\u{0301}lete_repo"] {
            #expect(policy.decide(try facts(.calls([tool(name)]))).verdict == .allow)
        }
    }

    @Test("F07: one denied call of a batch denies all of it")
    func deniesBatches() throws {
        let policy = try policy(Self.denying)
        let batch = [tool("read_file"), tool("delete_repo"), tool("list_files")]
        #expect(policy.decide(try facts(.calls(batch))).summary == "deny rule_deny by no-delete")
        #expect(policy.decide(try facts(.calls([batch[0], batch[2]]))).verdict == .allow)
    }

    @Test("F07: sampling is denied by the method of a client's answers")
    func deniesSampling() throws {
        #expect(try policy(Self.denying).decide(facts(.calls([.response]))).summary == "deny rule_deny by no-sampling")
    }

    @Test("what allows calls allows a body of which it allows all, and none without calls")
    func allowsCalls() throws {
        let policy = try policy(Self.allowing)
        let list = AgentCall(method: "tools/list")
        let cases: [([AgentCall], String)] = [
            ([tool("read_file")], "allow rule_allow by reading, dial x.example"),
            ([AgentCall(method: "initialize")], "allow rule_allow by reading, dial x.example"),
            ([AgentCall(method: "notifications/roots/list_changed")], "allow rule_allow by reading, dial x.example"),
            ([list], "allow rule_allow by listing, dial x.example"),
            ([tool("write_file")], "deny default_deny"),
            ([tool("read_file"), tool("write_file")], "deny default_deny"),
            // Neither rule allows both.
            ([tool("read_file"), list], "deny default_deny"),
            ([AgentCall(method: "resources/read")], "deny default_deny"),
            ([.response], "deny default_deny"),
            ([], "deny default_deny"),
        ]
        for (calls, expected) in cases {
            #expect(policy.decide(try facts(.calls(calls))).summary == expected, "\(calls)")
        }
    }

    @Test("F07: what could be read in more than one way is refused where the decision depends on it, and only there")
    func refusesMalformedCalls() throws {
        #expect(try policy(Self.denying).decide(facts(.malformed)).summary == "deny malformed_call by no-delete")
        #expect(try policy(Self.allowing).decide(facts(.malformed)).summary == "deny malformed_call by reading")
        let elsewhere =
            "{ name: d, match: { hosts: [y.example], protocols: [http], mcp: { tools: [a] } }, action: deny }"
        #expect(try policy(elsewhere, default: "allow").decide(facts(.malformed)).verdict == .allow)
    }

    @Test("what nobody can read is refused where the decision depends on it, and passes where the rule is on trial")
    func refusesUnreadableBodies() throws {
        #expect(try policy(Self.denying).decide(facts(.unreadable)).summary == "deny unreadable_content by no-delete")
        #expect(try policy(Self.allowing).decide(facts(.unreadable)).summary == "deny unreadable_content by reading")
        let trial = try policy(
            """
            { name: all, match: { \(Self.http) }, action: allow }
            { name: trial, match: { \(Self.http), mcp: { tools: [a] } }, action: deny, mode: audit }
            """
        )
        let decision = trial.decide(try facts(.unreadable))
        #expect(decision.verdict == .allow && decision.wouldDeny && decision.reason == .unreadableContent)
        #expect(decision.rule?.text == "trial")
    }

    @Test("a deny on trial has the body read, too, and says what it would have done")
    func tries() throws {
        let policy = try policy(
            """
            { name: all, match: { \(Self.http) }, action: allow }
            { name: trial, match: { \(Self.http), mcp: { tools: [a] } }, action: deny, mode: audit }
            """
        )
        #expect(policy.decide(try facts(nil)).verdict == .needsBody)
        let decision = policy.decide(try facts(.calls([tool("a")])))
        #expect(decision.verdict == .allow)
        #expect(decision.wouldDeny)
        #expect(decision.rule?.text == "trial")
        #expect(!policy.decide(try facts(.calls([tool("b")]))).wouldDeny)
    }

    @Test("a deny of an address that asks for calls asks for the body when that address is about to be dialled")
    func asksBeforeDialling() throws {
        let policy = try policy(
            """
            { name: all, match: { \(Self.http) }, action: allow }
            { name: d, match: { cidrs: [198.51.100.0/24], protocols: [http], mcp: { tools: [a] } }, action: deny }
            """
        )
        var facts = try facts(nil)
        #expect(policy.decide(facts).verdict == .allow)
        facts.addresses = [try address("203.0.113.7"), try address("198.51.100.1")]
        #expect(policy.decide(facts).verdict == .needsBody)
        facts.request?.calls = .calls([tool("b")])
        #expect(policy.decide(facts).addresses?.count == 2)
        facts.request?.calls = .calls([tool("a")])
        #expect(policy.decide(facts).addresses?.map(\.description) == ["203.0.113.7:80"])
    }

    @Test("when the policy is replaced, a body that nobody read cannot clear a request, and one that was read can")
    func rejudges() throws {
        let before = try policy("{ name: all, match: { \(Self.http) }, action: allow }")
        var facts = try facts(nil)
        facts.addresses = [try address("203.0.113.7")]
        let decision = before.decide(facts)
        #expect(before.stillAllows(decision, facts).verdict == .allow)
        let after = try policy(Self.denying)
        #expect(after.stillAllows(decision, facts).summary == "deny undetermined by no-delete")
        facts.request?.calls = .calls([tool("read_file")])
        #expect(after.stillAllows(decision, facts).verdict == .allow)
        facts.request?.calls = .calls([tool("delete_repo")])
        #expect(after.stillAllows(decision, facts).summary == "deny rule_deny by no-delete")
    }

    @Test("where requests inside TLS can be read, a rule about calls has the connection looked into")
    func looksIntoTLS() throws {
        let yaml = """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: test
            rules:
              - { name: all, match: { hosts: [x.example] }, action: allow }
              - { name: d, match: { hosts: [x.example], mcp: { tools: [a] } }, action: deny }
            """
        let policy = try load(yaml, canIntercept: true).policy
        var facts = Facts(original: nil, port: 443, opening: .known(.tls, name: try HostName("x.example")))
        #expect(policy.decide(facts).treatment == .intercept)
        facts.request = try request("POST", "/").request
        #expect(policy.decide(facts).verdict == .needsBody)
        facts.request?.calls = .calls([tool("a")])
        #expect(policy.decide(facts).summary == "deny rule_deny by d")
        facts.request?.calls = .calls([tool("b")])
        #expect(policy.decide(facts).treatment == .intercept)
    }

    @Test(
        "a mistake in `mcp` is named with its place and a remedy",
        arguments: [
            (
                "mcp: {}",
                "5:52: `mcp` is an empty mapping, which would match every call; name `tools` or `methods`, or remove it"
            ),
            ("mcp: { tool: [a] }", "5:54: unknown key `tool`; did you mean `tools`?"),
            (
                "mcp: { tools: a }",
                "5:61: `tools` is a string, expected a list of tools; put it in brackets, as a list of one"
            ),
            (
                "mcp: { methods: [Tools/Call] }",
                "5:64: item 1 of `methods` is `Tools/Call`, which no client says: case counts; write tools/call"
            ),
            (
                "mcp: { methods: [tools/list], tools: [a] }",
                "5:77: `tools` is about `tools/call`, which `methods` does not name; add `tools/call` to `methods`, or leave out one of the two"
            ),
            (
                "mcp: { tools: ['r\u{e9}sum\u{e9}'] }",
                "5:62: item 1 of `tools`, `r\u{e9}sum\u{e9}`, is no name that could be called; write at most 256 characters of printable ASCII; `*` stands for any characters, and at most 16 of them in one name"
            ),
            (
                "mcp: { tools: ['a**b'] }",
                "5:62: item 1 of `tools`, `a**b`, is no name that could be called; write at most 256 characters of printable ASCII; `*` stands for any characters, and at most 16 of them in one name"
            ),
        ]
    )
    func namesMistakes(key: String, expected: String) {
        #expect(complaint("match: { protocols: [http], \(key) }, action: deny") == expected)
    }

    @Test("`mcp` needs what can be read, and stands under `match`")
    func namesContradictions() {
        #expect(
            complaint("match: { hosts: [x.example], mcp: { tools: [a] } }, action: deny")
                == "5:48: `mcp` could meet TLS here, and to look inside needs interception, which is not configured; say `protocols: [http]`"
        )
        #expect(
            complaint("match: { hosts: [x.example], mcp: { tools: [a] } }, action: tunnel", canIntercept: true)
                == "5:79: `tunnel` never looks inside TLS, and `mcp` asks what is inside; write `allow`, or leave out `mcp`"
        )
        #expect(
            complaint("match: { protocols: [opaque], mcp: { tools: [a] } }, action: deny", canIntercept: true)
                == "5:49: `mcp` cannot look into `opaque`; name `tls` and `http` alone under `protocols`"
        )
        #expect(
            complaint("match: { ports: [1] }, mcp: { tools: [a] }, action: deny")
                == "5:42: `mcp` does not belong here; write it under `match`"
        )
    }

    @Test("a rule that another one hides is warned of, by the names of its calls")
    func warnsOfHiddenRules() throws {
        let hidden = """
            { name: wide, match: { \(Self.http), mcp: { tools: ["delete_*"] } }, action: deny }
            { name: narrow, match: { \(Self.http), mcp: { tools: [delete_repo] } }, action: deny }
            """
        let other = hidden.replacing("tools: [delete_repo]", with: "methods: [tools/call]")
        #expect(try warnings(hidden).count == 1)
        #expect(try warnings(other).isEmpty)
    }

    private func warnings(_ rules: String) throws -> [SourceProblem] {
        let lines = rules.split(separator: "\n").map { "  - \($0)\n" }.joined()
        let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\ndefault: allow\nrules:\n"
        return try load(head + lines).warnings
    }

    private func complaint(_ rule: String, canIntercept: Bool = false) -> String {
        let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\nrules:\n"
        do throws(SourceProblems) {
            _ = try load(head + "  - { name: rule, \(rule) }", canIntercept: canIntercept)
            return ""
        } catch {
            return error.problems.map { String($0.description.dropFirst("p.yaml:".count)) }.joined(separator: "\n")
        }
    }
}
