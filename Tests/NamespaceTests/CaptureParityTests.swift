import Foundation
import Testing

/// What two daemons wrote of the same traffic, told apart by nothing but when and by which port it came.
private struct ComparableTrail {
    /// Connection by connection, each with all that was recorded of it, in the order of the decisions.
    private(set) var connections: [[String]] = []

    /// What differs from run to run: times, numbers, hashes of the chain, and the client's port.
    private static let passing: Set<String> = [
        "time", "sequence", "id", "previous", "connection", "duration_ms", "connect_ms",
    ]

    init(_ records: [EgressRecord]) throws {
        var places: [String: Int] = [:]
        for record in records {
            guard let kind = record["kind"], ["connection", "connection_end", "request", "request_end"].contains(kind)
            else { continue }
            if kind == "connection", let id = record["id"] {
                places[id] = connections.count
                connections.append([])
            }
            let owner = kind.hasPrefix("request") ? record["connection"] : record["id"]
            let known = owner.flatMap { places[$0] }
            let place = try #require(known, "\(record)")
            connections[place].append(try Self.comparable(record))
        }
    }

    private static func comparable(_ record: EgressRecord) throws -> String {
        var members = record.members.filter { !passing.contains($0.key) }
        if let client = members["client"] as? String {
            // An IPv6 address has colons of its own.
            members["client"] = String(client.prefix(upTo: try #require(client.lastIndex(of: ":"))))
        }
        // Real TLS: a signature by an elliptic curve is 70 to 72 octets long, and at the end each side says so to the other.
        if isOfHandshake(record) {
            for key in ["bytes_up", "bytes_down", "closed_by"] { members[key] = nil }
        }
        let data = try JSONSerialization.data(withJSONObject: members, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    private static func isOfHandshake(_ record: EgressRecord) -> Bool {
        record["kind"]?.hasSuffix("_end") == true && record["dialled"]?.hasSuffix(":443") == true
    }
}

@Suite("TPROXY beside the redirect")
struct CaptureParityTests {
    private static let rules = """
          - name: denied-names
            match: { hosts: [denied.example, "*.denied.example"] }
            action: deny
          - name: denied-address
            match: { cidrs: [203.0.113.66/32, "2001:db8:113::66/128"] }
            action: deny
          - name: allowed-names
            match: { hosts: [allowed.example, "*.allowed.example"], ports: [80, 443, 8443] }
            action: allow
          - name: other-user
            match: { hosts: [other.example], workload: { uids: [2001] } }
            action: allow
          - name: by-address
            match: { cidrs: [203.0.113.30/32, "2001:db8:113::30/128"] }
            action: allow
        """

    /// What an agent does to one family, attempt by attempt; each line is a Python statement.
    ///
    /// 8443 is written down by the world and answered, 2222 has a banner before that, nobody listens on 9.
    private static func attempts(_ family: EgressFamily) -> [String] {
        let allowed = "'\(family.allowed)'"
        let bare = "'\(family.bare)'"
        let page = "b'GET / HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n'"
        var lines = [
            "show(\(allowed), 8443, tls(b'allowed.example'))",
            "show(\(allowed), 8443, single(tls(b'allowed.example')[0]))",
            "show('\(family.attacker)', 8443, tls(b'www.allowed.example'))",
            "show('\(family.denied)', 443, tls(b'denied.example'))",
            "show('\(family.denied)', 443, tls())",
            "show(\(allowed), 443, [b'\\x16\\x03\\x01' + bytes(9)])",
            "show(\(allowed), 443, tls(b'unknown.example'))",
            "show(\(allowed), 443, tls(b'nowhere.allowed.example'))",
            "show(\(allowed), 443, tls(b'inner.allowed.example'))",
            "show(\(bare), 8443, [b'\\0opaque'])",
            "show(\(bare), 2222, [b'\\0after the banner'], first=b'220 banner\\r\\n')",
            "show(\(bare), 2222, tls(b'denied.example'), first=b'220 banner\\r\\n')",
            "show(\(bare), 8443, [b'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n'])",
            "show(\(bare), 9, [b'\\0'])",
            "show(\(bare), 0, [b'\\0'])",
            "show(\(allowed), 0, tls(b'allowed.example'))",
            "show('\(family.denied)', 8443, [b'\\0opaque'])",
            "show(\(allowed), 8443, [])",
            "show('\(family.attacker)', 22, [])",
            "show(\(allowed), 80, [b'CONNECT allowed.example:443 HTTP/1.1\\r\\n\\r\\n'])",
            "show(\(allowed), 80, [bytes([5, 1, 0])])",
            "show(\(allowed), 80, [\(page) % b'denied.example'], end='fin')",
            "show(\(allowed), 80, [\(page) % b'allowed.example', \(page) % b'denied.example', \(page) % b'allowed.example'], "
                + "end='fin')",
            "show('\(family.loopback)', 15881, [b'CONNECT allowed.example:8443 HTTP/1.1\\r\\n\\r\\n'])",
        ]
        lines += [15880, 15881, 15853, 8081, 15890, 443].map { port in
            "show('\(family.pod)', \(port), tls(b'allowed.example'))"
        }
        lines += [
            "10.1.2.3", "169.254.169.254", "100.64.0.1", "240.0.0.1", "::ffff:203.0.113.66", "::ffff:203.0.113.30",
        ]
        .filter { family == ($0.hasPrefix("::") ? .ipv6 : .ipv4) }
        .map { "show('\($0)', 8443, [b'\\0special'])" }
        lines += ["fc00::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "2002:a00:1::"].filter { _ in family == .ipv6 }
            .map { "show('\($0)', 8443, [b'\\0special'])" }
        return lines
    }

    private struct Outcome {
        /// What each client saw, in order.
        var seen: [String] = []
        var trail: ComparableTrail
    }

    /// Sends all of it through a pod of its own.
    private static func run(_ handover: Handover) throws -> Outcome {
        // Each name has one address: of two, a busy machine may let either win the race.
        let names = [
            "allowed.example": ["2001:db8:113::10"], "www.allowed.example": ["203.0.113.10"],
            "other.example": ["203.0.113.21"], "inner.allowed.example": ["10.1.2.3", "fd12::1"],
        ]
        let settings = "limits: { sniff_seconds: 1 }"
        return try GuardedPod.with(rules, settings: settings, names: names, handover: handover) { pod in
            let recorders = [
                try EgressRecorder(pod, port: 8443), try EgressRecorder(pod, port: 2222, banner: "220 banner\r\n"),
            ]
            return try withExtendedLifetime(recorders) {
                var seen: [String] = []
                for family in EgressFamily.allCases {
                    // One after the other, each with all that is recorded of it: what comes in one order must be written in it.
                    for attempt in attempts(family) {
                        let (result, _) = try pod.recorded { try pod.python(attempt) }
                        seen.append("\(attempt): \(result.output)")
                    }
                    for name in ["allowed.example", "denied.example", "other.example"] {
                        for user in [RunAs.agent, RunAs(uid: 2001, gid: 2001)] {
                            let (result, _) = try pod.recorded {
                                try pod.agent(EgressClients.curl(name, at: family.allowed), as: user)
                            }
                            seen.append("\(name) as \(user.uid): \(result.status) \(result.output)")
                        }
                    }
                    let plain = EgressClients.curl("allowed.example", at: family.allowed, port: 80)
                    let (result, _) = try pod.recorded { try pod.agent(plain) }
                    seen.append("plain: \(result.output)")
                }
                #expect(pod.stop() == 0)
                return Outcome(seen: seen, trail: try ComparableTrail(try pod.auditRecords()))
            }
        }
    }

    @Test("the same traffic leaves the same records, and its clients see the same")
    func sameRecords() throws {
        let redirected = try Self.run(.redirect)
        let routed = try Self.run(.tproxy)
        #expect(routed.seen == redirected.seen)
        #expect(routed.trail.connections.count == redirected.trail.connections.count)
        let pairs = zip(redirected.trail.connections, routed.trail.connections)
        for (place, pair) in pairs.enumerated() {
            #expect(pair.0 == pair.1, "connection \(place)")
        }
        // That it was worth comparing.
        let all = routed.trail.connections.joined().joined()
        let kinds = [
            "\"allow\"", "own_listener", "special_address", "sniff_limit", "rule_deny", "\"request_end\"", ":0\"",
        ]
        for kind in kinds { #expect(all.contains(kind), "\(kind)") }
    }
}
