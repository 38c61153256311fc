import Foundation
import Testing

@Suite("One service of a host, by TPROXY")
struct ControlGroupTransparentTests {
    /// Plays the daemon: the accepted socket's own address is where the client wanted to go.
    private static let daemon = """
        def transparent(s):
            s.setsockopt(*((41, 75) if s.family == socket.AF_INET6 else (0, 19)), 1)
        def answer(c):
            data = b"daemon"
            print(c.getsockname()[0], c.getsockname()[1], flush=True)
            while data:
                c.sendall(data); data = c.recv(99)
        import threading
        print("ready", flush=True)
        listeners = [listen("127.0.0.1", 15880, transparent), listen("::1", 15880, transparent)]
        while True:
            for l in select.select(listeners, [], [])[0]:
                threading.Thread(target=answer, args=(l.accept()[0],), daemon=True).start()
        """
    private static let owner = RunAs(uid: 10880, gid: 10880, capabilities: ["net_admin"])
    private static let flags = ["--mode", "tproxy"]
    private static let dial = "print(dial(sys.argv[1], 443))"

    @Test(
        "the cgroup and what is below it are captured with the true destination, its neighbor is not",
        arguments: Far.both
    )
    func captured(address: String) throws {
        try ControlGroupBed.with(Self.flags) { bed in
            try bed.rules.startWorld(
                "serve([listen('0.0.0.0', 443), listen('::', 443)], lambda c: c.sendall(b'world'))"
            )
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let daemon = try bed.rules.startAgent(Self.daemon, as: Self.owner)
            for path in [bed.agent, bed.inner] {
                let result = try bed.run(Self.dial, [address], in: path)
                #expect(result.output == "connected daemon\n", "\(path): \(result)")
            }
            #expect(daemon.waitForOutput("\(address) 443\n\(address) 443\n"), "\(daemon.output)")
            #expect(try bed.net.arrivals("out") == 0)
            let neighbor = try bed.run(Self.dial, [address], in: bed.neighbor)
            #expect(neighbor.output == "connected world\n", "\(neighbor)")
            #expect(try bed.run(Self.dial, [address], in: bed.stranger).output == "ECONNREFUSED\n")
            #expect(try bed.rules.program(["verify", "--cgroup", bed.agent] + Self.flags).succeeded)
        }
    }

    @Test(
        "A09: without a daemon, or with one that is not transparent, a captured connection is refused",
        arguments: Far.both
    )
    func noDaemon(address: String) throws {
        try ControlGroupBed.with(Self.flags) { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            #expect(try bed.run(Self.dial, [address], in: bed.agent).output == "ECONNREFUSED\n")
            try bed.rules.startDaemon()
            #expect(try bed.run(Self.dial, [address], in: bed.agent).output == "ECONNREFUSED\n")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "the policy rule, the route or the table of the house missing: nothing leaves",
        arguments: Far.both,
        [
            "ip rule del priority 7065; ip -6 rule del priority 7065",
            "ip route flush table 7065; ip -6 route flush table 7065",
        ]
    )
    func routingGone(address: String, change: String) throws {
        try ControlGroupBed.with(Self.flags) { bed in
            try bed.rules.startAgent(Self.daemon, as: Self.owner)
            try bed.net.countArrivals("out", "meta l4proto tcp")
            try bed.net.pod.shell(change)
            let result = try bed.run("print(dial(sys.argv[1], 443, timeout=0.7))", [address], in: bed.agent)
            #expect(result.succeeded && !result.output.contains("connected"), "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
            #expect(try bed.rules.program(["verify", "--cgroup", bed.agent] + Self.flags).status == 3)
        }
    }

    @Test("a restart of the cgroup: refused, then captured; what was captured goes on", arguments: Far.both)
    func restart(address: String) throws {
        try ControlGroupBed.with(install: false) { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let watcher = try bed.watch(Self.flags)
            try bed.rules.startAgent(Self.daemon, as: Self.owner)
            let flag = "/tmp/\(bed.net.pod.name)"
            let old = try bed.start(
                """
                s = socket.socket(family(sys.argv[2])); s.settimeout(3); s.connect(target(sys.argv[2], 443)); s.recv(9)
                print("ready", flush=True)
                while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                s.sendall(b"two"); print(s.recv(9))
                """,
                [flag, address],
                in: bed.agent
            )
            try bed.move(old, to: bed.stranger)
            watcher.signal(SIGSTOP)
            try bed.replace()
            #expect(try bed.run(Self.dial, [address], in: bed.agent).output == "ECONNREFUSED\n")
            watcher.signal(SIGCONT)
            #expect(watcher.waitForOutput("swapped: cgroup: \(bed.agent) is captured"), "\(watcher.output)")
            #expect(try bed.run(Self.dial, [address], in: bed.agent).output == "connected daemon\n")
            try NetworkNamespace.must(["touch", flag])
            defer { try? FileManager.default.removeItem(atPath: flag) }
            let result = old.wait()
            #expect(result.output == "ready\nb'two'\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "the last words of a connection reach the daemon: no closed socket of it is left waiting",
        arguments: Far.both
    )
    func lastWords(address: String) throws {
        try ControlGroupBed.with(Self.flags) { bed in
            try bed.rules.startAgent(
                """
                import threading
                \(Self.daemon)
                """,
                as: Self.owner
            )
            for _ in 0..<5 { #expect(try bed.run(Self.dial, [address], in: bed.agent).output == "connected daemon\n") }
            let waiting = "state last-ack state closing state fin-wait-1"
            let isOver = BackgroundProcess.poll(seconds: 3) {
                (try? bed.net.pod.must(["ss", "-Htn"] + waiting.split(separator: " ").map(String.init)))?.isEmpty
                    == true
            }
            #expect(isOver)
            #expect(try bed.rules.count("refused: not led to the daemon") == 0)
        }
    }

    @Test("A05, A06, A26: other protocols and sockets bound to a device do not leave", arguments: Far.both)
    func others(address: String) throws {
        try ControlGroupBed.with(Self.flags) { bed in
            try bed.rules.startAgent(Self.daemon, as: Self.owner)
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            let result = try bed.run(
                """
                prepare = lambda s: s.setsockopt(socket.SOL_SOCKET, 25, b"eth0")
                print(datagram(sys.argv[1], 443), dial(sys.argv[1], 443, prepare, timeout=0.6))
                """,
                [address],
                in: bed.agent
            )
            #expect(result.succeeded && result.output.hasPrefix("EPERM "), "\(result)")
            #expect(!result.output.contains("connected"), "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test("the daemon's other ports are reached, and nobody else answers on them", arguments: ["127.0.0.1", "::1"])
    func ownPorts(address: String) throws {
        try ControlGroupBed.with(Self.flags) { bed in
            let server = "serve([listen(sys.argv[1], int(sys.argv[2]))], lambda c: c.sendall(b'daemon'))"
            try bed.rules.startAgent(server, [address, "15881"], as: .daemon)
            try bed.start(server, [address, "8081"], in: bed.neighbor)
            let result = try bed.run(
                "print(dial(sys.argv[1], 15881), dial(sys.argv[1], 8081, timeout=0.5))",
                [address],
                in: bed.agent
            )
            #expect(result.output == "connected daemon timeout\n", "\(result)")
        }
    }
}
