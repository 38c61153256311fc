import Foundation
import Testing

@Suite("One service of a host: what does not leave")
struct ControlGroupFenceTests {
    private static let raw = RunAs(uid: 2000, gid: 2000, capabilities: ["net_raw"])

    /// Everything but captured TCP, each refused at once.
    private static let attempts = """
        print(datagram(sys.argv[1], 443), datagram(sys.argv[1], 53))
        echo = bytes([128 if ":" in sys.argv[1] else 8, 0, 0, 0, 0, 1, 0, 1]) + b"secret"
        for number in (58 if ":" in sys.argv[1] else 1, 132, 253):
            print(datagram(sys.argv[1], 0, echo, kind=socket.SOCK_RAW, protocol=number))
        """
    private static let refused = "EPERM EPERM\nEPERM\nEPERM\nEPERM\n"

    @Test(
        "A05, A06, A12: UDP, ICMP, raw and the rest do not leave a captured cgroup; a resolver does",
        arguments: Far.both
    )
    func otherProtocols(address: String) throws {
        try ControlGroupBed.with { bed in
            // The host itself goes on telling its neighbors which groups it is in, with a hop limit of 1.
            try bed.net.countArrivals("out", "meta l4proto != tcp ip6 hoplimit 64")
            try bed.net.countArrivals("out4", "ip protocol { udp, icmp, 132, 253 }")
            let result = try bed.run(Self.attempts, [address], in: bed.agent, as: Self.raw)
            #expect(result.output == Self.refused, "\(result)")
            #expect(try bed.net.arrivals("out") + bed.net.arrivals("out4") == 0)
            #expect(try bed.rules.count("refused: udp") == 2)
            #expect(try bed.rules.count("refused: other") >= 3)
            #expect(try bed.run("print(datagram('203.0.113.53', 53))", in: bed.inner).output == "sent\n")
        }
    }

    @Test("whatever else is in the cgroup above is refused, counted, and not free", arguments: Far.both)
    func stranger(address: String) throws {
        try ControlGroupBed.with(["--bypass-cidr", "203.0.113.7:443"]) { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            let program = "print(dial(sys.argv[1], 443), datagram('203.0.113.53', 53))\n" + Self.attempts
            for path in [bed.stranger, bed.parent] {
                let result = try bed.run(program, [address], in: path, as: Self.raw)
                #expect(result.output == "ECONNREFUSED EPERM\n" + Self.refused, "\(path): \(result)")
            }
            #expect(try bed.net.arrivals("out") == 0)
            #expect(try bed.rules.count("refused: fenced cgroup") >= 12)
            let verified = try bed.rules.program([
                "verify", "--cgroup", bed.agent, "--bypass-cidr", "203.0.113.7:443",
            ])
            #expect(verified.succeeded && verified.output.contains("counted: refused: fenced cgroup: "), "\(verified)")
        }
    }

    @Test(
        "A35: a port of this machine's own that another table leads elsewhere leads nobody out",
        arguments: [("203.0.113.7", PodAndWorld.podIPv4), ("2001:db8:99::7", PodAndWorld.podIPv6)]
    )
    func publishedPort(far: String, own: String) throws {
        try ControlGroupBed.with { bed in
            try bed.net.countArrivals("out", "udp dport 5353")
            let family = far.contains(":") ? "ip6" : "ip"
            try bed.net.pod.shell(
                """
                nft 'add table \(family) published; add chain \(family) published out { type nat hook output priority -100; }'
                nft 'add rule \(family) published out \(family) daddr \(own) udp dport 5353 dnat to \(far)'
                """
            )
            for path in [bed.agent, bed.stranger] {
                let result = try bed.run("print(datagram(sys.argv[1], 5353))", [own], in: path)
                #expect(result.output == "EPERM\n", "\(path): \(result)")
            }
            #expect(try bed.net.arrivals("out") == 0)
            // The table does lead there: a neighbor's datagram arrives.
            #expect(try bed.run("print(datagram(sys.argv[1], 5353))", [own], in: bed.neighbor).output == "sent\n")
            let arrived = BackgroundProcess.poll(seconds: 30) { (try? bed.net.arrivals("out")) == 1 }
            #expect(arrived)
        }
    }

    @Test("loopback is open to the captured and to the fenced", arguments: ["127.0.0.1", "::1"])
    func loopback(address: String) throws {
        try ControlGroupBed.with { bed in
            let server = "serve([listen(sys.argv[1], 9999)], lambda c: c.sendall(b'local'))"
            try bed.start(server, [address], in: bed.agent)
            for path in [bed.agent, bed.stranger, bed.neighbor] {
                let result = try bed.run("print(dial(sys.argv[1], 9999))", [address], in: path)
                #expect(result.output == "connected local\n", "\(path): \(result)")
            }
        }
    }

    @Test(
        "A26, A36: a socket that is bound to a device does not leave, with Fast Open neither",
        arguments: Far.both + ["127.0.0.1", "::1", "fe80::1%eth0"],
        [false, true]
    )
    func boundToDevice(address: String, fastOpen: Bool) throws {
        try ControlGroupBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            try bed.rules.startDaemon()
            let result = try bed.run(
                """
                def prepare(s):
                    s.setsockopt(socket.SOL_SOCKET, 25, b"eth0")
                s = socket.socket(family(sys.argv[1])); s.settimeout(0.6); prepare(s)
                if \(fastOpen ? "True" : "False"):
                    print(outcome(lambda: s.sendto(b"secret", 0x20000000, target(sys.argv[1], 443))))
                else:
                    print(dial(sys.argv[1], 443, prepare, timeout=0.6))
                print(datagram(sys.argv[1], 53, prepare=prepare))
                """,
                [address],
                in: bed.agent
            )
            #expect(result.succeeded && !result.output.contains("connected"), "\(result)")
            #expect(try bed.net.arrivals("out") == 0, "\(result)")
        }
    }

    @Test(
        "A33, A11: a flow older than the rules ends, though its peer speaks first",
        arguments: Far.both,
        [false, true]
    )
    func olderFlow(address: String, tracked: Bool) throws {
        try ControlGroupBed.with(install: false) { bed in
            if tracked {
                try bed.net.pod.shell(
                    "nft 'table inet other { chain c { type filter hook output priority 0; ct state new accept; }; }'"
                )
            }
            let flag = "/tmp/\(bed.net.pod.name)"
            let server = try bed.rules.startWorld(
                """
                def talk(c):
                    c.settimeout(40)
                    print("hello", c.recv(99), flush=True)
                    while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                    for _ in range(3):
                        try: c.sendall(b"speak"); time.sleep(0.2)
                        except OSError as error: print(error, flush=True)
                    c.settimeout(0.5)
                    try: print("leak", c.recv(99), flush=True)
                    except OSError as error: print("nothing", flush=True)
                    print("over", flush=True)
                serve([listen("0.0.0.0", 443), listen("::", 443)], talk)
                """,
                [flag]
            )
            let agent = try bed.start(
                """
                s = socket.socket(family(sys.argv[1])); s.settimeout(40)
                s.connect(target(sys.argv[1], 443)); s.sendall(b"early"); print("ready", flush=True)
                while data := s.recv(99):
                    print("heard", data, flush=True); s.sendall(b"late secret")
                """,
                [address],
                in: bed.agent
            )
            #expect(server.waitForOutput("hello b'early'"))
            try bed.rules.install(["--cgroup", bed.agent])
            try NetworkNamespace.must(["touch", flag])
            defer { try? FileManager.default.removeItem(atPath: flag) }
            #expect(server.waitForOutput("over"), "\(server.output)")
            #expect(!server.output.contains("late"), "\(server.output)\n\(agent.output)")
        }
    }

    private static let server =
        "serve([listen('0.0.0.0', int(sys.argv[1])), listen('::', int(sys.argv[1]))], lambda c: c.sendall(b'agent'))"

    @Test("A30: from outside only declared ports of a captured cgroup are reached", arguments: [true, false])
    func inbound(isIPv4: Bool) throws {
        try ControlGroupBed.with(["--inbound-port", "7000"]) { bed in
            for port in ["7000", "7001", "15890"] { try bed.start(Self.server, [port], in: bed.agent) }
            try bed.start(Self.server, ["7002"], in: bed.stranger)
            let host = isIPv4 ? PodAndWorld.podIPv4 : PodAndWorld.podIPv6
            let ports = "for port in (7000, 7001, 15890, 7002): print(dial(sys.argv[1], port, timeout=0.5))"
            let result = try bed.rules.world(ports, [host])
            #expect(result.output == "connected agent\ntimeout\ntimeout\ntimeout\n", "\(result)")
        }
    }

    @Test(
        "A37: nobody of the captured cgroup answers on the daemon's ports",
        arguments: [15880, 15881, 15853, 8081, 15890]
    )
    func squatter(port: Int) throws {
        try ControlGroupBed.with { bed in
            try bed.start(Self.server, ["\(port)"], in: bed.agent)
            for address in ["127.0.0.1", "::1"] {
                let result = try bed.run("print(dial(sys.argv[1], \(port), timeout=0.5))", [address], in: bed.neighbor)
                #expect(result.output == "timeout\n", "\(result)")
            }
            #expect(try bed.rules.count("refused: squatter") > 0)
        }
    }

    @Test("A37: a squatter of the host hears nothing of what is captured", arguments: Far.both + ["127.0.0.1", "::1"])
    func hostSquatter(address: String) throws {
        try ControlGroupBed.with { bed in
            let isLocal = address == "127.0.0.1" || address == "::1"
            try bed.start(Self.server, [isLocal ? "15881" : "15880"], in: bed.neighbor)
            let port = isLocal ? "15881" : "443"
            let result = try bed.run(
                "print(dial(sys.argv[1], int(sys.argv[2]), timeout=0.5))",
                [address, port],
                in: bed.agent
            )
            // By TPROXY nothing is handed to whoever is not transparent: it is refused at once.
            let isPassedOver = bed.rules.mode == .tproxy && !isLocal
            #expect(result.output == (isPassedOver ? "ECONNREFUSED\n" : "timeout\n"), "\(result)")
            let tally = isPassedOver ? "refused: no daemon" : "refused: squatter"
            #expect(try bed.rules.count(tally) > 0)
        }
    }

    @Test("the daemon's other ports are reached, and nobody else answers on them", arguments: ["127.0.0.1", "::1"])
    func ownPorts(address: String) throws {
        try ControlGroupBed.with { bed in
            let server = "serve([listen(sys.argv[1], int(sys.argv[2]))], lambda c: c.sendall(b'daemon'))"
            try bed.rules.startAgent(server, [address, "15881"], as: .daemon)
            try bed.start(server, [address, "8081"], in: bed.neighbor)
            let dials = "print(dial(sys.argv[1], 15881), dial(sys.argv[1], 8081, timeout=0.5))"
            let result = try bed.run(dials, [address], in: bed.agent)
            #expect(result.output == "connected daemon timeout\n", "\(result)")
        }
    }

    @Test("the last words of a connection reach the daemon: no closed socket is left waiting", arguments: Far.both)
    func lastWords(address: String) throws {
        try ControlGroupBed.with { bed in
            try bed.rules.startDaemon()
            for _ in 0..<5 {
                let result = try bed.run("print(dial(sys.argv[1], 443))", [address], in: bed.agent)
                #expect(result.output == "connected daemon\n", "\(result)")
            }
            let question = ["ss", "-Htn", "state", "last-ack", "state", "closing", "state", "fin-wait-1"]
            let isOver = BackgroundProcess.poll(seconds: 15) { (try? bed.net.pod.must(question))?.isEmpty == true }
            #expect(isOver)
            #expect(try bed.rules.count("refused: not led to the daemon") == 0)
        }
    }

    @Test("A32: what the daemon sent before it closed arrives whole, in the fenced cgroup too", arguments: Far.both)
    func orphans(address: String) throws {
        try ControlGroupBed.with { bed in
            let server = try bed.rules.startWorld(
                """
                def take(c):
                    total = 0
                    time.sleep(0.8)
                    while piece := c.recv(65536): total += len(piece)
                    print("got", total, flush=True)
                serve([listen("0.0.0.0", 443), listen("::", 443)], take)
                """
            )
            let result = try bed.run(
                """
                s = socket.socket(family(sys.argv[1])); s.settimeout(20)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
                s.connect(target(sys.argv[1], 443))
                s.sendall(bytes(4 << 20)); s.close()
                """,
                [address],
                in: bed.stranger,
                as: .daemon
            )
            #expect(result.succeeded, "\(result)")
            #expect(server.waitForOutput("got 4194304\n"), "\(server.output)")
        }
    }

    @Test("A32: nobody of a captured or fenced cgroup goes on with a flow of the daemon", arguments: Far.both)
    func stolenFlow(address: String) throws {
        try ControlGroupBed.with { bed in
            let program = """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM); s.bind(("", 40123))
                print(outcome(lambda: s.sendto(b"data", target(sys.argv[1], 443))))
                """
            #expect(try bed.run(program, [address], in: bed.stranger, as: .daemon).output == "4\n")
            for (path, user) in [(bed.agent, RunAs.agent), (bed.agent, .daemon), (bed.stranger, .agent)] {
                let result = try bed.run(program, [address], in: path, as: user)
                #expect(result.output == "EPERM\n", "\(result)")
            }
            #expect(try bed.rules.count("refused: stale flow") == 3)
        }
    }

    @Test(
        "A32: who asks a resolver, or over loopback, from a port that the daemon has asked from is let out",
        arguments: [("203.0.113.53", "127.0.0.1"), ("2001:db8:99::53", "::1")]
    )
    func portOfTheDaemon(resolver: String, loopback: String) throws {
        try ControlGroupBed.with(["--dns-server", resolver]) { bed in
            try bed.net.countArrivals("asked", "udp dport 53 udp sport 40126")
            let program = """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM); s.bind(("", 40126))
                print(outcome(lambda: s.sendto(b"data", target(sys.argv[1], int(sys.argv[2])))))
                """
            for (address, port) in [(resolver, "53"), (loopback, "40127"), (resolver, "54")] {
                let first = try bed.run(program, [address, port], in: bed.stranger, as: .daemon)
                #expect(first.output == "4\n", "\(first)")
                let isOpen = port != "54"
                for user in [RunAs.agent, .daemon] {
                    let result = try bed.run(program, [address, port], in: bed.agent, as: user)
                    #expect(result.output == (isOpen ? "4\n" : "EPERM\n"), "\(address) \(port): \(result)")
                }
            }
            #expect(try bed.rules.count("refused: stale flow") == 2)
            // The first packets may wait a second for their neighbour to be found.
            let arrived = BackgroundProcess.poll(seconds: 30) { (try? bed.net.arrivals("asked")) == 3 }
            #expect(arrived)
        }
    }
}
