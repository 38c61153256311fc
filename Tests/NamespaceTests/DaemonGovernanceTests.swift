import Foundation
import Testing

@Suite("The daemon answers before something is sent")
struct DaemonGovernanceTests {
    /// Asks the API over one connection, once for each destination, and says what it answers.
    private static let ask = """
        import http.client, json
        api = http.client.HTTPConnection(sys.argv[1], 8081, timeout=10)
        def check(host, port=7001):
            body = json.dumps({"action": "tcp.connect", "agent_did": "did:mesh:other",
                               "context": {"host": host, "port": port, "protocol": "opaque"}})
            api.request("POST", "/api/v1/check-policy", body, {"Content-Type": "application/json"})
            answer = json.loads(api.getresponse().read())
            return answer["decision"], answer["reason"], answer["matched_rule"], answer["address"]

        """

    @Test("the API answers the agent as the data path treats it, on both families, and records who asked")
    func answers() throws {
        try DaemonBed.with { bed in
            for address in ["127.0.0.1", "::1"] {
                let said = try bed.agent(
                    Self.ask + """
                        for host in ["203.0.113.10", "203.0.113.66", "198.51.100.1"]: print(*check(host), echo(host))
                        print(*check("127.0.0.1", 15880))
                        """,
                    [address]
                )
                let expected = """
                    allow rule_allow plain checked ok
                    deny rule_deny denied checked ECONNRESET
                    deny default_deny None checked ECONNRESET
                    deny own_listener None checked

                    """
                #expect(said == expected)
            }
            let checks = try bed.audit().lines.filter { $0.kind == "check" }
            #expect(checks.count == 8)
            #expect(Set(checks.map { ($0.object["caller"] as? [String: Any])?["uid"] as? Int }) == [2000])
            #expect(Set(checks.map { $0.text("claimed_agent") }) == ["did:mesh:other"])
            #expect(try bed.audit().faults.isEmpty)
        }
    }

    @Test("a reload answers the next question of a connection that is there already")
    func reload() throws {
        try DaemonBed.with { bed in
            let asking = try bed.startAgent(
                Self.ask + """
                    print(check("203.0.113.10")[0], flush=True); print("ready", flush=True)
                    while check("203.0.113.10")[0] == "allow": time.sleep(0.05)
                    print("denied now", flush=True)
                    """,
                ["127.0.0.1"]
            )
            try bed.folder.write(DaemonPolicy.text("  []"), to: bed.folder.policy)
            bed.signal(SIGHUP)
            #expect(asking.waitForOutput("denied now"), "\(asking.output)")
            #expect(bed.end() == 0)
        }
    }
}
