import Foundation
import NetworkTypes
import PolicyEngine
import SourceDocuments
import Testing

private let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\nrules:\n"

private let openai = """
      - name: openai
        match:
          hosts: [api.openai.com]
          ports: [443]
          protocols: [tls]
          http: { methods: [POST], paths: ["/v1/*"] }
        action: allow
        headers: { set: { X-Team: research }, remove: [Cookie] }
        credentials: [{ placeholder: PENSTOCK-OPENAI, secret: openai, header: Authorization }]

    """

@Suite("Rules that change requests")
struct HeadChangesTests {
    private func messages(_ rules: String, canIntercept: Bool = true, secrets: [SecretName: SecretScope]? = nil) throws
        -> [String]
    {
        do throws(SourceProblems) {
            _ = try Policy.load(readPolicyText(head + rules), hash: "h", canIntercept: canIntercept, secrets: secrets)
            return []
        } catch {
            return error.problems.map(\.message)
        }
    }

    private func policy(_ rules: String = openai) throws -> Policy { try load(head + rules, canIntercept: true).policy }

    private func asking(
        _ policy: Policy,
        host: String = "api.openai.com",
        port: UInt16 = 443,
        _ path: String = "/v1/chat",
        speaking spoken: ApplicationProtocol = .tls
    ) throws -> (decision: Decision, changes: HeadChanges?) {
        var facts = try request("POST", path)
        facts.opening = .known(spoken, name: try HostName(host))
        facts.port = port
        facts.addresses = [try address("203.0.113.7")]
        let decision = policy.decide(facts)
        return (decision, policy.headChanges(for: decision, facts))
    }

    @Test("F04: a credential is for the scheme, host, port and path that its rule names, and for nothing else")
    func scope() throws {
        let policy = try policy()
        let (decision, found) = try asking(policy)
        #expect(decision.treatment == .intercept)
        let changes = try #require(found)
        #expect(changes.credentials.map(\.secret.text) == ["openai"])
        #expect(changes.headers.set.map(\.value) == ["research"])
        #expect(changes.headers.remove.map(\.canonical) == ["cookie"])
        let others = [
            try asking(policy, host: "www.openai.com"), try asking(policy, port: 8443), try asking(policy, "/v2/chat"),
            try asking(policy, speaking: .http),
        ]
        for other in others {
            #expect(other.decision.verdict == .deny)
            #expect(other.changes == nil)
        }
    }

    @Test("B17: the same name over plain HTTP gets no credential, whichever rule lets it through")
    func scheme() throws {
        let plain =
            "  - { name: plain, match: { hosts: [api.openai.com], ports: [443, 80], protocols: [http] }, action: allow }\n"
        let policy = try policy(plain + openai)
        for port: UInt16 in [80, 443] {
            let (decision, changes) = try asking(policy, port: port, speaking: .http)
            #expect(decision.verdict == .allow)
            #expect(changes == nil)
        }
    }

    @Test(
        "B17: a rule for credentials that could meet plain HTTP does not load",
        arguments: ["[http]", "[tls, http]", nil]
    )
    func plainHTTP(protocols: String?) throws {
        let line = protocols.map { "protocols: \($0)" } ?? "sni: present"
        let said = try messages(openai.replacing("protocols: [tls]", with: line))
        #expect(said.contains("`credentials` must never go over plain HTTP"))
    }

    @Test(
        "F04: a rule for credentials names whole hosts, ports and paths",
        arguments: [
            (
                "hosts: [api.openai.com]", "hosts: [\"*.openai.com\"]",
                "`credentials` needs `hosts` that are whole names"
            ),
            ("hosts: [api.openai.com]", "cidrs: [203.0.113.0/24]", "`credentials` needs `hosts` that are whole names"),
            ("      ports: [443]\n", "", "`credentials` needs `ports`"),
            (", paths: [\"/v1/*\"]", "", "`credentials` needs `paths` under `http`"),
        ]
    )
    func bounds(part: String, instead: String, message: String) throws {
        #expect(openai.contains(part))
        #expect(try messages(openai.replacing(part, with: instead)) == [message])
    }

    @Test("the secret has to be configured, where that is known")
    func configured() throws {
        let name = try #require(SecretName("openai"))
        #expect(try messages(openai).isEmpty)
        #expect(try messages(openai, secrets: [name: SecretScope()]).isEmpty)
        #expect(try messages(openai, secrets: [:]) == ["the configuration has no secret `openai`"])
    }

    @Test("F04: a secret goes only to the hosts that the operator names for it, whatever a policy says")
    func operatorsHosts() throws {
        let name = try #require(SecretName("openai"))
        let own = SecretScope(hosts: [try HostName("api.openai.com")])
        #expect(try messages(openai, secrets: [name: own]).isEmpty)
        let message =
            "`credentials` would send the secret `openai` to evil.example, and the configuration does not let it go there"
        let rules = openai.replacing("[api.openai.com]", with: "[api.openai.com, evil.example]")
        #expect(try messages(rules, secrets: [name: own]) == [message])
        #expect(try messages(openai, secrets: [name: SecretScope(hosts: [])]).count == 1)
    }

    @Test("TLS that a rule changes requests in is looked into, even where it asks for none of them")
    func lookingInside() throws {
        let rules = "  - { name: team, match: { hosts: [a.example] }, action: allow, headers: { remove: [Cookie] } }\n"
        let policy = try policy(rules)
        let opening = policy.decide(try facts("a.example"))
        #expect(opening.treatment == .intercept)
        #expect(opening.reason == .perRequest)
        let plain = try asking(policy, host: "a.example", port: 80, speaking: .http)
        #expect(plain.changes?.headers.remove.count == 1)
        let ssh = policy.decide(try facts("a.example", speaking: .opaque))
        #expect(ssh.verdict == .deny)
    }

    @Test("what is let through although it would be denied goes as it came")
    func onTrial() throws {
        let deny = "  - { name: no, match: { hosts: [api.openai.com] }, action: deny, mode: audit }\n"
        let policy = try policy(openai + deny)
        let (decision, changes) = try asking(policy)
        #expect(decision.verdict == .allow && decision.wouldDeny)
        #expect(changes == nil)
    }

    @Test("F04: a decision of another policy, whose rule of that name is for another host, gets no credential")
    func replaced() throws {
        var facts = try request("POST", "/v1/chat")
        facts.opening = .known(.tls, name: try HostName("api.openai.com"))
        facts.port = 443
        facts.addresses = [try address("203.0.113.7")]
        let decision = try policy().decide(facts)
        let other = try policy(openai.replacing("api.openai.com", with: "api.elsewhere.example"))
        #expect(other.headChanges(for: decision, facts) == nil)
        #expect(try policy().headChanges(for: decision, facts) != nil)
    }

    @Test("the credentials of docs/policy.md load where TLS can be looked into")
    func documented() throws {
        let page = URL(filePath: #filePath).appending(path: "../../../../docs/policy.md").standardized
        let text = try String(contentsOf: page, encoding: .utf8)
        let blocks = text.split(separator: "```yaml\n").compactMap { $0.split(separator: "\n```").first }
        let block = try #require(blocks.first { $0.contains("credentials:") && $0.hasPrefix("rules:") })
        let (policy, warnings) = try load(head.replacing("rules:\n", with: "") + block + "\n", canIntercept: true)
        #expect(warnings.isEmpty)
        #expect(policy.rules.map(\.terms.credentials.count) == [1])
    }
}
