import Testing

@Suite("A guarded pod")
struct EgressTests {
    @Test("what is allowed by name passes, what is denied is refused, and both are on record")
    func allowedAndDenied() throws {
        try GuardedPod.with { pod in
            let (allowed, first) = try pod.recorded { try pod.agent(["curl", "-4sS", "https://v4only.example/"]) }
            #expect(allowed.output == "v4only.example at 203.0.113.10\n", "\(allowed)")
            #expect(first[0].verdict == "allow rule_allow allowed-names", "\(first)")
            #expect(first[0].end?["outcome"] == "closed", "\(first)")
            let (denied, second) = try pod.recorded { try pod.agent(["curl", "-6sS", "https://denied.example/"]) }
            #expect(denied.status == 35, "\(denied)")
            #expect(second[0].verdict == "deny rule_deny denied-names", "\(second)")
            #expect(try pod.world.arrivals(at: "203.0.113.10") > 0)
            #expect(try pod.world.arrivals(at: "2001:db8:113::20") == 0)
            #expect(pod.stop() == 0, "\(pod.daemon.errors)")
        }
    }
}
