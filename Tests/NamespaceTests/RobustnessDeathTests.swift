import Foundation
import Testing

@Suite("The daemon dies, sleeps, or its ports are taken")
struct RobustnessDeathTests {
    /// Opens a thousand connections, each to an address of its own, and says what became of them.
    private static let thousand = """
        addresses = [f"{net}.{i}" for net in ("192.0.2", "203.0.113") for i in range(1, 255) if i != 66]
        addresses += [f"2001:db8:99::{i:x}" for i in range(1, 1001 - len(addresses))]
        done = []
        async def attempt(address, gate):
            async with gate:
                began, result = time.time(), "ok"
                try:
                    reader, writer = await asyncio.wait_for(asyncio.open_connection(address, 7001), 10)
                    writer.write(b"\\0hello"); await writer.drain()
                    got = await asyncio.wait_for(reader.readexactly(6), 10)
                    writer.close()
                except asyncio.IncompleteReadError: result = "closed"
                except (TimeoutError, asyncio.TimeoutError): result = "timeout"
                except OSError as error: result = name(error)
                done.append((result, time.time() - began))
                if len(done) == 300: print("ready", flush=True)
        async def main():
            gate = asyncio.Semaphore(48)
            await asyncio.gather(*(attempt(a, gate) for a in addresses))
        asyncio.run(main())
        counts = {}
        for result, _ in done: counts[result] = counts.get(result, 0) + 1
        slowest = max([t for r, t in done if r == "ECONNREFUSED"], default=0)
        print(json.dumps({"counts": counts, "slowest": slowest, "attempts": len(done)}))
        """

    private struct Attempts: Decodable {
        var counts: [String: Int]
        /// Of those that were refused, in seconds.
        var slowest: Double
        var attempts: Int
    }

    @Test(
        "A09: killed among a thousand attempts, the daemon leaves a record of all that left, and nothing leaves after it",
        arguments: Handover.allCases
    )
    func killed(handover: Handover) throws {
        try DaemonBed.with(DaemonSettings(handover: handover)) { bed in
            let tunnel = try bed.startAgent(
                """
                s = dial("2001:db8:99::beef", 7001); s.sendall(b"\\0tunnel"); s.recv(100); print("ready", flush=True)
                try: print("end", s.recv(100), flush=True)
                except OSError as error: print("end", name(error), flush=True)
                """
            )
            let clients = try bed.startAgent(Self.thousand)
            bed.kill()
            let result = clients.wait(seconds: 60)
            let report = try JSONDecoder().decode(Attempts.self, from: Data(result.output.dropFirst(6).utf8))
            #expect(report.attempts == 1000)
            #expect(report.counts["ok", default: 0] >= 300, "\(report)")
            #expect(report.counts["ECONNREFUSED", default: 0] > 100, "\(report)")
            #expect(report.counts["timeout"] == nil && report.slowest < 8, "\(report)")
            #expect(tunnel.waitForOutput("end"))
            try checkDeath(bed)
            try checkRestart(bed)
        }
    }

    /// What had left has its record; from now on nothing does.
    private func checkDeath(_ bed: DaemonBed) throws {
        let left = try bed.arrivals()
        let recorded = Set(try bed.audit().connections.filter(\.isAllowed).map(\.original))
        #expect(left.count >= 300)
        #expect(left.isSubset(of: recorded), "without a record: \(left.subtracting(recorded))")
        try bed.forgetArrivals()
        let refused = try bed.agent(
            """
            began = time.time()
            print({echo(a) for a in ("203.0.113.7", "2001:db8:99::7", "192.0.2.9") for _ in range(10)})
            print(time.time() - began < 15)  # a SYN that is not answered is repeated after a second
            """
        )
        #expect(refused == "{'ECONNREFUSED'}\nTrue\n")
        #expect(try bed.arrivals().isEmpty)
    }

    private func checkRestart(_ bed: DaemonBed) throws {
        let before = try bed.audit()
        let open = Set(before.connections.filter(\.isAllowed).map(\.id)).subtracting(before.ends.map(\.id))
        #expect(!open.isEmpty, "the tunnel at least was open")
        try bed.start()
        let tunnelled = try bed.agent("print([echo(a) for a in ('203.0.113.8', '2001:db8:99::8')])")
        #expect(tunnelled == "['ok', 'ok']\n")
        #expect(bed.end() == 0)
        let after = try bed.audit()
        #expect(Set(after.ends("lost").map(\.id)) == open)
        #expect(after.ends("lost").count == open.count)
        #expect(after.connections(to: "2001:db8:99::beef").count == 1, "the old tunnel was not revived")
        try expectSound(bed)
    }

    @Test(
        "A09: while the daemon is stopped nothing leaves; when it goes on, what waited is served",
        arguments: Handover.allCases
    )
    func stopped(handover: Handover) throws {
        try DaemonBed.with(DaemonSettings(handover: handover)) { bed in
            bed.signal(SIGSTOP)
            let waiting = try bed.startAgent(
                """
                print("ready", flush=True)
                print("first", echo("203.0.113.7"), echo("2001:db8:99::7"), flush=True)
                """
            )
            let others = try bed.agent("print({echo(a, timeout=1) for a in ('203.0.113.8', '2001:db8:99::8')})")
            #expect(others == "{'timeout'}\n")
            #expect(try bed.arrivals().isEmpty)
            bed.signal(SIGCONT)
            #expect(waiting.waitForOutput("first ok ok"), "\(waiting.output) \(waiting.errors)")
            #expect(bed.end() == 0)
            try expectSound(bed)
        }
    }

    @Test(
        "A37: a squatter on the daemon's ports gets nothing; the daemon names it, waits, and starts when it goes",
        arguments: Handover.allCases
    )
    func squatter(handover: Handover) throws {
        try DaemonBed.with(DaemonSettings(handover: handover)) { bed in
            bed.kill()
            let squatter = try bed.startAgent(
                """
                listeners = []
                for family, address, port in ((2, "127.0.0.1", 15880), (10, "::1", 15880), (2, "0.0.0.0", 15890)):
                    s = socket.socket(family)
                    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT): s.setsockopt(1, option, 1)
                    s.bind((address, port)); s.listen(50); listeners.append(s)
                print("ready", flush=True)
                while True:
                    for l in select.select(listeners, [], [])[0]:
                        c, _ = l.accept(); c.settimeout(1)
                        try: print("stole", c.recv(100), flush=True)
                        except OSError: pass
                        try: c.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\nready\\n"); c.close()
                        except OSError: pass
                """,
                as: RunAs(uid: 3000, gid: 3000)
            )
            let caught = try bed.agent("print([echo(a, timeout=1) for a in ('203.0.113.7', '2001:db8:99::7')])")
            #expect(caught == "['ECONNREFUSED', 'ECONNREFUSED']\n" || caught == "['timeout', 'timeout']\n")
            #expect(try !bed.health("/readyz", status: 200, seconds: 1).hasPrefix("200"))
            #expect(!squatter.output.contains("hello"), "\(squatter.output)")
            #expect(try bed.arrivals().isEmpty)

            try bed.start(untilReady: false)
            let named = BackgroundProcess.poll(seconds: 60) { bed.said.contains("held by UID 3000") }
            #expect(named, "\(bed.said)")
            #expect(bed.says("trying again"), "\(bed.said)")
            #expect(bed.end() == 0, "told to end while it waits, it goes on waiting: \(bed.said)")
            #expect(bed.says("stopping: told to, while listen."), "\(bed.said)")
            try bed.start(untilReady: false)
            squatter.stop()
            #expect(try bed.health("/readyz", status: 200).hasPrefix("200"), "\(bed.said)")
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
        }
    }

    @Test("A37: a second daemon of the same user shares no port, and gets them all once the first one drains")
    func twice() throws {
        try DaemonBed.with { bed in
            var settings = DaemonSettings()
            settings.healthAddress = "127.0.0.2"
            let folder = try DaemonFolder(settings)
            let tunnel = try bed.startAgent(
                "s = dial('203.0.113.7', 7001); s.sendall(b'\\0hello'); s.recv(100); print('ready', flush=True); s.recv(1); print('over')"
            )
            let command = [Built.path("penstockd"), "--config", folder.configuration]
            let second = try bed.net.pod.start(command, uid: 10880)
            defer { second.stop() }
            #expect(second.says("held by UID 10880; trying again"), "\(second.errors)")
            #expect(try bed.agent("print({echo('203.0.113.7') for _ in range(20)})") == "{'ok'}\n")
            let before = try bed.audit().connections.count
            #expect(before == 21)
            bed.signal(SIGTERM)
            #expect(second.says("listening on", seconds: 30), "\(second.errors)")
            #expect(bed.daemon?.isRunning == true && !tunnel.output.contains("over"), "what drains is in its way")
            #expect(try bed.agent("print({echo('203.0.113.7') for _ in range(20)})") == "{'ok'}\n")
        }
    }

    @Test("A37: nobody joins the daemon's ports while it runs")
    func joining() throws {
        try DaemonBed.with { bed in
            let tried = try bed.agent(
                """
                for family, address, port in ((2, "127.0.0.1", 15880), (10, "::1", 15880), (2, "0.0.0.0", 15880),
                                              (10, "::", 15880), (2, "127.0.0.1", 15890)):
                    s = socket.socket(family)
                    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT): s.setsockopt(1, option, 1)
                    if family == 10: s.setsockopt(41, 26, 1)
                    try: s.bind((address, port)); s.listen(5); print("joined", address, port)
                    except OSError as error: print(name(error))
                """
            )
            #expect(tried == String(repeating: "EADDRINUSE\n", count: 5))
        }
    }
}
