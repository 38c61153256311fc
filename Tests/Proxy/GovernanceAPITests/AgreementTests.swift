import AuditTrail
import GovernanceAPI
import NetworkTypes
import PolicyEngine
import TestSupport
import Testing

extension Seeded {
    /// One or two of the items.
    fileprivate mutating func pick<Item>(_ items: [Item]) -> [Item] {
        Array(items.shuffled(using: &self).prefix(Int.random(in: 1...2, using: &self)))
    }
}

/// Random policies, and random traffic told to the API and met by the data path.
@Suite struct AgreementTests {
    /// One destination, as both sides know it.
    private struct Traffic {
        var host = ""
        var port: UInt16 = 443
        var spoken = ApplicationProtocol.tls
        var method = "GET"
        var path = "/"

        var body: String {
            #"{"action":"http.request","context":{"host":"\#(host)","port":\#(port),"protocol":"\#(spoken.rawValue)","#
                + #""method":"\#(method)","path":"\#(path)"}}"#
        }

        /// What the data path knows when its first bytes are read; an address is where it goes.
        func facts(uid: UInt32?) throws -> Facts {
            let address = IPAddress(host)
            let name = address == nil ? try HostName(host) : nil
            return Facts(
                original: address.map { OriginalDestination(SocketAddress($0, port: port)) },
                port: port,
                opening: .known(spoken, name: name),
                workloadUID: uid,
                addresses: address.map { [$0] },
                request: RequestFacts(
                    method: RequestMethod(method),
                    path: try CanonicalPath(path),
                    fields: RequestFields(of: [], [])
                )
            )
        }
    }

    @Test("B15: the API answers what the data path decides, for random policies and traffic")
    func agrees() throws {
        var random = Seeded(20_261_122)
        var seen: [String: Int] = [:]
        for _ in 0..<10_000 {
            let policy = try policy(&random)
            let traffic = traffic(&random)
            let uid: UInt32? = random.chance(20) ? nil : [1000, 1001].randomElement(using: &random)
            let decision = policy.decide(try traffic.facts(uid: uid))
            let answer = Asking(policy: policy, callerUID: uid).answer(traffic.body)
            let check = try #require(answer.check, "\(answer.text) \(traffic)")
            try #require(check.reason == decision.reason.rawValue, "\(policy.rules) \(traffic)")
            try #require(check.rule == decision.rule?.text, "\(policy.rules) \(traffic)")
            try #require(check.decision == (decision.verdict == .allow ? .allow : .deny), "\(policy.rules) \(traffic)")
            try #require(check.would == (decision.wouldDeny ? .deny : nil))
            seen["\(check.decision) \(check.reason)", default: 0] += 1
        }
        let outcomes = [
            "allow rule_allow", "allow default_allow", "deny rule_deny", "deny default_deny", "deny special_address",
            "deny undetermined", "deny ambiguous_path", "deny ambiguous_method",
        ]
        #expect(outcomes.filter { seen[$0, default: 0] < 20 } == [], "\(seen)")
    }

    private func traffic(_ random: inout Seeded) -> Traffic {
        let hosts = ["a.example", "b.a.example", "x.test", "203.0.113.1", "10.0.0.1", "2001:db8::1", "fd00::1"]
        return Traffic(
            host: hosts.randomElement(using: &random) ?? "",
            port: [80, 443, 8443].randomElement(using: &random) ?? 443,
            spoken: random.chance(50) ? .http : ApplicationProtocol.allCases.randomElement(using: &random) ?? .tls,
            method: ["GET", "POST", "post"].randomElement(using: &random) ?? "",
            path: ["/v1/a", "/v1/", "/v2", "/v1/%41", "/v1//a"].randomElement(using: &random) ?? ""
        )
    }

    private func policy(_ random: inout Seeded) throws -> Policy {
        let rules = try (0..<Int.random(in: 0...4, using: &random)).map { index in
            (
                "r\(index)", random.chance(30) ? RuleAction.deny : random.chance(70) ? .allow : .tunnel,
                try match(&random)
            )
        }
        return try Asking.policy(
            rules,
            mode: random.chance(15) ? .audit : .enforce,
            default: random.chance(30) ? .allow : .deny
        )
    }

    private func match(_ random: inout Seeded) throws -> RuleMatch {
        var match = RuleMatch()
        if random.chance(50) {
            match.hosts = try random.pick(["a.example", "*.a.example", "*.test"]).map { try HostPattern($0) }
        }
        if random.chance(30) {
            match.cidrs = try random.pick(["203.0.113.0/24", "10.0.0.0/8", "2001:db8::/32"]).map { try CIDR($0) }
        }
        if random.chance(30) { match.ports = random.pick([80...80, 443...443, 8000...9000]) }
        if random.chance(25) { match.protocols = Set(random.pick(ApplicationProtocol.allCases)) }
        if random.chance(25) { match.uids = [1000] }
        if random.chance(30) {
            match.protocols = [.http]
            match.http = RequestMatch(
                methods: random.chance(60) ? random.pick(["GET", "POST"]).compactMap { RequestMethod($0) } : nil,
                paths: random.chance(60) ? [.below(try CanonicalPath("/v1/"))] : nil
            )
        }
        return match
    }
}
