import Testing

@Suite("Flows: the daemon's, old ones, other people's")
struct RulesetFlowTests {
    /// A server of the world that reads slowly, and says how much it got.
    private static let sink = """
        def take(c):
            c.settimeout(40)
            total = 0
            time.sleep(0.8)
            while True:
                try: piece = c.recv(65536)
                except OSError as error:
                    print("failed after", total, error, flush=True); return
                if not piece: break
                total += len(piece)
            print("got", total, flush=True)
        serve([listen("0.0.0.0", 443), listen("::", 443)], take)
        """

    @Test("A32: what the daemon sent before it closed, or died, arrives whole", arguments: Far.both, [false, true])
    func orphans(address: String, dies: Bool) throws {
        try RulesetBed.with { bed in
            let server = try bed.startWorld(Self.sink)
            try bed.net.pod.must(["ip", "neigh", "flush", "all"])
            let result = try bed.agent(
                """
                s = socket.socket(family(sys.argv[1])); s.settimeout(20)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
                s.connect(target(sys.argv[1], 443))
                s.sendall(bytes(4 << 20))
                \(dies ? "os._exit(1)" : "s.close()")
                """,
                [address],
                as: .daemon
            )
            #expect(result.status == (dies ? 1 : 0), "\(result)")
            #expect(server.waitForOutput("got 4194304\n"), "\(server.output)")
        }
    }

    @Test("A32: nobody else goes on with a flow of the daemon", arguments: Far.both)
    func stolenFlow(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("flow", "udp dport 443 udp sport 40123")
            let program = """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM); s.bind(("", 40123))
                print(outcome(lambda: s.sendto(b"data", target(sys.argv[1], 443))))
                """
            #expect(try bed.agent(program, [address], as: .daemon).output == "4\n")
            for thief in [RunAs.agent, RunAs(uid: 10880, gid: 2000), RunAs(uid: 2000, gid: 10880)] {
                let result = try bed.agent(program, [address], as: thief)
                #expect(result.output == "EPERM\n", "\(result)")
            }
            #expect(try bed.count("refused: stale flow") == 3)
            // The first packet may wait a second for its neighbour to be found.
            let arrived = BackgroundProcess.poll(seconds: 30) { (try? bed.net.arrivals("flow")) == 1 }
            #expect(arrived)
        }
    }

    /// While the daemon's SYN has no answer, the peer's SYN is one to the kernel, and what an agent that took over the port says
    /// to it is something of the daemon's flow.
    @Test(
        "A32, A34: over what is left of a flow of the daemon no peer reaches the agent",
        arguments: [PodAndWorld.worldIPv4, PodAndWorld.worldIPv6],
        [false, true]
    )
    func reopenedFlow(address: String, answered: Bool) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("synack", "tcp sport 40124 tcp flags & (syn | ack) == (syn | ack)")
            if answered {
                try bed.startWorld("serve([listen(sys.argv[1], 443)], lambda c: (c.shutdown(1), c.recv(9)))", [address])
            } else {
                try bed.net.world.shell(
                    "nft 'table inet mute { chain c { type filter hook input priority 0; tcp dport 443 drop; }; }'"
                )
            }
            let flow = """
                s = socket.socket(family(sys.argv[1])); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.settimeout(\(answered ? 10 : 0.5)); s.bind(("", 40124))
                print(outcome(lambda: s.connect(target(sys.argv[1], 443)) or s.recv(9))); s.close()
                """
            let dialled = try bed.agent(flow, [address], as: .daemon)
            #expect(dialled.output == (answered ? "b''\n" : "timeout\n"), "\(dialled)")
            bed.net.world.stopAll()
            let agent = try bed.startAgent(
                """
                l = listen("::" if ":" in sys.argv[1] else "0.0.0.0", 40124)
                print("ready", flush=True); print(l.accept(), flush=True)
                """,
                [address]
            )
            let peer = try bed.net.world.python(
                RulesetBed.kit + """
                    s = socket.socket(family(sys.argv[1])); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.settimeout(1.5); s.bind(target(sys.argv[1], 443))
                    print(outcome(lambda: s.connect(target(sys.argv[2], 40124))))
                    """,
                [address, address.contains(":") ? PodAndWorld.podIPv6 : PodAndWorld.podIPv4],
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            #expect(peer.output == "timeout\n", "\(peer)")
            #expect(agent.output == "ready\n", "\(agent.output)")
            #expect(try bed.net.arrivals("synack") == 0)
            // Two SYNs at least: the second is a repetition.
            #expect(try bed.count(answered ? "refused: inbound" : "refused: simultaneous open") > 1)
        }
    }

    @Test(
        "A33, A11: a flow older than the rules ends, though its peer speaks first",
        arguments: Far.both,
        [false, true]
    ) func olderFlow(address: String, tracked: Bool) throws {
        try RulesetBed.with(install: false) { bed in
            if tracked {
                try bed.net.pod.shell(
                    "nft 'table inet other { chain c { type filter hook output priority 0; ct state new accept; }; }'"
                )
            }
            let server = try bed.startWorld(
                """
                def talk(c):
                    c.settimeout(40)
                    print("hello", c.recv(99), flush=True)
                    while not os.path.exists(sys.argv[1]): time.sleep(0.02)
                    for _ in range(5):
                        try:
                            c.sendall(b"speak"); time.sleep(0.2)
                        except OSError as error: print(error, flush=True)
                    c.settimeout(0.5)
                    try: print("leak", c.recv(99), flush=True)
                    except OSError as error: print("nothing", error, flush=True)
                    print("over", flush=True)
                serve([listen("0.0.0.0", 443), listen("::", 443)], talk)
                """,
                ["/tmp/\(bed.net.pod.name)"]
            )
            let agent = try bed.startAgent(
                """
                s = socket.socket(family(sys.argv[1])); s.settimeout(40)
                s.connect(target(sys.argv[1], 443)); s.sendall(b"early"); print("ready", flush=True)
                while True:
                    data = s.recv(99)
                    if not data: break
                    print("heard", data, flush=True); s.sendall(b"late secret")
                """,
                [address]
            )
            #expect(server.waitForOutput("hello b'early'"))
            try bed.install()
            try bed.net.countArrivals("late", "tcp dport 443 @th,96,4 > 5 tcp flags & psh == psh")
            try NetworkNamespace.must(["touch", "/tmp/\(bed.net.pod.name)"])
            #expect(server.waitForOutput("over"), "\(server.output)")
            try NetworkNamespace.must(["rm", "/tmp/\(bed.net.pod.name)"])
            #expect(!server.output.contains("late"), "\(server.output)\n\(agent.output)")
            #expect(try bed.net.arrivals("late") == 0)
        }
    }

    @Test("A35: a destination that another table rewrites after us is captured all the same", arguments: Far.both)
    func laterRewriting(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.pod.shell(Self.foreign(priority: -100))
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let daemon = try bed.startDaemon()
            let result = try bed.agent("print(dial(sys.argv[1], 443))", [address])
            #expect(result.output == "connected daemon\n", "\(result)")
            #expect(daemon.waitForOutput("\(address) 443\n"))
            #expect(try bed.net.arrivals("out") == 0)
            #expect(try bed.program(["verify"]).succeeded)
        }
    }

    @Test(
        "A35: a destination that another table rewrites before us is refused, and verify says so",
        arguments: Far.both
    )
    func earlierRewriting(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.pod.shell(Self.foreign(priority: -150))
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let result = try bed.agent("print(dial(sys.argv[1], 443))", [address])
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
            let verification = try bed.program(["verify"])
            #expect(verification.status == 3, "\(verification)")
            #expect(verification.errors.contains("chain hijack of table inet mesh rewrites destinations before ours"))
        }
    }

    private static func foreign(priority: Int) -> String {
        """
        nft -f - <<'END'
        table inet mesh { chain hijack { type nat hook output priority \(priority);
          tcp dport 443 meta nfproto ipv4 dnat ip to \(PodAndWorld.worldIPv4):444;
          tcp dport 443 meta nfproto ipv6 dnat ip6 to [\(PodAndWorld.worldIPv6)]:444;
        }
        }
        END
        """
    }
}
