import Foundation
import Testing

@Suite("Where a connection may go")
struct EgressDestinationTests {
    @Test("B01: a forged SNI reaches the name's own server, and the attacker's sees nothing")
    func forgedName() throws {
        try GuardedPod.with { pod in
            for family in EgressFamily.allCases {
                for client in [EgressClients.curl, { name, address, _, _ in EgressClients.python(name, at: address) }] {
                    let (result, found) = try pod.recorded {
                        try pod.agent(client(family.name, family.attacker, 443, []))
                    }
                    #expect(result.output == "\(family.name) at \(family.allowed)\n", "\(result)")
                    #expect(found[0].verdict == "allow rule_allow allowed-names", "\(found)")
                    #expect(found[0]["destination.original"] == EgressClients.at(family.attacker, 443), "\(found)")
                    #expect(found[0].end?["dialled"] == EgressClients.at(family.allowed, 443), "\(found)")
                    #expect(found[0].decision.binding == ["sni", "dns"], "\(found)")
                }
                #expect(try pod.world.arrivals(at: family.attacker) == 0)
            }
        }
    }

    /// What names below the allowed one point to: each address alone, under a name of its own.
    static let special = [
        "169.254.169.254", "100.100.100.200", "168.63.129.16", "169.254.170.2", "fd00:ec2::254", "127.0.0.1",
        "127.8.9.10",
        "::1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1", "192.0.0.8", "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1", "0.0.0.0", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1", "::", "::ffff:10.0.0.1",
        "::ffff:203.0.113.10", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a00:1::", "2001:0:1::1",
    ]

    @Test("C01, C03, C04: a name that points to a special address is refused, and nobody is dialled")
    func namesOfSpecialAddresses() throws {
        var names: [String: [String]] = [:]
        for (index, address) in Self.special.enumerated() { names["s\(index).allowed.example"] = [address] }
        names["mixed.allowed.example"] = ["10.1.2.3", "203.0.113.10", "fd12::1"]
        try GuardedPod.with(names: names) { pod in
            for family in EgressFamily.allCases {
                let lines = Self.special.indices.map { index in
                    "show('\(family.allowed)', 443, tls(b's\(index).allowed.example'))"
                }
                let (result, found) = try pod.recorded(lines.count) { try pod.python(lines.joined(separator: "\n")) }
                #expect(result.output == String(repeating: "alert 49\n", count: lines.count), "\(result)")
                #expect(found.verdicts == ["deny special_address allowed-names"], "\(found)")
            }
            let arrivals = Set(try pod.world.arrivals().keys)
            #expect(arrivals == ["203.0.113.53 udp 53"], "\(arrivals)")
            let (result, found) = try pod.recorded {
                try pod.agent(EgressClients.curl("mixed.allowed.example", at: "203.0.113.10"))
            }
            #expect(result.output == "mixed.allowed.example at 203.0.113.10\n", "\(result)")
            #expect(found[0].verdict == "allow rule_allow allowed-names", "\(found)")
            #expect(try pod.world.arrivals(at: "10.1.2.3") + pod.world.arrivals(at: "fd12::1") == 0)
        }
    }

    /// What an agent can connect to at all, of the above.
    static let reachable = [
        "169.254.169.254", "100.100.100.200", "168.63.129.16", "169.254.170.2", "fd00:ec2::254", "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1", "100.64.0.1", "169.254.1.1", "192.0.0.8", "198.18.0.1", "240.0.0.1", "fc00::1", "fd12::1",
        "fec0::1",
        "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:a00:1::", "2001:0:1::1", "::10.0.0.1",
    ]

    @Test("C01, C03, C04: a special address itself is refused, whatever name stands in front and whatever the default")
    func specialAddresses() throws {
        let policy = """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: open
            default: allow
            rules:
              - name: allowed-names
                match: { hosts: [allowed.example] }
                action: allow
              - name: one-private
                match: { cidrs: [10.9.9.9/32], ports: [443] }
                action: allow
            """
        try GuardedPod.with(policy) { pod in
            for (name, rule) in [("allowed.example", "allowed-names"), ("other.example", "-")] {
                let lines = Self.reachable.map { "show('\($0)', 443, tls(b'\(name)'))" }
                let (result, found) = try pod.recorded(lines.count) { try pod.python(lines.joined(separator: "\n")) }
                #expect(result.output == String(repeating: "alert 49\n", count: lines.count), "\(result)")
                #expect(found.verdicts == ["deny special_address \(rule)"], "\(found)")
            }
            let (banner, silent) = try pod.recorded { try pod.python("show('169.254.169.254', 22, [])") }
            #expect(banner.output == "reset\n", "\(banner)")
            #expect(silent[0].verdict == "deny special_address -", "\(silent)")
            let (named, found) = try pod.recorded {
                try pod.agent(EgressClients.curl("other.example", at: "10.9.9.9"))
            }
            #expect(named.output == "other.example at 10.9.9.9\n", "\(named)")
            #expect(found[0].verdict == "allow rule_allow one-private", "\(found)")
            let arrivals = Set(try pod.world.arrivals().keys.map { $0.split(separator: " ")[0] })
            #expect(arrivals == ["10.9.9.9"], "\(arrivals)")
        }
    }

    @Test("B12: a name that is public first and private then is refused from then on")
    func rebinding() throws {
        let families = EgressFamily.allCases
        let names = Dictionary(uniqueKeysWithValues: families.map { ("\($0).allowed.example", [$0.allowed]) })
        try GuardedPod.with(names: names) { pod in
            for family in families {
                let (result, found) = try pod.recorded {
                    try pod.agent(EgressClients.curl("\(family).allowed.example", at: family.allowed))
                }
                #expect(result.output == "\(family).allowed.example at \(family.allowed)\n", "\(result)")
                #expect(found[0].verdict == "allow rule_allow allowed-names", "\(found)")
            }
            let rebound = names.mapValues { _ in ["169.254.169.254", "127.0.0.1", "fd00:ec2::254"] }
            try pod.world.setNames(EgressWorld.standardNames.merging(rebound) { $1 })
            // What the daemon remembers lives for a second, as the test's configuration says.
            usleep(1_300_000)
            for family in families {
                let (result, found) = try pod.recorded {
                    try pod.agent(EgressClients.curl("\(family).allowed.example", at: family.allowed))
                }
                #expect(result.status == 35, "\(result)")
                #expect(found[0].verdict == "deny special_address allowed-names", "\(found)")
            }
            for address in ["169.254.169.254", "fd00:ec2::254"] { #expect(try pod.world.arrivals(at: address) == 0) }
        }
    }

    static let ownPorts = [15880, 15881, 15853, 8081, 15890]

    @Test(
        "A40, A14, A15: no local address leads to one of the daemon's ports, under the most open policy either",
        arguments: Handover.allCases
    )
    func ownListeners(handover: Handover) throws {
        let policy = """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: open
            default: allow
            rules:
              - name: everything
                match: { cidrs: [0.0.0.0/0, "::/0"] }
                action: allow
            """
        try GuardedPod.with(policy, handover: handover) { pod in
            try pod.pod.shell("ip addr add 10.77.0.1/32 dev lo; ip addr add fd77::1/128 dev lo nodad")
            let link = try pod.pod.shell("ip -6 -o addr show dev eth0 scope link").firstMatch(of: /fe80:[0-9a-f:]+/)
            let linkLocal = "\(try #require(link).0)%eth0"
            let addresses = [
                PodAndWorld.podIPv4, PodAndWorld.podIPv6, "10.77.0.1", "fd77::1", "::ffff:\(PodAndWorld.podIPv4)",
            ]
            let lines = addresses.flatMap { address in
                Self.ownPorts.map { "show('\(address)', \($0), [b'GET /metrics HTTP/1.0\\r\\n\\r\\n'])" }
            }
            let (result, found) = try pod.recorded(lines.count) { try pod.python(lines.joined(separator: "\n")) }
            #expect(result.output == String(repeating: "reset\n", count: lines.count), "\(result)")
            #expect(found.verdicts == ["deny own_listener -"], "\(found)")
            // The transparent listener itself: the kernel refuses, and the daemon hears nothing of it.
            let direct = ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"]
            let (refused, _) = try pod.recorded(0) {
                try pod.python(direct.map { "show('\($0)', 15880, tls(b'allowed.example'))" }.joined(separator: "\n"))
            }
            #expect(refused.output == String(repeating: "ECONNREFUSED\n", count: direct.count), "\(refused)")
            // A link-local address: the kernel drops it, or the daemon refuses it.
            let local = Self.ownPorts.map {
                "show('\(linkLocal)', \($0), [b'GET / HTTP/1.0\\r\\n\\r\\n'], timeout=0.5)"
            }
            let (closed, _) = try pod.recorded(0) { try pod.python(local.joined(separator: "\n")) }
            #expect(
                Set(closed.output.split(separator: "\n")).isSubset(of: ["silence", "reset", "ECONNREFUSED"]),
                "\(closed)"
            )
            #expect(try pod.world.arrivals().isEmpty)
        }
    }

    @Test("A40: a name that points to the pod itself leads to none of the daemon's ports")
    func ownListenersByName() throws {
        let rules = """
              - name: named
                match: { hosts: ["*.allowed.example"], ports: [1-65535] }
                action: allow
            """
        let pod = [PodAndWorld.podIPv4, PodAndWorld.podIPv6]
        var names = ["pod.allowed.example": pod]
        for family in EgressFamily.allCases { names["\(family).allowed.example"] = pod + [family.allowed] }
        try GuardedPod.with(rules, names: names) { pod in
            let recorder = try EgressRecorder(pod, port: 15890)
            for family in EgressFamily.allCases {
                let lines = Self.ownPorts.map { "show('\(family.allowed)', \($0), tls(b'pod.allowed.example'))" }
                let (result, found) = try pod.recorded(lines.count) { try pod.python(lines.joined(separator: "\n")) }
                #expect(result.output == String(repeating: "alert 49\n", count: lines.count), "\(result)")
                #expect(found.verdicts == ["deny own_listener -"], "\(found)")
                let (mixed, other) = try pod.recorded {
                    try pod.python("show('\(family.attacker)', 15890, tls(b'\(family).allowed.example'))")
                }
                #expect(mixed.output == "served\n", "\(mixed)")
                #expect(other[0].end?["dialled"] == EgressClients.at(family.allowed, 15890), "\(other)")
            }
            #expect(recorder.visits(2).count == 2)
        }
    }
}
