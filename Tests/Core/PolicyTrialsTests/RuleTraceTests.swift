import NetworkTypes
import PolicyEngine
import PolicyTrials
import Testing

@Suite("What a trace says of the rules")
struct RuleTraceTests {
    @Test("a trace agrees with the decision on 4000 random policies and questions", arguments: 0..<4)
    func agreement(seed: UInt64) throws {
        var random = Rolls(seed: seed + 1)
        for _ in 0..<1000 {
            let policy = Self.policy(&random)
            let question = Self.question(&random)
            let judgement = Judgement(question, by: policy)
            guard judgement.fault == nil, judgement.decision.reason != .ambiguousPath else { continue }
            let trace = PolicyTrace(judgement, by: policy)
            let complaint = Self.disagreement(judgement, trace, policy)
            #expect(
                complaint == nil,
                "\(complaint ?? "") \(policy.rules.map(\.aspects)) \(question) \(judgement.decision)"
            )
        }
    }

    /// What the decision and the trace contradict each other in; `nil` for nothing.
    private static func disagreement(_ judgement: Judgement, _ trace: PolicyTrace, _ policy: Policy) -> String? {
        let denies = trace.matches.filter { $0.rule.action == .deny && !$0.rule.terms.isOnTrial }
        let allows = trace.matches.filter { $0.rule.action != .deny }
        let isAllowed = judgement.isAllowed && !judgement.decision.wouldDeny
        if isAllowed, denies.contains(where: { $0.outcome == .matches }) { return "a deny matches, and it is allowed" }
        if let rule = judgement.decision.rule {
            let known = trace.matches + trace.undetermined
            let isTraced = known.contains { $0.rule.name == rule }
            if !isTraced { return "the rule that decides is not among those that match" }
        }
        switch judgement.decision.reason {
        case .ruleDeny where !judgement.decision.wouldDeny:
            if denies.first?.rule.name != judgement.decision.rule { return "another deny comes first" }
        case .ruleAllow: if allows.first?.rule.name != judgement.decision.rule { return "another rule comes first" }
        case .defaultDeny, .defaultAllow:
            if (allows + denies).contains(where: { $0.outcome == .matches }) {
                return "a rule matches, and the default decides"
            }
        default: break
        }
        let named = (trace.undetermined + [trace.nearest].compactMap { $0 })
        // A name and none at once: each alone may still come.
        let mute = named.first { $0.misses.isEmpty && !($0.rule.match.hosts != nil && $0.rule.match.sni == .absent) }
        return mute.map { "\($0.rule.name) does not match, and no key says why: \($0.outcome)" }
    }

    @Test("the nearest is the one with the least that does not hold")
    func nearest() throws {
        let hosts = [try HostPattern("api.example.com")]
        let policy = Policy(
            name: "p",
            mode: .enforce,
            defaultAction: .deny,
            hash: "",
            rules: [
                Rule(
                    try #require(RuleName("far")),
                    .allow,
                    RuleMatch(hosts: [try HostPattern("x.test")], ports: [22...22])
                ),
                Rule(try #require(RuleName("near")), .allow, RuleMatch(hosts: hosts, ports: [8443...8443])),
                Rule(try #require(RuleName("deny")), .deny, RuleMatch(hosts: [try HostPattern("b.example.com")])),
            ]
        )
        var question = Question(port: 443, speech: .known(.tls))
        try question.aim(at: "api.example.com", sni: nil, canIntercept: false)
        let trace = PolicyTrace(Judgement(question, by: policy), by: policy)
        #expect(trace.nearest?.rule.name.text == "near")
        #expect(trace.nearest?.misses == [.ports])
    }

    private static let names = ["a.example", "b.a.example", "c.example"]

    private static func policy(_ random: inout Rolls) -> Policy {
        let rules = (0..<random.roll(5)).compactMap { index in
            RuleName("r\(index)").map { name in
                let action = [RuleAction.allow, .deny, .tunnel][random.roll(3)]
                let terms = RuleTerms(isOnTrial: action == .deny && random.roll(6) == 0)
                return Rule(name, action, match(&random, action), terms)
            }
        }
        return Policy(
            name: "p",
            mode: random.roll(5) == 0 ? .audit : .enforce,
            defaultAction: random.roll(4) == 0 ? .allow : .deny,
            hash: "",
            rules: rules
        )
    }

    private static func match(_ random: inout Rolls, _ action: RuleAction) -> RuleMatch {
        var match = RuleMatch()
        let patterns = ["a.example", "*.a.example", "c.example"].compactMap { try? HostPattern($0) }
        let blocks = ["203.0.113.0/24", "10.0.0.0/8"].compactMap { try? CIDR($0) }
        if random.roll(2) == 0 { match.hosts = patterns.filter { _ in random.roll(2) == 0 } }
        if random.roll(3) == 0 { match.cidrs = blocks.filter { _ in random.roll(3) > 0 } }
        if random.roll(3) == 0 { match.ports = [[80...80], [443...443], [1...1000]][random.roll(3)] }
        if random.roll(4) == 0 { match.protocols = [[.tls], [.http], [.opaque, .h2c]][random.roll(3)] }
        if match.protocols == nil, random.roll(8) == 0 { match.sni = random.roll(2) == 0 ? .present : .absent }
        if random.roll(8) == 0 { match.namespaces = [[], ["agents"]][random.roll(2)] }
        if random.roll(8) == 0 { match.serviceAccounts = [["research"], ["other"]][random.roll(2)] }
        if random.roll(8) == 0 { match.times = [TimeWindow(from: 60, to: 120)] }
        if random.roll(4) == 0 { match.uids = [[], [1], [1, 2]][random.roll(3)] }
        if match.sni == nil, random.roll(3) == 0 {
            match.protocols = [.http]
            match.http = RequestMatch(
                methods: random.roll(2) == 0 ? [RequestMethod("GET")].compactMap { $0 } : nil,
                paths: random.roll(2) == 0 ? [(try? CanonicalPath("/v1/")).map { .below($0) }].compactMap { $0 } : nil,
                fields: random.roll(3) == 0 ? [FieldMatch(name: "x-a", values: [[98]])] : nil,
                query: random.roll(4) == 0 ? [QueryMatch(key: [113], values: nil)] : nil
            )
            if match.http == RequestMatch() { match.http = nil }
        }
        if match == RuleMatch() { match.ports = [443...443] }
        return match
    }

    private static func question(_ random: inout Rolls) -> Question {
        let speech =
            ([.silent, .asked] + ApplicationProtocol.allCases.map { .known($0) })[random.roll(6)] as Question.Speech
        var question = Question(port: [80, 443, 22][random.roll(3)], speech: speech)
        let addresses = ["203.0.113.7", "10.0.0.1", "192.0.2.1"].compactMap { IPAddress($0) }
        if random.roll(3) > 0 { question.original = addresses[random.roll(3)] }
        if random.roll(3) > 0 { question.name = names[random.roll(3)] }
        if random.roll(2) == 0 { question.addresses = addresses.filter { _ in random.roll(2) == 0 } }
        if random.roll(2) == 0 { question.uid = UInt32(random.roll(3)) }
        if random.roll(2) == 0 { question.workload = WorkloadNames(namespace: "agents", serviceAccount: "research") }
        if random.roll(3) > 0 { question.now = Int64(random.roll(3)) * 3600 }
        guard question.isRequest else { return question }
        if random.roll(3) > 0 { question.query = ["", "q=1"][random.roll(2)] }
        if random.roll(3) > 0 { question.method = RequestMethod(["GET", "PUT"][random.roll(2)]) }
        if random.roll(3) > 0 { question.path = ["/v1/a", "/v2", "/v1//x"][random.roll(3)] }
        if random.roll(3) > 0 { question.headers = random.roll(2) == 0 ? [] : [RequestField(name: "x-a", value: [98])] }
        return question
    }
}

/// Numbers that are the same in every run.
struct Rolls {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(sides))
    }
}
