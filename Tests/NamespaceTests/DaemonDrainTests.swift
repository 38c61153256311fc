import Foundation
import Testing

@Suite("The daemon stops")
struct DaemonDrainTests {
    @Test("a daemon without connections stops at once, with 0", arguments: [SIGTERM, SIGINT])
    func idle(signal: Int32) throws {
        try DaemonBed.with(DaemonSettings(drainSeconds: 30)) { bed in
            bed.signal(signal)
            let result = try #require(bed.daemon?.wait())
            #expect(result.status == 0, "\(result)")
            #expect(try bed.audit().lives == ["started", "draining", "stopped"])
            try expectSound(bed)
        }
    }

    /// Four tunnels, so that each of the loops has one in all likelihood.
    private static let tunnels = """
        sockets = [dial(a, 7001, 30) for a in ("203.0.113.7", "203.0.113.8", "2001:db8:99::7", "2001:db8:99::8")]
        for s in sockets: s.sendall(b"\\0hello"); s.recv(100)
        print("ready", flush=True)
        """

    @Test(
        "from SIGTERM on new connections are refused at once, on every loop; live ones may end, and it exits with 0",
        arguments: Handover.allCases
    )
    func drains(handover: Handover) throws {
        try DaemonBed.with(DaemonSettings(workers: 3, handover: handover, drainSeconds: 20)) { bed in
            let tunnels = try bed.startAgent(
                Self.tunnels + """

                    while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                    for s in sockets: s.sendall(b"still here")
                    print("answers", [s.recv(100) for s in sockets], flush=True)
                    for s in sockets: s.close()
                    """,
                [bed.folder.path + "/go"]
            )
            bed.signal(SIGTERM)
            #expect(try bed.health("/readyz", status: 503, containing: "draining").contains("draining"))
            try bed.forgetArrivals()
            let refused = try bed.agent(
                """
                began = time.time()
                print({echo(a) for a in ("203.0.113.9", "2001:db8:99::9") for _ in range(12)})
                print(time.time() - began < 12)  # a SYN that is not answered is repeated after a second
                """
            )
            #expect(refused == "{'ECONNREFUSED'}\nTrue\n")
            #expect(try bed.arrivals().isEmpty)
            bed.signal(SIGTERM)
            bed.signal(SIGHUP)
            try bed.folder.write("", to: bed.folder.path + "/go")
            let answers = "answers " + "[b'still here', b'still here', b'still here', b'still here']"
            #expect(tunnels.waitForOutput(answers), "\(tunnels.output)")
            let result = try #require(bed.daemon?.wait())
            #expect(result.status == 0, "\(result)")
            let reading = try bed.audit()
            #expect(reading.ends("closed").count == 4, "\(reading.ends)")
            #expect(reading.lives == ["started", "draining", "stopped"])
            try expectSound(bed)
        }
    }

    @Test("what is still open after drain.seconds is cut and recorded as drained, and it exits with 0")
    func cuts() throws {
        try DaemonBed.with(DaemonSettings(drainSeconds: 1)) { bed in
            let tunnels = try bed.startAgent(
                Self.tunnels + """

                    for s in sockets:
                        try: print(s.recv(100), flush=True)
                        except OSError as error: print(name(error), flush=True)
                    """
            )
            let start = ContinuousClock.now
            bed.signal(SIGTERM)
            let result = try #require(bed.daemon?.wait())
            let took = ContinuousClock.now - start
            #expect(result.status == 0, "\(result)")
            #expect(took >= .milliseconds(900) && took < .seconds(15), "\(took)")
            #expect(tunnels.wait().output == "ready\n" + String(repeating: "ECONNRESET\n", count: 4))
            let reading = try bed.audit()
            #expect(reading.ends("drained").count == 4, "\(reading.ends)")
            let reasons = Set(reading.ends.map(\.reason))
            #expect(reasons == ["draining"])
            #expect(reading.lives.last == "stopped")
            try expectSound(bed)
        }
    }

    @Test("what is still being sniffed, looked up or dialled when the time is over ends with the rest, and is recorded")
    func cutsWhatIsOnItsWay() throws {
        let rules = """
              - name: named
                match: { hosts: [slow.test] }
                action: allow
              - name: plain
                match: { cidrs: [203.0.113.20/32], ports: [7100] }
                action: allow
            """
        try DaemonBed.with(DaemonSettings(policy: DaemonPolicy.text(rules), drainSeconds: 1)) { bed in
            // Neither the server nor the resolver ever answers.
            try bed.net.world.shell(
                "nft 'table inet silent { chain in { type filter hook prerouting priority 0; tcp dport 7100 drop; udp dport 53 drop; }; }'"
            )
            let clients = try bed.startAgent(
                """
                sockets = [dial("203.0.113.21", 443), dial("203.0.113.20", 7100), dial("203.0.113.22", 443)]
                sockets[1].sendall(b"\\0hello"); sockets[2].sendall(hello(b"slow.test"))
                time.sleep(0.5); print("ready", flush=True)
                for s in sockets:
                    try: print(s.recv(100)[:1], flush=True)
                    except OSError as error: print(name(error), flush=True)
                """
            )
            let start = ContinuousClock.now
            bed.signal(SIGTERM)
            let result = try #require(bed.daemon?.wait())
            let took = ContinuousClock.now - start
            #expect(result.status == 0 && took < .seconds(15), "\(took) \(result)")
            #expect(clients.wait().output.hasPrefix("ready\nECONNRESET\nECONNRESET\n"))
            let reading = try bed.audit()
            #expect(reading.connections(to: "203.0.113.21").map(\.reason) == ["draining"])
            #expect(reading.connections(to: "203.0.113.20").map(\.reason) == ["rule_allow"])
            #expect(reading.ends.map(\.outcome) == ["drained"], "\(reading.ends)")
            #expect(reading.connections(to: "203.0.113.22").map(\.isAllowed) == [false])
            try expectSound(bed)
        }
    }
}
