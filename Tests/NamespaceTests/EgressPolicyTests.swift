import Foundation
import Testing

@Suite("What the policy says, end to end")
struct EgressPolicyTests {
    static let rules = """
          - name: bad-block
            match: { cidrs: [203.0.113.66/32, "2001:db8:113::66/128"] }
            action: deny
          - name: denied-names
            match: { hosts: [denied.example] }
            action: deny
          - name: tunnelled
            match: { hosts: [denied.example, other.example] }
            action: tunnel
          - name: odd-port
            match: { hosts: [www.allowed.example], ports: [8440-8443] }
            action: allow
          - name: web
            match: { hosts: ["*.allowed.example", allowed.example] }
            action: allow
          - name: only-tls
            match: { cidrs: [203.0.113.40/32, "2001:db8:113::40/128"], protocols: [tls] }
            action: allow
          - name: only-opaque
            match: { cidrs: [203.0.113.41/32, "2001:db8:113::41/128"], protocols: [opaque] }
            action: allow
          - name: first-agent
            match: { cidrs: [203.0.113.50/32, "2001:db8:113::50/128"], workload: { uids: [2000] } }
            action: allow
          - name: second-agent
            match: { cidrs: [203.0.113.51/32, "2001:db8:113::51/128"], workload: { uids: [3000] } }
            action: allow
        """

    static let names = [
        "bad.allowed.example": ["203.0.113.66", "2001:db8:113::66"],
        "ipv4.allowed.example": ["203.0.113.66", "203.0.113.10"],
        "ipv6.allowed.example": ["2001:db8:113::66", "2001:db8:113::10"],
    ]

    /// A raw client: its name or bytes, where it goes, and what must become of it.
    struct Attempt: Sendable {
        var ipv4: String
        var ipv6: String
        var port = 8443
        /// A Python expression for what is sent.
        var pieces: String
        var user = RunAs.agent
        var sees = "alert 49"
        var verdict: String

        func address(_ family: EgressFamily) -> String { family.pick(ipv4, ipv6) }
    }

    static let attempts: [Attempt] = [
        // A deny block holds for where the agent goes, whatever name it shows.
        Attempt(
            ipv4: "203.0.113.66",
            ipv6: "2001:db8:113::66",
            pieces: "tls(b'www.allowed.example')",
            verdict: "deny rule_deny bad-block"
        ),
        Attempt(ipv4: "203.0.113.66", ipv6: "2001:db8:113::66", pieces: "tls()", verdict: "deny rule_deny bad-block"),
        // Deny wins over tunnel.
        Attempt(
            ipv4: "203.0.113.20",
            ipv6: "2001:db8:113::20",
            port: 443,
            pieces: "tls(b'denied.example')",
            verdict: "deny rule_deny denied-names"
        ),
        // Without `ports`, names are allowed for the web only.
        Attempt(
            ipv4: "203.0.113.10",
            ipv6: "2001:db8:113::10",
            pieces: "tls(b'allowed.example')",
            verdict: "deny default_deny -"
        ),
        Attempt(
            ipv4: "203.0.113.10",
            ipv6: "2001:db8:113::10",
            port: 8444,
            pieces: "tls(b'www.allowed.example')",
            verdict: "deny default_deny -"
        ),
        Attempt(
            ipv4: "203.0.113.10",
            ipv6: "2001:db8:113::10",
            pieces: "tls(b'www.allowed.example')",
            sees: "served",
            verdict: "allow rule_allow odd-port"
        ),
        // Protocols.
        Attempt(
            ipv4: "203.0.113.40",
            ipv6: "2001:db8:113::40",
            pieces: "tls(b'anything.example')",
            sees: "served",
            verdict: "allow rule_allow only-tls"
        ),
        Attempt(
            ipv4: "203.0.113.40",
            ipv6: "2001:db8:113::40",
            pieces: "[b'\\x00opaque']",
            sees: "reset",
            verdict: "deny default_deny -"
        ),
        Attempt(
            ipv4: "203.0.113.41",
            ipv6: "2001:db8:113::41",
            pieces: "tls(b'anything.example')",
            verdict: "deny default_deny -"
        ),
        Attempt(
            ipv4: "203.0.113.41",
            ipv6: "2001:db8:113::41",
            pieces: "[b'\\x00opaque']",
            sees: "served",
            verdict: "allow rule_allow only-opaque"
        ),
        // Two agents with rules of their own.
        Attempt(
            ipv4: "203.0.113.50",
            ipv6: "2001:db8:113::50",
            pieces: "tls()",
            sees: "served",
            verdict: "allow rule_allow first-agent"
        ),
        Attempt(ipv4: "203.0.113.51", ipv6: "2001:db8:113::51", pieces: "tls()", verdict: "deny default_deny -"),
        Attempt(
            ipv4: "203.0.113.50",
            ipv6: "2001:db8:113::50",
            pieces: "tls()",
            user: RunAs(uid: 3000, gid: 3000),
            verdict: "deny default_deny -"
        ),
        Attempt(
            ipv4: "203.0.113.51",
            ipv6: "2001:db8:113::51",
            pieces: "tls()",
            user: RunAs(uid: 3000, gid: 3000),
            sees: "served",
            verdict: "allow rule_allow second-agent"
        ),
    ]

    @Test(
        "deny blocks, tunnels, ports, protocols and users bind what really leaves",
        .serialized,
        arguments: EgressFamily.allCases
    )
    func rulesBind(family: EgressFamily) throws {
        try GuardedPod.with(Self.rules, names: Self.names) { pod in
            let recorder = try EgressRecorder(pod, port: 8443)
            for user in [2000, 3000] as [UInt32] {
                let mine = Self.attempts.filter { $0.user.uid == user }
                let lines = mine.map { "show('\($0.address(family))', \($0.port), \($0.pieces))" }
                let (result, found) = try pod.recorded(mine.count) {
                    // EgressPortReuseTests tell why.
                    let ports = "source_ports = iter(range(\(8 * user), 32000))\n"
                    return try pod.python(ports + lines.joined(separator: "\n"), as: RunAs(uid: user, gid: user))
                }
                let seen = result.output.split(separator: "\n").map(String.init)
                #expect(seen == mine.map(\.sees), "\(result)")
                #expect(found.map(\.verdict) == mine.map(\.verdict), "\(found)")
                #expect(found.values("workload.uid") == ["\(user)"], "\(found)")
            }
            let served = Self.attempts.filter { $0.sees == "served" }
            #expect(recorder.visits(served.count).count == served.count)
            for address in ["203.0.113.66", "2001:db8:113::66", family.denied] {
                #expect(try pod.world.arrivals(at: address) == 0)
            }
        }
    }

    @Test("a deny block holds for what is dialled, too, and `tunnel` tunnels")
    func dialledAddresses() throws {
        try GuardedPod.with(Self.rules, names: Self.names) { pod in
            for family in EgressFamily.allCases {
                let (refused, first) = try pod.recorded {
                    try pod.agent(EgressClients.curl("bad.allowed.example", at: family.allowed))
                }
                #expect(refused.status == 35, "\(refused)")
                #expect(first[0].verdict == "deny denied_address bad-block", "\(first)")
                let (passed, second) = try pod.recorded {
                    try pod.agent(EgressClients.curl("\(family).allowed.example", at: family.allowed))
                }
                #expect(passed.output == "\(family).allowed.example at \(family.allowed)\n", "\(passed)")
                #expect(second[0].verdict == "allow rule_allow web", "\(second)")
                let (other, third) = try pod.recorded {
                    try pod.agent(EgressClients.openssl("other.example", at: family.denied))
                }
                // Of two addresses either may win.
                let pages = ["203.0.113.21", "2001:db8:113::21"].map { "other.example at \($0)\n" }
                let isServed = pages.contains { other.output.hasSuffix($0) }
                #expect(isServed, "\(other)")
                #expect(third[0].verdict == "allow rule_allow tunnelled", "\(third)")
                #expect(third[0]["treatment"] == "tunnel", "\(third)")
            }
            for address in ["203.0.113.66", "2001:db8:113::66"] { #expect(try pod.world.arrivals(at: address) == 0) }
        }
    }

    @Test(
        "mode audit records what it would refuse and lets it pass, but not to the daemon's own ports, nor what is malformed"
    )
    func auditMode() throws {
        let policy = EgressPolicies.whole(
            """
              - name: allowed-names
                match: { hosts: [allowed.example] }
                action: allow
            """,
            mode: "audit"
        )
        try GuardedPod.with(policy) { pod in
            for (address, name) in [
                ("10.1.2.3", "other.example"), ("fd12::3", "other.example"), ("10.1.2.3", "allowed.example"),
            ] {
                let (result, found) = try pod.recorded { try pod.agent(EgressClients.curl(name, at: address)) }
                #expect(result.output == "\(name) at \(address)\n", "\(result)")
                #expect(found[0]["decision"] == "allow", "\(found)")
                #expect(found[0]["would"] == "deny", "\(found)")
                #expect(found[0]["mode"] == "audit", "\(found)")
                #expect(
                    found[0]["reason"] == (name == "other.example" ? "default_deny" : "special_address"),
                    "\(found)"
                )
                #expect(found[0].end?["dialled"] == EgressClients.at(address, 443), "\(found)")
            }
            // An allowed name in front of another address: in this mode the original is dialled.
            let (forged, first) = try pod.recorded {
                try pod.agent(EgressClients.curl("allowed.example", at: "203.0.113.66"))
            }
            #expect(forged.output == "allowed.example at 203.0.113.66\n", "\(forged)")
            #expect(first[0].verdict == "allow rule_allow allowed-names", "\(first)")
            let (result, found) = try pod.recorded(5) {
                try pod.python(
                    """
                    for address in ("\(PodAndWorld.podIPv4)", "\(PodAndWorld.podIPv6)"):
                        show(address, 15890, [b"GET / HTTP/1.0\\r\\n\\r\\n"])
                    show("203.0.113.10", 443, tls(b"a" + bytes(1) + b".example"))
                    show("203.0.113.10", 443, [tls(b"a.example")[0][:-3]], end="fin")
                    show("203.0.113.10", 443, [bytes([5, 1, 0])])
                    """
                )
            }
            #expect(result.output == "reset\nreset\nalert 49\nalert 49\nreset\n", "\(result)")
            let verdicts = found.map(\.verdict)
            let refusals = ["own_listener", "own_listener", "malformed_name", "malformed_opening", "proxy_in_capture"]
            let expected = refusals.map { "deny \($0) -" }
            #expect(verdicts == expected, "\(found)")
            #expect(try pod.world.arrivals(at: "203.0.113.10") == 0)
        }
    }

    @Test("ten clients at once get what the policy says, each its own record, and nothing else leaves")
    func tenAtOnce() throws {
        try GuardedPod.with { pod in
            var clients: [(name: String, address: String, process: BackgroundProcess)] = []
            let start = { (name: String, address: String, command: [String]) in
                clients.append((name, address, try pod.startAgent(command)))
            }
            for family in EgressFamily.allCases {
                let (good, bad) = (family.allowed, family.denied)
                try start("allowed.example", good, EgressClients.curl("allowed.example", at: good))
                try start("denied.example", bad, EgressClients.curl("denied.example", at: bad))
                try start("www.allowed.example", good, EgressClients.python("www.allowed.example", at: good))
                try start("allowed.example", good, EgressClients.node("allowed.example", at: good))
                try start("other.example", bad, EgressClients.openssl("other.example", at: bad))
            }
            for (name, address, process) in clients {
                let result = process.wait()
                let isAllowed = name.hasSuffix("allowed.example")
                // Of two addresses either may win.
                #expect(result.output.contains("\(name) at ") == isAllowed, "\(name) \(address) \(result)")
                #expect(result.succeeded == isAllowed, "\(name) \(result)")
            }
            let found = try pod.connections(10)
            let told = found.map { "\($0["sni"] ?? "-") \($0.verdict)" }.sorted()
            let once = [
                "allowed.example allow rule_allow allowed-names", "allowed.example allow rule_allow allowed-names",
                "denied.example deny rule_deny denied-names", "other.example deny default_deny -",
                "www.allowed.example allow rule_allow allowed-names",
            ]
            #expect(told == (once + once).sorted(), "\(found)")
            let arrivals = Set(try pod.world.arrivals().keys)
            let due: Set = ["203.0.113.10 tcp 443", "2001:db8:113::10 tcp 443", "203.0.113.53 udp 53"]
            #expect(arrivals.isSubset(of: due) && arrivals.count > 1, "\(arrivals)")
        }
    }
}
