import Foundation
import Testing

@Suite("Clients that connect, and ask later in plain HTTP")
struct LateRequestsTests {
    /// Asks behind a pause in which it is judged as one that lets the server speak first; `c` is its connection.
    private static func ask(_ place: String) -> String {
        """
        time.sleep(0.7)
        print(why(c.ask(*get("/a", "\(place)"))))
        print(why(c.ask(*get("/b", "denied.example:8080"))))
        print(why(c.ask("POST /echo HTTP/1.1", "Host: \(place)", "Content-Length: 4", body=b"late")))
        c.s.shutdown(socket.SHUT_WR); print(c.end())
        """
    }

    /// Holds where the connection was let through as silent and each request was judged for itself.
    private static func expectJudged(_ bed: HTTPPod, by verdicts: [String], of connection: String) throws {
        let requests = try bed.requests(3)
        let found = requests.map(\.verdict)
        #expect(found == verdicts, "\(requests)")
        let connections = try bed.pod.connections(1)
        try #require(connections.count == 1, "\(connections)")
        #expect(connections[0].verdict == connection && connections[0]["treatment"] == "tunnel", "\(connections)")
        let parents = Set(requests.map { $0["connection"] })
        #expect(parents == [connections[0]["id"]])
        let end = try #require(connections[0].end)
        #expect(end["outcome"] == "closed" && end["closed_by"] == "client" && end["reason"] == nil, "\(end)")
        // What went over it is in the ends of the requests.
        #expect(end["bytes_up"] == "0" && end["bytes_down"] == "0", "\(end)")
        #expect(Int(requests[2].end?["bytes_up"] ?? "") ?? 0 > 4, "\(requests)")
        // The server that was connected to while nobody said anything was told nothing.
        let said = bed.origin.visits(1).map(\.data)
        #expect(said.first == "" && bed.origin.accepts(on: 8080) == 2, "\(said)")
    }

    private static let byAddress = "allow rule_allow by-address"

    @Test(
        "B06: a connection that was let through while silent carries requests, each judged for itself",
        arguments: EgressFamily.allCases
    ) func captured(family: EgressFamily) throws {
        try HTTPPod.with { bed in
            let place = EgressClients.at(family.bare, 8080)
            let said = try bed.agent("c = dial(\"\(family.bare)\")\n" + Self.ask(place))
            #expect(said == ["200", "403 rule_deny", "200", "closed"], "\(said)")
            let verdicts = [Self.byAddress, "deny rule_deny denied-names", Self.byAddress]
            try Self.expectJudged(bed, by: verdicts, of: Self.byAddress)
        }
    }

    @Test("the same inside CONNECT, which binds the requests to its authority")
    func inConnect() throws {
        try HTTPPod.with { bed in
            let place = "203.0.113.30:8080"
            let said = try bed.agent(HTTPProxyTests.kit + "c = connect(\"\(place)\")\n" + Self.ask(place))
            #expect(said == ["200", "403 name_mismatch", "200", "closed"], "\(said)")
            let verdicts = [Self.byAddress, "deny name_mismatch -", Self.byAddress]
            try Self.expectJudged(bed, by: verdicts, of: Self.byAddress)
        }
    }

    @Test("in `mode: audit` each request says what would have become of it")
    func auditMode() throws {
        let rules = "  - { name: denied-names, match: { hosts: [denied.example] }, action: deny }\n"
        try HTTPPod.with(EgressPolicies.whole(rules, mode: "audit")) { bed in
            let place = "203.0.113.30:8080"
            let said = try bed.agent("c = dial(\"203.0.113.30\")\n" + Self.ask(place))
            #expect(said == ["200", "200", "200", "closed"], "\(said)")
            let would = try bed.requests(3).map { "\($0["would"] ?? "-") \($0["reason"] ?? "-")" }
            #expect(would == ["deny default_deny", "deny rule_deny", "deny default_deny"], "\(would)")
        }
    }

    @Test("B20: a policy that comes before the first request judges it; one that denies the silent connection cuts it")
    func reload() throws {
        try HTTPPod.with { bed in
            let agent = try bed.startAgent(
                """
                c = dial("203.0.113.30"); d = dial("2001:db8:113::30", timeout=60); time.sleep(0.7); print("ready", flush=True)
                print(d.end()); print(why(c.ask(*get("/a", "more.allowed.example"))), flush=True)
                """
            )
            let denials = """
                  - { name: no-more, match: { hosts: [more.allowed.example] }, action: deny }
                  - { name: no-ipv6, match: { cidrs: ["::/0"] }, action: deny }

                """
            try bed.pod.reload(denials + HTTPPod.rules)
            #expect(agent.wait().output == "ready\nreset\n403 rule_deny\n")
        }
    }

    @Test("where the server has spoken, or ended, it is no answer that a request could have: it is cut")
    func tooLate() throws {
        try HTTPPod.with { bed in
            try bed.pod.net.world.startPython(
                """
                import socket
                l = socket.create_server(("203.0.113.30", 9000)); print("ready", flush=True)
                a, _ = l.accept(); a.sendall(b"hello"); b, _ = l.accept(); b.shutdown(1); a.recv(9); b.recv(9)
                """,
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            let said = try bed.agent(
                """
                for _ in range(2):
                    c = dial("203.0.113.30", 9000); time.sleep(0.7); c.send(*get("/a", "203.0.113.30:9000"))
                    print(c.end(), c.end())
                """
            )
            #expect(said == ["hello reset", "closed closed"], "\(said)")
            let ends = try bed.pod.connections(2).map { "\($0.end?["outcome"] ?? "-") \($0.end?["reason"] ?? "-")" }
            #expect(ends == ["cut per_request", "cut per_request"], "\(ends)")
        }
    }
}
