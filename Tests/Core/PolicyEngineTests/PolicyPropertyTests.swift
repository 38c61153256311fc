import NetworkTypes
import PolicyEngine
import Testing

/// SplitMix64: the same numbers for the same seed, everywhere.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    /// One or two items, rarely none.
    mutating func some<Item>(of items: [Item]) -> [Item] {
        chance(4) ? [] : Array(items.shuffled(using: &self).prefix(Int.random(in: 1...2, using: &self)))
    }
}

/// A small world in which rules and connections meet often.
private struct World {
    let names: [HostName]
    let patterns: [HostPattern]
    let addresses: [IPAddress]
    let blocks: [CIDR]
    let ports: [UInt16] = [22, 80, 443, 8443]
    let uids: [UInt32] = [0, 1000, 1001]
    /// The last of each, and the path `*`, no rule names.
    let requests: ReferenceRequests
    let pathPatterns: [PathPattern]

    init() throws {
        names = try ["a.example", "b.a.example", "c.b.a.example", "x.test"].map { try HostName($0) }
        patterns = try ["a.example", "*.a.example", "b.a.example", "*.example", "x.test", "*.test"].map {
            try HostPattern($0)
        }
        addresses = try [
            "203.0.113.1", "203.0.113.200", "198.51.100.1", "10.0.0.1", "127.0.0.1", "169.254.169.254", "2001:db8::1",
            "fd00::1", "::ffff:10.0.0.1",
        ].map(address)
        blocks = try [
            "203.0.113.0/24", "203.0.113.128/25", "198.51.100.1", "10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8",
            "2001:db8::/32",
        ].map { try CIDR($0) }
        requests = ReferenceRequests(
            methods: ["GET", "POST", "PUT"].compactMap { RequestMethod($0) },
            paths: try ["/v1/a", "/v1/", "/v1/a/b", "/v2"].map { try CanonicalPath($0) } + [.server],
            fieldName: "x-tenant",
            fieldValues: ["one", "two", "three"].map { Array($0.utf8) }
        )
        pathPatterns =
            try ["/v1/a", "/v2"].map { .exact(try CanonicalPath($0)) }
            + ["/", "/v1/", "/v1/a/"].map { .below(try CanonicalPath($0)) }
    }

    func match(_ random: inout Seeded) -> RuleMatch {
        var match = RuleMatch()
        if random.chance(50) { match.hosts = random.some(of: patterns) }
        if random.chance(35) { match.cidrs = random.some(of: random.chance(50) ? Array(blocks.prefix(3)) : blocks) }
        if random.chance(35) { match.ports = random.some(of: [22...22, 80...443, 443...443, 8000...9000]) }
        if random.chance(25) { match.protocols = Set(random.some(of: ApplicationProtocol.allCases)) }
        // Such a rule matches nothing; the engine waits for bytes that cannot help, the reference knows better.
        if match.hosts != nil, match.protocols == [.h2c] { match.protocols = nil }
        if random.chance(25) { match.uids = Set(random.some(of: [0, 1000])) }
        if random.chance(20) { match.http = requestMatch(&random) }
        if match.http != nil, match.protocols != nil || random.chance(80) { match.protocols = [.http] }
        return match
    }

    func requestMatch(_ random: inout Seeded) -> RequestMatch {
        var match = RequestMatch()
        if random.chance(50) { match.methods = random.some(of: requests.methods.dropLast()) }
        if random.chance(50) { match.paths = random.some(of: pathPatterns) }
        if random.chance(30) {
            let values = random.some(of: requests.fieldValues.dropLast())
            match.fields = [FieldMatch(name: requests.fieldName, values: values)]
        }
        return match
    }

    /// What is known of a request; all of it, or nothing, or a part.
    func request(_ random: inout Seeded) -> RequestFacts? {
        guard random.chance(90) else { return nil }
        let isWhole = random.chance(60)
        var request = RequestFacts(method: nil, path: nil, fields: nil)
        if isWhole || random.chance(60) { request.method = requests.methods.randomElement(using: &random) }
        if isWhole || random.chance(60) { request.path = requests.paths.randomElement(using: &random) }
        if random.chance(3) { request.path = try? CanonicalPath("/v1//a") }
        if isWhole || random.chance(60) {
            let values = random.chance(20) ? [] : random.some(of: requests.fieldValues)
            let fields = values.map { RequestField(name: requests.fieldName, value: $0) }
            request.fields = RequestFields(of: random.chance(90) ? [requests.fieldName] : [], fields)
        }
        return request
    }

    func opening(_ random: inout Seeded) -> Opening {
        let spoken = ApplicationProtocol.allCases.randomElement(using: &random) ?? .opaque
        let name = random.chance(20) ? nil : names.randomElement(using: &random)
        if random.chance(20) { return .silent }
        if random.chance(15) { return .asked(name) }
        return .known(random.chance(30) ? .http : spoken, name: name)
    }

    func policy(_ random: inout Seeded) -> Policy {
        let rules = (0..<Int.random(in: 0...5, using: &random)).compactMap { index in
            RuleName("r\(index)").map { name in
                Rule(name, random.chance(35) ? .deny : random.chance(80) ? .allow : .tunnel, match(&random))
            }
        }
        return Policy(
            name: "random",
            mode: .enforce,
            defaultAction: random.chance(30) ? .allow : .deny,
            hash: "sha256:random",
            rules: rules
        )
    }

    func facts(_ random: inout Seeded) -> Facts {
        let port = ports.randomElement(using: &random) ?? 443
        // The first three are public: a special original destination ends most stories early.
        let places = random.chance(70) ? addresses.prefix(3) : addresses[...]
        let original = random.chance(10) ? nil : places.randomElement(using: &random)
        return Facts(
            original: original.map { OriginalDestination(SocketAddress($0, port: port)) },
            port: port,
            opening: opening(&random),
            workloadUID: random.chance(20) ? nil : uids.randomElement(using: &random),
            isOwnListener: random.chance(2),
            addresses: random.chance(40) ? nil : random.chance(10) ? [] : random.some(of: addresses),
            request: request(&random),
            isFinal: random.chance(15)
        )
    }
}

@Suite struct PolicyPropertyTests {
    static let cases = 30_000

    @Test("B15: on random policies the engine says what the manual's sentences say", .timeLimit(.minutes(3)))
    func agreesWithTheReference() throws {
        let world = try World()
        var random = Seeded(state: 20_261_121)
        var seen: [String: Int] = [:]
        for number in 0..<Self.cases {
            let policy = world.policy(&random)
            let facts = world.facts(&random)
            let reference = ReferenceEvaluator(
                policy: policy,
                names: world.names + [nil],
                uids: world.uids,
                requests: world.requests
            )
            let expected = reference.decide(facts)
            let decision = policy.decide(facts)
            try #require(decision.summary == expected, "case \(number): \(policy.rules), \(facts)")
            if decision.verdict == .allow {
                let isHTTP = if case .known(.http, _) = facts.opening { true } else { false }
                try #require(decision.treatment == (isHTTP ? .http : .tunnel), "case \(number)")
            }
            seen["\(decision.treatment) \(decision.reason.rawValue)", default: 0] += 1
            seen["\(decision.verdict) \(decision.reason.rawValue)", default: 0] += 1
        }
        // A generator that stopped reaching an outcome would make the comparison empty.
        let outcomes = [
            "allow rule_allow", "allow default_allow", "deny rule_deny", "deny default_deny", "deny special_address",
            "deny denied_address", "deny outside_cidrs", "deny unresolvable", "deny undetermined", "deny own_listener",
            "deny no_original_destination", "deny ambiguous_path", "undetermined undetermined",
            "http rule_allow", "http default_allow",
        ]
        #expect(outcomes.filter { seen[$0, default: 0] < 20 } == [], "\(seen)")
    }

    @Test("B15: moving a deny never weakens it, and adding one never allows more")
    func deniesAreMonotone() throws {
        let world = try World()
        var random = Seeded(state: 7)
        var denied = 0
        for number in 0..<Self.cases / 4 {
            let policy = world.policy(&random)
            let facts = world.facts(&random)
            let decision = policy.decide(facts)
            let moved = replacingRules(
                of: policy,
                by: policy.rules.filter { $0.action != .deny } + policy.rules.filter { $0.action == .deny }
            )
            try #require(moved.decide(facts).verdict == decision.verdict, "case \(number): \(policy.rules), \(facts)")
            guard let name = RuleName("added") else { return }
            let deny = Rule(name, .deny, world.match(&random))
            let stricter = replacingRules(of: policy, by: policy.rules + [deny]).decide(facts)
            if stricter.verdict == .allow {
                try #require(decision.verdict == .allow, "case \(number): \(policy.rules), \(deny), \(facts)")
                let kept = Set(stricter.addresses ?? [])
                try #require(kept.isSubset(of: decision.addresses ?? []), "case \(number)")
            } else if decision.verdict == .allow {
                denied += 1
            }
        }
        #expect(denied > 50)
    }

    @Test("what was just allowed is still allowed, and what a new deny refuses is not")
    func rejudgingAgrees() throws {
        let world = try World()
        var random = Seeded(state: 11)
        var allowed = 0
        for number in 0..<Self.cases / 4 {
            let policy = world.policy(&random)
            var facts = world.facts(&random)
            let decision = policy.decide(facts)
            guard decision.verdict == .allow else { continue }
            allowed += 1
            facts.addresses = decision.addresses?.map(\.socket.address)
            try #require(policy.stillAllows(decision, facts) == decision, "case \(number): \(policy.rules), \(facts)")
            let after = world.policy(&random)
            if after.stillAllows(decision, facts).verdict == .allow {
                let names = after.rules.filter { $0.action != .deny }.map(\.name)
                try #require(decision.rule.map(names.contains) ?? (after.defaultAction == .allow), "case \(number)")
                let denies = replacingRules(of: after, by: after.rules.filter { $0.action == .deny }, allowing: true)
                let isDenied = [.ruleDeny, .deniedAddress].contains(denies.decide(facts).reason)
                try #require(!isDenied, "case \(number): \(after.rules), \(facts)")
            }
        }
        #expect(allowed > 500)
    }

    private func replacingRules(of policy: Policy, by rules: [Rule], allowing: Bool = false) -> Policy {
        Policy(
            name: policy.name,
            mode: policy.mode,
            defaultAction: allowing ? .allow : policy.defaultAction,
            hash: policy.hash,
            rules: rules
        )
    }
}
