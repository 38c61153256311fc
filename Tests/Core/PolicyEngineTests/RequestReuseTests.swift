import NetworkTypes
import PolicyEngine
import PolicyReference
import Testing

@Suite struct RequestReuseTests {
    static let before = """
        { name: api, match: { hosts: [x.example], protocols: [http], http: { methods: [GET], paths: [/v1/*] } }, action: allow }
        { name: block, match: { cidrs: [203.0.113.0/24] }, action: allow }
        """

    @Test(
        "B20: a request in flight goes on only while the rule that allowed it still allows this request",
        arguments: [
            (before, "allow rule_allow by api, dial x.example 203.0.113.9:80"),
            (
                "{ name: api, match: { hosts: [x.example], protocols: [http], http: { methods: [GET, POST] } }, action: tunnel }",
                "allow rule_allow by api, dial x.example 203.0.113.9:80"
            ),
            (
                "{ name: api, match: { hosts: [x.example], protocols: [http], http: { paths: [/v2/*] } }, action: allow }",
                "deny policy_changed by api"
            ),
            (
                "{ name: api, match: { hosts: [x.example], protocols: [http], http: { methods: [POST] } }, action: allow }",
                "deny policy_changed by api"
            ),
            (
                "{ name: d, match: { protocols: [http], http: { paths: [/v1/a] } }, action: deny }\n" + before,
                "deny rule_deny by d"
            ),
            // The field was not collected when the request came, so nobody knows whether it is there.
            (
                "{ name: d, match: { protocols: [http], http: { headers: { x-new: [a] } } }, action: deny }\n" + before,
                "deny undetermined by d"
            ),
            ("{ name: d, match: { cidrs: [203.0.113.9] }, action: deny }\n" + before, "deny denied_address by d"),
        ]
    )
    func rejudges(rules: String, expected: String) throws {
        let facts = try request("GET", "/v1/a", addresses: ["203.0.113.9"])
        let decision = try policy(Self.before).decide(facts)
        #expect(decision.treatment == .http)
        #expect(try policy(rules).stillAllows(decision, facts).summary == expected)
    }

    @Test("B20: a path with two slashes is ambiguous from the moment when a rule asks for paths")
    func rejudgesAmbiguity() throws {
        let facts = try request("GET", "//a", addresses: ["203.0.113.9"])
        let hosts = "{ name: api, match: { hosts: [x.example] }, action: allow }"
        let decision = try policy(hosts).decide(facts)
        #expect(decision.verdict == .allow)
        let after = try policy(
            "{ name: d, match: { protocols: [http], http: { paths: [/b] } }, action: deny }\n" + hosts
        )
        #expect(after.stillAllows(decision, facts).summary == "deny ambiguous_path")
    }

    @Test("B06: a tunnel that turns out to be plain HTTP is refused in either mode", arguments: ["enforce", "audit"])
    func noRequestsInTunnels(mode: String) throws {
        let policy = try policy(
            """
            { name: bad, match: { hosts: [bad.example] }, action: deny }
            { name: a, match: { cidrs: [203.0.113.0/24] }, action: allow }
            """,
            mode: mode
        )
        let silent = try silence(port: 80, addresses: ["203.0.113.7"])
        let allowed = policy.decide(silent)
        #expect(allowed.treatment == .tunnel)
        var spoken = silent
        spoken.opening = .known(.http, name: try HostName("x.example"))
        #expect(policy.stillAllows(allowed, spoken).summary == "deny per_request")
        spoken.opening = .known(.tls, name: try HostName("x.example"))
        #expect(policy.stillAllows(allowed, spoken).verdict == .allow)
    }

    @Test(
        "B20: an open connection is used again only where a new one would be the very same",
        arguments: [
            ("GET", "/v1/b", "x.example", "203.0.113.9", "x.example", true),
            // Another name at the same address, another address, a rule that dials the original destination.
            ("GET", "/v1/b", "x.example", "203.0.113.9", "y.example", false),
            ("GET", "/v1/b", "x.example", "203.0.113.9", nil, false),
            ("GET", "/other", "x.example", "203.0.113.9", "x.example", false),
            ("GET", "/other", "x.example", "203.0.113.7", nil, true),
            ("GET", "/other", "x.example", "203.0.113.7", "x.example", false),
        ] as [(String, String, String, String, String?, Bool)]
    )
    func reuse(method: String, path: String, host: String, connected: String, openedFor: String?, expected: Bool) throws
    {
        let policy = try policy(Self.before)
        let facts = try request(method, path, host: host, addresses: [connected])
        let decision = policy.decide(facts)
        let open = UpstreamAddress(SocketAddress(try address(connected), port: 80))
        let name = try openedFor.map { try HostName($0) }
        guard let permit = policy.permit(for: decision) else {
            Issue.record("no permit: \(decision.summary)")
            return
        }
        let isCovered = permit.covers(open, dialledFor: name)
        #expect(isCovered == expected)
    }

    @Test("B20: an address that is denied meanwhile gives no permit to go on with")
    func noPermit() throws {
        let policy = try policy("{ name: d, match: { cidrs: [203.0.113.9] }, action: deny }\n" + Self.before)
        let decision = policy.decide(try request("GET", "/v1/b", addresses: ["203.0.113.9"]))
        #expect(decision.summary == "deny denied_address by d")
        let hasPermit = policy.permit(for: decision) != nil
        #expect(!hasPermit)
    }
}
