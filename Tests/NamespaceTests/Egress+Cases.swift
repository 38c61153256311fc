import Testing

/// One raw client of a table, and what must become of it.
struct EgressCase: Sendable {
    var name: String
    /// A Python expression: the pieces to send, each in a call of its own.
    var pieces: String
    /// Further arguments of the kit's `attempt`, in Python.
    var options = ""
    /// What the client sees.
    var sees: String
    /// As in `EgressConnection.verdict`.
    var verdict: String
    var detail: String?
    /// The name on record.
    var sni: String?
    /// The reason in the end record.
    var endReason: String?
    /// True where bytes of it may reach the world.
    var arrives: Bool { verdict.hasPrefix("allow") && endReason == nil }
}

extension GuardedPod {
    /// Runs the cases one after the other to one address and port, where an `EgressRecorder` listens, and expects of each
    /// what the client sees, exactly one record of the right kind, and nothing in the world of what is refused.
    func expect(
        _ cases: [EgressCase],
        at address: String,
        port: Int,
        _ recorder: EgressRecorder,
        _ place: SourceLocation = #_sourceLocation
    ) throws {
        let lines = cases.map { each in
            "show('\(address)', \(port), \(each.pieces)\(each.options.isEmpty ? "" : ", \(each.options)"))"
        }
        let before = recorder.visits().count
        let (result, connections) = try recorded(cases.count, place) {
            try python(lines.joined(separator: "\n"), seconds: 120)
        }
        let seen = result.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        try #require(seen.count == cases.count, "\(result)", sourceLocation: place)
        for (index, each) in cases.enumerated() {
            let connection = connections[index]
            #expect(seen[index] == each.sees, "\(each.name): \(connection)", sourceLocation: place)
            #expect(connection.verdict == each.verdict, "\(each.name): \(connection)", sourceLocation: place)
            #expect(connection["detail"] == each.detail, "\(each.name): \(connection)", sourceLocation: place)
            #expect(connection["sni"] == each.sni, "\(each.name): \(connection)", sourceLocation: place)
            #expect(connection.end?["reason"] == each.endReason, "\(each.name): \(connection)", sourceLocation: place)
            #expect(
                connection["destination.original"] == EgressClients.at(address, port),
                "\(each.name): \(connection)",
                sourceLocation: place
            )
        }
        let allowed = cases.count { $0.verdict.hasPrefix("allow") }
        let visits = recorder.visits(before + allowed).dropFirst(before)
        #expect(visits.count == allowed, "\(visits)", sourceLocation: place)
        let arrived = visits.count { $0.bytes > 0 }
        let arriving = cases.count { $0.arrives }
        #expect(arrived == arriving, "\(visits)", sourceLocation: place)
    }
}

/// Both families.
enum EgressFamily: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case ipv4
    case ipv6

    /// The address of this family.
    func pick(_ ipv4: String, _ ipv6: String) -> String { self == .ipv4 ? ipv4 : ipv6 }

    /// A name that is allowed, and has an address of this family alone.
    var name: String { pick("four.allowed.example", "six.allowed.example") }
    /// Its address, and one of allowed.example's.
    var allowed: String { pick("203.0.113.10", "2001:db8:113::10") }
    /// denied.example's.
    var denied: String { pick("203.0.113.20", "2001:db8:113::20") }
    /// Allowed by address in the standard policy.
    var bare: String { pick("203.0.113.30", "2001:db8:113::30") }
    /// Nobody's: an attacker's.
    var attacker: String { pick("203.0.113.66", "2001:db8:113::66") }
    /// The pod's own.
    var pod: String { pick(PodAndWorld.podIPv4, PodAndWorld.podIPv6) }
    var loopback: String { pick("127.0.0.1", "::1") }

    var testDescription: String { rawValue }
}
