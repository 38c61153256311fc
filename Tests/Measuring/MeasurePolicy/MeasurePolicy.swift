import NetworkTypes
import PolicyEngine
import PolicyReference
import SourceDocuments
import TestSupport
import YAMLBindings

// MEASURE=1 swift build -c release --product MeasurePolicy
// MeasurePolicy agree PAIRS    compares the engine with the reference on so many random pairs of policy and facts
// MeasurePolicy times          how long policies of 100 and 10,000 rules take to load, and decisions by them

/// Compares the engine with the reference; false where they differ.
private func agree(pairs: Int, seed: UInt64) throws -> Bool {
    let world = try PolicyWorld()
    var random = Seeded(seed)
    for number in 0..<(pairs / 8) {
        let policy = world.policy(&random, auditing: 10)
        let reference = ReferenceEvaluator(policy: policy, world: world.reference)
        for _ in 0..<8 {
            var facts = world.facts(&random)
            facts.exhausted = world.exhausted(policy.draws(for: facts), &random)
            let decision = policy.decide(facts).summary
            let expected = reference.decide(facts)
            if decision != expected {
                print("policy \(number): the engine says '\(decision)', the reference '\(expected)': \(facts)")
                return false
            }
        }
    }
    print("\(pairs) pairs of policy and facts, seed \(seed): agreed")
    return true
}

/// A policy as people write them: names that are allowed, wildcards, blocks, paths, and some denies.
private func text(rules: Int) -> String {
    var text = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: measured\nrules:\n"
    for index in 0..<rules {
        let match =
            switch index % 10 {
            case 0: "hosts: [\"*.team\(index).example\"], ports: [443]"
            case 1: "hosts: [bad\(index).example.net]"
            case 2: "cidrs: [\(20 + index % 180).\(index / 180 % 256).\(index % 256).0/24], ports: [22, 5432]"
            case 3: "hosts: [api.team\(index).example], protocols: [http], http: { methods: [GET], paths: [/v1/*] }"
            default: "hosts: [host\(index).example.com, alt\(index).example.com], ports: [443]"
            }
        text += "  - { name: rule-\(index), match: { \(match) }, action: \(index % 10 == 1 ? "deny" : "allow") }\n"
    }
    return text
}

private func median(_ durations: [Duration]) -> Duration {
    durations.sorted()[durations.count / 2]
}

private func nanoseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
}

/// Where connections go: names that rules name first, last and not at all, below wildcards, and addresses.
private func traffic(rules: Int) throws -> [Facts] {
    let last = rules - rules % 10
    let names = [
        "host4.example.com", "alt\(last - 1).example.com", "a.b.team\(last - 10).example", "nobody.example.org",
        "bad\(last - 9).example.net", "host\(rules / 20 * 10 + 5).example.com",
    ]
    var facts = try names.map { name in
        Facts(original: destination("198.51.100.7", 443), port: 443, opening: .known(.tls, name: try HostName(name)))
    }
    facts.append(Facts(original: destination("22.0.2.9", 22), port: 22, opening: .known(.opaque, name: nil)))
    facts.append(Facts(original: destination("203.0.113.9", 22), port: 22, opening: .known(.opaque, name: nil)))
    return facts
}

private func destination(_ text: String, _ port: UInt16) -> OriginalDestination? {
    IPAddress(text).map { OriginalDestination(SocketAddress($0, port: port)) }
}

private func measure(rules: Int) throws {
    let octets = Array(text(rules: rules).utf8)
    let clock = ContinuousClock()
    var loads: [Duration] = []
    var policy: Policy?
    var warnings = 0
    for _ in 0..<5 {
        loads.append(
            try clock.measure {
                let loaded = try Policy.load(
                    readYAML(octets, file: "p.yaml", limits: YAMLLimits(bytes: 4 << 20, nodes: 1_000_000)),
                    hash: "sha256:"
                )
                policy = loaded.policy
                warnings = loaded.warnings.count
            }
        )
    }
    guard let policy else { return }
    var decisions: [Duration] = []
    var allowed = 0
    for facts in try traffic(rules: rules) {
        // One by one is below what a clock can tell.
        for _ in 0..<200 {
            let taken = clock.measure {
                for _ in 0..<50 where policy.decide(facts).verdict == .allow { allowed += 1 }
            }
            decisions.append(taken / 50)
        }
    }
    let load = nanoseconds(median(loads)) / 10_000
    print(
        "\(rules) rules: load \(load / 100).\(load % 100) ms (median of 5, \(warnings) warnings), decide "
            + "\(nanoseconds(median(decisions))) ns at the median, \(nanoseconds(decisions.max() ?? .zero)) ns at most "
            + "(\(allowed) allowed)"
    )
}

@main
private enum MeasurePolicy {
    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        if words.first == "agree" {
            let pairs = words.dropFirst().first.flatMap { Int($0) } ?? 1_000_000
            let seed = words.dropFirst(2).first.flatMap { UInt64($0) } ?? 20_261_121
            guard try agree(pairs: pairs, seed: seed) else { throw Disagreement() }
        } else {
            try measure(rules: 100)
            try measure(rules: 10_000)
        }
    }

    private struct Disagreement: Error {}
}
