import NetworkTypes
import PolicyEngine
import Testing

@Suite struct ManyHostsTests {
    @Test("a rule of many hosts holds for the names that its patterns match, and for no others")
    func matching() throws {
        let patterns = try (0..<40).map { number in
            try HostPattern(number % 2 == 0 ? "h\(number).example" : "*.h\(number).example")
        }
        let policy = try policy([patterns])
        for name in (0..<42).flatMap({ ["h\($0).example", "a.h\($0).example", "a.b.h\($0).example"] }) {
            let host = try HostName(name)
            let isMatched = patterns.contains { $0.matches(host) }
            #expect(try policy.decide(facts(name)).verdict == (isMatched ? .allow : .deny), "\(name)")
        }
    }

    private func policy(_ rules: [[HostPattern]]) throws -> Policy {
        Policy(
            name: "many",
            mode: .enforce,
            defaultAction: .deny,
            hash: "",
            rules: rules.enumerated().compactMap { index, hosts in
                RuleName("r\(index)").map { Rule($0, .allow, RuleMatch(hosts: hosts)) }
            }
        )
    }
}
