import Foundation
import Testing

/// Where a new connection stands whose client has said all: its record is being written, or its server is being dialled.
@Suite("Connections that are cut before anything is connected")
struct RobustnessCutTests {
    private static let denying = DaemonPolicy.text(
        """
          - name: no-more
            match: { cidrs: [203.0.113.10/32, "2001:db8:99::10/128"] }
            action: deny
          - name: plain
            match: { cidrs: [203.0.113.0/24, "2001:db8:99::/64"] }
            action: allow
        """
    )

    @Test(
        "G08: what is denied by a reload while its record waits for the disk never leaves, and ends as policy_changed",
        arguments: ["203.0.113.10", "2001:db8:99::10"]
    )
    func whileRecording(address: String) throws {
        try DaemonBed.with(start: false) { bed in
            try bed.folder.mountAuditDisk()
            try bed.start()
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            try bed.forgetArrivals()
            try NetworkNamespace.must(["fsfreeze", "-f", bed.folder.auditFolder])
            let client: BackgroundProcess
            do {
                defer { _ = try? NetworkNamespace.must(["fsfreeze", "-u", bed.folder.auditFolder]) }
                client = try bed.startAgent(
                    "print('ready', flush=True)\nprint('late', echo(sys.argv[1], timeout=40), flush=True)",
                    [address]
                )
                let isWaiting = BackgroundProcess.poll(seconds: 8) {
                    (try? bed.metrics()["audit_backlog_records"] > 0) ?? false
                }
                #expect(isWaiting)
                try bed.folder.write(Self.denying, to: bed.folder.policy)
                bed.signal(SIGHUP)
                let isLoaded = BackgroundProcess.poll(seconds: 8) {
                    (try? bed.metrics()["policy_generation"] == 2) ?? false
                }
                #expect(isLoaded)
                // The loops are told of it behind that.
                usleep(300_000)
            }
            #expect(client.waitForOutput("late ECONNRESET"), "\(client.output)\(client.errors)")
            let reading = try bed.audit { $0.ends("policy_changed").count == 1 }
            let end = try #require(reading.ends("policy_changed").first)
            #expect(end.reason == "rule_deny" && end.rule == "no-more" && end.text("closed_by") == "ours", "\(end)")
            #expect(end.id == reading.connections(to: address).first?.id)
            #expect(try bed.arrivals().isEmpty)
            #expect(bed.end() == 0)
            try expectSound(bed)
        }
    }

    @Test(
        "G08: what is denied by a reload, or drained, while its server does not answer is cut at once, and its attempt ends",
        arguments: [SIGHUP, SIGTERM]
    )
    func whileDialling(signal: Int32) throws {
        try DaemonBed.with(DaemonSettings(drainSeconds: 1)) { bed in
            try bed.net.world.shell(
                "nft 'table inet silent { chain in { type filter hook prerouting priority 0; tcp dport 7001 drop; }; }'"
            )
            let client = try bed.startAgent(
                """
                sockets = [dial(a, 7001, 40) for a in ("203.0.113.10", "2001:db8:99::10")]
                for s in sockets: s.sendall(b"\\0hello")
                print("ready", flush=True)
                for s in sockets:
                    try: print("bytes" if s.recv(100) else "eof", flush=True)
                    except OSError as error: print(name(error), flush=True)
                print("over", flush=True)
                """
            )
            // Recorded, which is when it is dialled.
            let before = try bed.audit { $0.connections.count == 2 }
            #expect(before.ends.isEmpty && before.connections.map(\.isAllowed) == [true, true], "\(before.lines)")
            try bed.folder.write(Self.denying, to: bed.folder.policy)
            let start = ContinuousClock.now
            bed.signal(signal)
            #expect(client.waitForOutput("over"), "\(client.output)")
            let took = ContinuousClock.now - start
            #expect(client.output == "ready\nECONNRESET\nECONNRESET\nover\n")
            #expect(took < .seconds(8), "the dial's own time is longer: \(took)")
            let outcome = signal == SIGHUP ? "policy_changed" : "drained"
            let reading = try bed.audit { $0.ends(outcome).count == 2 }
            #expect(reading.ends.map(\.outcome) == [outcome, outcome], "\(reading.ends)")
            let reasons = Set(reading.ends.map(\.reason))
            #expect(reasons == [signal == SIGHUP ? "rule_deny" : "draining"])
            let status = signal == SIGHUP ? bed.end() : bed.daemon?.wait().status
            #expect(status == 0)
            try expectSound(bed)
        }
    }
}
