import ConnectionJourney
import NetworkTypes
import PolicyEngine
import Testing

private let address = IPAddress.v4(IPv4Address(203, 0, 113, 7))
private let upstream = UpstreamAddress(SocketAddress(address, port: 80))

/// What two requests may differ in.
enum Difference: String, CaseIterable {
    case name
    case port
    case original
    case ownListener
    case address
    case policy
}

/// What a rule may ask for that the next request can answer differently.
enum Question: String, CaseIterable {
    case path
    case time
    case rate
}

@Suite("A decision that goes for the next request")
struct StandingDecisionTests {
    private static func facts() throws -> Facts {
        Facts(
            original: OriginalDestination(SocketAddress(address, port: 80)),
            port: 80,
            opening: .known(.http, name: try HostName("api.example.com")),
            addresses: [address],
            request: RequestFacts(method: RequestMethod("GET"), path: try CanonicalPath("/one"), fields: nil)
        )
    }

    private static func policy(asking question: Question? = nil) throws -> Policy {
        var match = RuleMatch(hosts: [try HostPattern("api.example.com")])
        var terms = RuleTerms()
        switch question {
        case .path: match.http = RequestMatch(methods: try [#require(RequestMethod("GET"))])
        case .time: match.times = [TimeWindow()]
        case .rate: terms.rate = RateLimit(limit: 5, per: .minute, by: .rule)
        case nil: break
        }
        let rule = Rule(try #require(RuleName("api")), .allow, match, terms)
        return Policy(name: "p", mode: .enforce, defaultAction: .deny, hash: "sha256:0", rules: [rule])
    }

    private static func standing(_ policy: Policy) throws -> StandingDecision? {
        var facts = try facts()
        facts.now = 0
        let decision = policy.decide(facts)
        try #require(decision.verdict == .allow)
        return StandingDecision(decision, facts, [address], policy, 1)
    }

    @Test("another path is judged as the one before, by a policy that asks for none")
    func holds() throws {
        let standing = try #require(try Self.standing(try Self.policy()))
        var next = try Self.facts()
        next.request?.path = try CanonicalPath("/two")
        #expect(standing.holds(next, at: upstream, 1))
        #expect(standing.decision == (try Self.policy()).decide(next))
    }

    @Test("what else is told to the policy is compared each time (B20)", arguments: Difference.allCases)
    func compares(_ difference: Difference) throws {
        let standing = try #require(try Self.standing(try Self.policy()))
        var next = try Self.facts()
        var place = upstream
        var generation: UInt64 = 1
        let other = IPAddress.v4(IPv4Address(203, 0, 113, 8))
        switch difference {
        case .name: next.opening = .known(.http, name: try HostName("other.example.com"))
        case .port: next.port = 81
        case .original: next.original = OriginalDestination(SocketAddress(other, port: 80))
        case .ownListener: next.isOwnListener = true
        case .address: place = UpstreamAddress(SocketAddress(other, port: 80))
        case .policy: generation = 2
        }
        #expect(!standing.holds(next, at: place, generation))
    }

    @Test("a policy that asks for what changes is asked each time", arguments: Question.allCases)
    func keepsNothing(_ question: Question) throws {
        #expect(try Self.standing(try Self.policy(asking: question)) == nil)
    }

    @Test("a refusal does not stand")
    func keepsNoRefusal() throws {
        let facts = try Self.facts()
        let refusal = PolicyEngine.Decision.refused(.defaultDeny, port: 80)
        #expect(StandingDecision(refusal, facts, [address], try Self.policy(), 1) == nil)
    }
}
