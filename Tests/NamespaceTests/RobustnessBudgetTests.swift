import Foundation
import Testing

@Suite("The audit's budget is spent")
struct RobustnessBudgetTests {
    /// Fills the trail with questions of some kilobytes that do not compress, until they are refused.
    private static let fill = """
        import http.client, secrets
        api = http.client.HTTPConnection("127.0.0.1", 8081, timeout=30)
        status, count = 200, 0
        while status == 200 and count < 20000:
            body = json.dumps({"action": "http.request", "agent_did": "did:mesh:x", "context": {
                "host": "203.0.113.7", "port": 80, "protocol": "http", "path": "/" + secrets.token_urlsafe(3000)}})
            try:
                api.request("POST", "/api/v1/check-policy", body, {"Content-Type": "application/json"})
                answer = api.getresponse(); answer.read(); status = answer.status
            except OSError as error:
                status = name(error)
            count += 1
        print(status, count)
        """

    @Test(
        "G06: at the budget new traffic is refused and said to be, what is open gets its end, and it goes on when files are taken away"
    )
    func spent() throws {
        var settings = DaemonSettings()
        settings.audit = ", rotate: { bytes: 4MiB }, budget_bytes: 32MiB"
        try DaemonBed.with(settings) { bed in
            let live = try bed.startAgent(
                """
                s = dial("203.0.113.7", 7001); s.sendall(b"\\0hello"); s.recv(100)
                print("ready", flush=True)
                while not os.path.exists(sys.argv[1]):
                    # The server ends what says nothing for a minute.
                    s.sendall(b"."); s.recv(100); time.sleep(0.2)
                s.sendall(b"still"); print("live", s.recv(100).decode(), flush=True)
                s.close()
                """,
                [bed.folder.path + "/go"]
            )
            let filled = try bed.agent(Self.fill, seconds: 240)
            #expect(filled.hasPrefix("503 "), "\(filled)")
            let unready = try bed.health("/readyz", status: 503)
            #expect(unready.contains("of audit.budget_bytes 33554432"), "\(unready)")
            let metrics = try bed.metrics()
            #expect(metrics["audit_state{state=\"over_budget\"}"] == 1 && metrics["audit_writable"] == 0)
            #expect(metrics["audit_bytes"] < 32 << 20 && metrics["audit_budget_bytes"] == 32 << 20)

            try bed.forgetArrivals()
            let refused = try bed.agent("print([echo(a, timeout=25) for a in ('203.0.113.8', '2001:db8:99::8')])")
            #expect(refused == "['ECONNRESET', 'ECONNRESET']\n")
            #expect(try bed.arrivals().isEmpty, "something left without a record")
            // What is open goes on, and its end is written from what was set aside.
            try bed.folder.write("", to: bed.folder.path + "/go")
            #expect(live.waitForOutput("live still"), "\(live.output)\(live.errors)")
            let reading = try bed.audit { $0.ends.contains { $0.outcome == "closed" } }
            #expect(reading.ends("closed").count == 1)
            let reasons = Set(
                (reading.connections(to: "203.0.113.8") + reading.connections(to: "2001:db8:99::8")).map(\.reason)
            )
            #expect(reasons == ["audit_unavailable"])

            let closed = bed.folder.trail.filter { $0 != bed.folder.audit }
            #expect(closed.count >= 3)
            for file in closed { try FileManager.default.removeItem(atPath: file) }
            // Ready it may be before, by what the end of the live connection no longer needs: for that alone, and not for more.
            let isCounted = BackgroundProcess.poll(seconds: 60) {
                guard let metrics = try? bed.metrics() else { return false }
                return metrics["audit_bytes"] < 16 << 20
            }
            #expect(isCounted)
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.agent("print(echo('203.0.113.9'))") == "ok\n")
            #expect(try bed.metrics()["audit_state{state=\"over_budget\"}"] == 0)
            #expect(bed.end() == 0)
        }
    }

    @Test("retention keeps the trail below its budget by itself, and says what it removed")
    func kept() throws {
        var settings = DaemonSettings()
        settings.audit = ", rotate: { bytes: 4MiB }, keep: { bytes: 16MiB }, budget_bytes: 32MiB"
        try DaemonBed.with(settings) { bed in
            let filled = try bed.agent(Self.fill.replacingOccurrences(of: "20000", with: "9000"), seconds: 240)
            #expect(filled == "200 9000\n")
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            #expect(try bed.metrics()["audit_bytes"] < 32 << 20)
            #expect(bed.end() == 0)
            let text = try String(contentsOfFile: bed.folder.wholeTrail(), encoding: .utf8)
            #expect(text.contains(#""event":"removed""#))
        }
    }
}
