import Foundation
import Testing

@Suite("The daemon is asked too much")
struct RobustnessLimitsTests {
    @Test("G07: silent and half-said connections push each other out, the oldest first, and a good client gets through")
    func undecided() throws {
        let settings = DaemonSettings(
            policy: DaemonPolicy.namesOnly,
            workers: 1,
            limits: "undecided: 50, sniff_seconds: 30"
        )
        try DaemonBed.with(settings) { bed in
            let flood = try bed.startAgent(
                """
                whole = hello(b"denied.test")
                sockets = []
                for i in range(400):
                    s = dial("203.0.113.7", 443); sockets.append(s)
                    if i % 2: s.sendall(whole[:i % len(whole)])
                print("ready", flush=True); time.sleep(60)
                """
            )
            let good = try bed.agent(
                """
                print({echo("203.0.113.77", 443, hello(b"allowed.test")) for _ in range(5)})
                """
            )
            #expect(good == "{'ok'}\n")
            let reading = try bed.audit { $0.connections.count { $0.reason == "undecided_limit" } >= 200 }
            let pushed = reading.connections.filter { $0.reason == "undecided_limit" }
            #expect(pushed.count >= 350 && pushed.count <= 360, "\(pushed.count)")
            #expect(try bed.metrics()["connections_live"] <= 50)
            flood.stop()
            let idle = BackgroundProcess.poll(seconds: 30) { (try? bed.metrics()["connections_live"]) == 0 }
            #expect(idle)
            try expectSound(bed)
        }
    }

    @Test("G07: a hello of one byte now and then ends at the sniffing limit, with everything that it had")
    func slowHello() throws {
        let settings = DaemonSettings(policy: DaemonPolicy.namesOnly, limits: "sniff_seconds: 1")
        try DaemonBed.with(settings) { bed in
            let result = try bed.agent(
                """
                began, s = time.time(), dial("203.0.113.7", 443)
                try:
                    for byte in hello(b"allowed.test"):
                        s.sendall(bytes([byte])); time.sleep(0.1)
                        if select.select([s], [], [], 0)[0]: print(s.recv(100)); break
                except OSError as error: print(name(error))
                print(0.9 < time.time() - began < 6)
                """
            )
            #expect(result.hasSuffix("True\n") && !result.contains("b'\\x16"), "\(result)")
            let reading = try bed.audit { $0.connections.count == 1 }
            #expect(reading.connections.first?.reason == "sniff_limit", "\(reading.connections)")
            #expect(try bed.arrivals().isEmpty)
        }
    }

    @Test("G07: over limits.connections the next one waits, and is served when another ends")
    func connections() throws {
        try DaemonBed.with(DaemonSettings(workers: 1, limits: "connections: 16, undecided: 16")) { bed in
            let holders = try bed.startAgent(
                """
                sockets = [dial("203.0.113.7", 7001) for _ in range(16)]
                for s in sockets: s.sendall(b"\\0hello"); s.recv(100)
                print("ready", flush=True)
                while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                sockets.pop().close(); time.sleep(60)
                """,
                [bed.folder.path + "/go"]
            )
            let waiting = try bed.agent("print(echo('2001:db8:99::9', timeout=0.7))")
            #expect(waiting == "timeout\n")
            let late = try bed.startAgent("print('ready', flush=True)\nprint('late', echo('203.0.113.9'), flush=True)")
            #expect(try bed.metrics()["accept_pauses_total"] >= 1)
            #expect(try !bed.arrivals().contains("203.0.113.9"))
            try bed.folder.write("", to: bed.folder.path + "/go")
            #expect(late.waitForOutput("late ok"), "\(late.output)")
            holders.stop()
            #expect(try bed.agent("print({echo('203.0.113.9') for _ in range(20)})") == "{'ok'}\n")
            try expectSound(bed)
        }
    }

    @Test("G07: where few connections fit, those who say nothing or half of it make room for who comes behind them")
    func fewConnections() throws {
        let settings = DaemonSettings(workers: 2, limits: "connections: 64, sniff_seconds: 60")
        try DaemonBed.with(settings) { bed in
            let flood = try bed.startAgent(
                """
                sockets = []
                for i in range(300):
                    s = dial("127.0.0.1", 15881); sockets.append(s)
                    s.sendall([b"", b"CONNECT 203.0.113.7:7001 HTTP/1.1\\r\\n", bytes([5, 1])][i % 3])
                print("ready", flush=True); time.sleep(60)
                """
            )
            let good = try bed.agent(
                """
                def go():
                    began = time.time()
                    with dial("127.0.0.1", 15881, 20) as s:
                        s.sendall(b"CONNECT 203.0.113.7:7001 HTTP/1.1\\r\\nHost: 203.0.113.7:7001\\r\\n\\r\\n")
                        return s.recv(100)[9:12], time.time() - began < 10
                print({go() for _ in range(8)})
                """
            )
            #expect(good == "{(b'200', True)}\n", "\(good)")
            let pushed = try bed.audit().connections.count { $0.reason == "undecided_limit" }
            #expect(pushed > 200, "\(pushed)")
            #expect(try bed.metrics()["connections_live"] <= 80)
            flood.stop()
            let idle = BackgroundProcess.poll(seconds: 30) { (try? bed.metrics()["connections_live"]) == 0 }
            #expect(idle)
            try expectSound(bed)
        }
    }

    @Test(
        "G07: limits hold when hundreds come in one moment",
        arguments: [
            // Silent clients are undecided, the others soon have a tunnel each.
            ("connections: 16, undecided: 16", "b'\\0hello'", "connections_live"),
            ("undecided: 16, sniff_seconds: 30", "b''", "connections_live"),
        ]
    )
    func burst(limits: String, opening: String, gauge: String) throws {
        let isSilent = opening == "b''"
        let policy = isSilent ? DaemonPolicy.namesOnly : DaemonPolicy.standard
        try DaemonBed.with(DaemonSettings(policy: policy, workers: 1, limits: limits)) { bed in
            bed.signal(SIGSTOP)
            let burst = try bed.startAgent(
                """
                sockets = []
                for i in range(240):
                    s = dial("203.0.113.7" if i % 2 else "2001:db8:99::7", 7001); s.sendall(\(opening)); sockets.append(s)
                print("ready", flush=True); time.sleep(60)
                """
            )
            bed.signal(SIGCONT)
            _ = try bed.health("/readyz", status: 200)
            // By now all that will be taken is taken.
            _ = try bed.audit(until: { $0.connections.count >= (isSilent ? 224 : 16) })
            #expect(try bed.metrics()[gauge] <= 16)
            burst.stop()
            let idle = BackgroundProcess.poll(seconds: 30) { (try? bed.metrics()[gauge]) == 0 }
            #expect(idle)
            try expectSound(bed)
        }
    }

    @Test("G07: whoever dials a hundred silent addresses at once takes nothing of the time that another's dial has")
    func crowdedDials() throws {
        let settings = DaemonSettings(policy: DaemonPolicy.namesOnly, workers: 1, dial: ", timeout_seconds: 7")
        try DaemonBed.with(settings, start: false) { bed in
            let names = (130..<154).map { "203.0.113.\($0) many.allowed.test\n" }
            let slow = "203.0.113.78 slow.allowed.test\n203.0.113.150 slow.allowed.test\n"
            let hosts = bed.folder.path + "/hosts"
            let text = try String(contentsOfFile: hosts, encoding: .utf8) + names.joined() + slow
            try bed.folder.write(text, to: hosts)
            try bed.net.world.must(
                ["nft", "-f", "-"],
                input: """
                    table inet dead {
                      set known { type ipv4_addr . inet_service; flags dynamic; size 999; }
                      chain wire {
                        type filter hook prerouting priority -300;
                        ip daddr 203.0.113.128/25 drop
                        # The first SYN of each connection is lost, and the second comes a second later.
                        ip daddr 203.0.113.78 tcp flags syn ip saddr . tcp sport != @known add @known { ip saddr . tcp sport } drop
                      }
                    }

                    """
            )
            try bed.start(wrapper: ["prlimit", "--nofile=1024:1024"])
            let crowd = try bed.startAgent(
                """
                sockets = [dial("203.0.113.130", 443) for _ in range(100)]
                for s in sockets: s.sendall(hello(b"many.allowed.test"))
                print("ready", flush=True); time.sleep(60)
                """,
                as: RunAs(uid: 2001, gid: 2001)
            )
            // Each of them has begun with its second address and more.
            _ = try bed.agent("time.sleep(1.5)")
            let slowly = "print({echo('203.0.113.78', 443, hello(b'slow.allowed.test')) for _ in range(3)})"
            #expect(try bed.agent(slowly) == "{'ok'}\n")
            crowd.stop()
            try expectSound(bed)
        }
    }

    @Test("G07: without descriptors the daemon refuses and waits; afterwards all work again and none is lost")
    func descriptors() throws {
        try DaemonBed.with(DaemonSettings(workers: 1), start: false) { bed in
            try bed.start(wrapper: ["prlimit", "--nofile=48:48"])
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            let before = try bed.openDescriptors()
            let result = try bed.agent(
                """
                results = []
                def hold():
                    try:
                        with dial("203.0.113.7", 7001, 2) as s:
                            s.sendall(b"\\0hello"); results.append("ok" if s.recv(100) else "closed"); time.sleep(2)
                    except OSError as error: results.append(name(error))
                threads = [threading.Thread(target=hold) for _ in range(60)]
                for t in threads: t.start()
                for t in threads: t.join()
                print(sorted(set(results)), len(results))
                """
            )
            #expect(result.contains("'ok'") && result.hasSuffix(" 60\n"), "\(result)")
            #expect(bed.daemon?.isRunning == true, "\(bed.said)")
            let recovered = BackgroundProcess.poll(seconds: 60) { (try? bed.openDescriptors()) ?? .max <= before }
            #expect(recovered, "more than \(before) are open")
            // What waited to be accepted is still worked off, and may be in the way.
            let works = BackgroundProcess.poll(seconds: 60) {
                (try? bed.agent("print({echo('203.0.113.7') for _ in range(20)})")) == "{'ok'}\n"
            }
            let last = try bed.audit().lines.suffix(8).map { "\($0.object)" }
            #expect(works, "\(last)")
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"))
            let upload = try bed.agent(
                "s = dial('203.0.113.7', 7002); s.sendall(b'\\0' + pattern(4 << 20)); s.close(); print('sent')"
            )
            #expect(upload == "sent\n")
            #expect(bed.worldSays("sink 4194305 "))
            try expectSound(bed)
        }
    }

    /// Names with addresses of which none answers, many connections to them, and how many the daemon dialled at once at most.
    private static let dialMany = """
        def one():
            with dial("203.0.113.7", 443, 30) as s:
                try: s.sendall(hello(b"many.allowed.test")); s.recv(100)
                except OSError: pass
        threads = [threading.Thread(target=one) for _ in range(int(sys.argv[1]))]
        for t in threads: t.start()
        most = 0
        while any(t.is_alive() for t in threads):
            lines = open("/proc/net/tcp").readlines()[1:]
            # Of the daemon's user, and SYN_SENT.
            most = max(most, sum(row[7] == "10880" and row[3] == "02" for row in map(str.split, lines))); time.sleep(0.05)
        print(most)
        """

    @Test(
        "G07: of a name's many addresses so many are tried at once as there are descriptors for, and the others in turn",
        // Where there are few, each has the time that it needs to be asked twice.
        arguments: [(1, "4096", 8, 24), (60, "1024", 110, 6)]
    ) func addresses(clients: Int, descriptors: String, most: Int, inTurn: Int) throws {
        let settings = DaemonSettings(policy: DaemonPolicy.namesOnly, workers: 1, dial: ", timeout_seconds: 7")
        try DaemonBed.with(settings, start: false) { bed in
            let lines = (130..<154).map { "203.0.113.\($0) many.allowed.test\n" }
            let hosts = bed.folder.path + "/hosts"
            try bed.folder.write(String(contentsOfFile: hosts, encoding: .utf8) + lines.joined(), to: hosts)
            try bed.net.world.must(
                ["nft", "-f", "-"],
                input: """
                    table inet dead {
                      set tried { type ipv4_addr; flags dynamic; size 99; }
                      chain wire {
                        type filter hook prerouting priority -300;
                        ip daddr 203.0.113.128/25 add @tried { ip daddr } drop
                      }
                    }

                    """
            )
            try bed.start(wrapper: ["prlimit", "--nofile=\(descriptors):\(descriptors)"])
            let dialled = try #require(Int(try bed.agent(Self.dialMany, ["\(clients)"]).dropLast()))
            // While the list is read some go and others come.
            #expect((most / 2...most + clients).contains(dialled), "\(dialled)")
            let tried = try bed.net.world.must(["nft", "list", "set", "inet", "dead", "tried"])
            let met = (130..<154).filter { tried.contains("203.0.113.\($0)") }
            #expect((inTurn...24).contains(met.count), "\(tried)")
            let outcomes = try bed.audit { $0.ends.count == clients }.ends.map { $0.text("outcome") }
            #expect(Set(outcomes) == ["upstream_failed"])
            #expect(try bed.agent("print(echo('203.0.113.7', 443, hello(b'allowed.test')))") == "ok\n")
            try expectSound(bed)
        }
    }

    @Test("thousands of short connections leave no descriptor, no memory and no fault behind")
    func many() throws {
        try DaemonBed.with { bed in
            #expect(try bed.agent(Self.rounds, ["200"]) == "ok\n")
            let descriptors = try bed.openDescriptors()
            let memory = try bed.residentBytes()
            #expect(try bed.agent(Self.rounds, ["2000"], seconds: 60) == "ok\n")
            let reading = try bed.audit { $0.ends.count == 2200 }
            #expect(reading.connections.count == 2200 && reading.ends.count == 2200)
            #expect(try bed.openDescriptors() <= descriptors + 2)
            #expect(try bed.residentBytes() - memory < 8 << 20)
            try expectSound(bed)
        }
    }

    private static let rounds = """
        async def one(gate):
            async with gate:
                r, w = await asyncio.open_connection("203.0.113.7", 7001)
                w.write(b"\\0hello"); await r.readexactly(6); w.close(); await w.wait_closed()
        async def main():
            gate = asyncio.Semaphore(32)
            await asyncio.gather(*(one(gate) for _ in range(int(sys.argv[1]))))
        asyncio.run(main()); print("ok")
        """
}
