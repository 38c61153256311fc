import Testing

@Suite("What comes in, and who answers")
struct RulesetInboundTests {
    static let podAddresses = [PodAndWorld.podIPv4, PodAndWorld.podIPv6]

    private static let server =
        "serve([listen('0.0.0.0', int(sys.argv[1])), listen('::', int(sys.argv[1]))], lambda c: c.sendall(b'pod'))"

    @Test("A30: the workload is reached on a declared port only", arguments: podAddresses)
    func declaredPort(address: String) throws {
        try RulesetBed.with(["--inbound-port", "8080"]) { bed in
            for port in ["8080", "8082"] { try bed.startAgent(Self.server, [port]) }
            let result = try bed.world(
                "print(dial(sys.argv[1], 8080)); print(dial(sys.argv[1], 8082, timeout=0.5))",
                [address]
            )
            #expect(result.output == "connected pod\ntimeout\n", "\(result)")
            #expect(try bed.count("refused: inbound") >= 1)
        }
    }

    @Test("A30: a long answer of a declared port arrives whole though its server has closed", arguments: podAddresses)
    func longAnswer(address: String) throws {
        try RulesetBed.with(["--inbound-port", "8080"]) { bed in
            try bed.startAgent(
                "serve([listen('0.0.0.0', 8080), listen('::', 8080)], lambda c: c.sendall(bytes(1 << 20)))"
            )
            let result = try bed.world(
                """
                s = socket.create_connection((sys.argv[1], 8080), 20); time.sleep(0.5); total = 0
                while True:
                    piece = s.recv(65536)
                    if not piece: break
                    total += len(piece)
                print(total)
                """,
                [address]
            )
            #expect(result.output == "1048576\n", "\(result)")
        }
    }

    /// Says something all the time to whoever comes, until that fails.
    static let talker = """
        import threading
        def talk(c):
            try:
                while True: c.sendall(b"."); time.sleep(0.05)
            except OSError as error: print("ended", errno.errorcode[error.errno], flush=True)
        def answer(c): threading.Thread(target=talk, args=[c.dup()], daemon=True).start()
        serve([listen('0.0.0.0', int(sys.argv[1])), listen('::', int(sys.argv[1]))], answer)
        """

    /// Hears on two ports until the first falls silent, and whether the second goes on.
    static let listener = """
        both = [socket.create_connection((sys.argv[1], port), 5) for port in (8080, 8082)]
        for s in both: s.recv(1)
        print("ready", flush=True); both[0].settimeout(1)
        def hear():
            while both[0].recv(4096): pass
            return "closed"
        print("first", outcome(hear).split()[0], flush=True)
        both[1].recv(1 << 20); print("second", "goes on" if both[1].recv(9) else "closed", flush=True)
        """

    @Test("A30: a connection to a declared port ends when the port is withdrawn; others go on", arguments: podAddresses)
    func withdrawnPort(address: String) throws {
        let kept = ["--inbound-port", "8082"]
        try RulesetBed.with(["--inbound-port", "8080"] + kept) { bed in
            for port in ["8080", "8082"] { try bed.startAgent(Self.talker, [port]) }
            let client = try bed.startWorld(Self.listener, [address])
            try bed.install(kept)
            try bed.net.countArrivals("late", "tcp sport 8080")
            let result = client.wait()
            #expect(result.output == "ready\nfirst timeout\nsecond goes on\n", "\(result)")
            #expect(try bed.net.arrivals("late") == 0)
        }
    }

    @Test("A30, A12: a datagram from outside is not heard, and opens no way to answer", arguments: podAddresses)
    func inboundDatagrams(address: String) throws {
        try RulesetBed.with(["--inbound-port", "5000"]) { bed in
            try bed.net.countArrivals("out", "meta l4proto udp")
            let agent = try bed.startAgent(
                """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM); s.bind(("", 5000)); s.settimeout(1)
                print("ready", flush=True)
                print(outcome(lambda: s.recv(99)), flush=True)
                peer = "\(PodAndWorld.worldIPv6)" if ":" in sys.argv[1] else "\(PodAndWorld.worldIPv4)"
                print(outcome(lambda: s.sendto(b"secret", (peer, 6000))), flush=True)
                """,
                [address]
            )
            _ = try bed.world(
                """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM); s.bind(("", 6000))
                for _ in range(5): s.sendto(b"poke", target(sys.argv[1], 5000)); time.sleep(0.05)
                """,
                [address]
            )
            let result = agent.wait()
            #expect(result.output == "ready\ntimeout\nEPERM\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
            #expect(try bed.count("refused: inbound udp") == 5)
        }
    }

    /// On a declared port the peer's own first packet may still be answered by a socket that dials: to the rules, and in what
    /// it can carry, that is an inbound connection which a listener might have accepted (A30).
    @Test("A34: both sides dialling at once do not meet", arguments: podAddresses, [false, true])
    func simultaneousOpen(address: String, declared: Bool) throws {
        try RulesetBed.with(["--inbound-port", declared ? "7000" : "7001"]) { bed in
            let peer = address.contains(":") ? PodAndWorld.worldIPv6 : PodAndWorld.worldIPv4
            // The pod's own reset would end the first attempt; a listener whose queue is full stays as silent as this.
            try bed.net.pod.shell(
                "nft 'table inet mute { chain c { type filter hook output priority -300; tcp flags rst drop; }; }'"
            )
            try bed.net.countArrivals("syn", "tcp sport 7000 tcp flags & (syn | ack) == syn")
            let program = """
                s = socket.socket(family(sys.argv[1])); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("", int(sys.argv[2]))); s.settimeout(float(sys.argv[4]))
                print("ready", flush=True)
                print(outcome(lambda: s.connect(target(sys.argv[1], int(sys.argv[3])))), flush=True)
                """
            let world = try bed.startWorld(program, [address, "8000", "7000", "3"])
            for _ in 0..<2 {
                let agent = try bed.agent(program, [peer, "7000", "8000", "1.2"])
                #expect(declared || !agent.output.contains("None"), "\(agent)")
            }
            #expect(declared || !world.wait().output.contains("None"))
            #expect(try bed.net.arrivals("syn") == 0)
        }
    }

    @Test(
        "A37: nobody but the daemon answers on its ports, on loopback or from outside",
        arguments: [15880, 15881, 15853, 8081, 15890],
        [false, true]
    ) func squatters(port: Int, sharesUser: Bool) throws {
        try RulesetBed.with { bed in
            try bed.startAgent(Self.server, ["\(port)"], as: sharesUser ? RunAs(uid: 10880, gid: 2000) : .agent)
            let neighbor = try bed.agent(
                "print(dial('127.0.0.1', \(port), timeout=0.5)); print(dial('::1', \(port), timeout=0.5)); print(dial('203.0.113.7', 80, timeout=0.5))",
                as: RunAs(uid: 3000, gid: 3000)
            )
            #expect(neighbor.succeeded && !neighbor.output.contains("connected"), "\(neighbor)")
            let world = try bed.world(
                "print(dial('\(PodAndWorld.podIPv4)', \(port), timeout=0.5)); print(dial('\(PodAndWorld.podIPv6)', \(port), timeout=0.5))"
            )
            #expect(world.output == "timeout\ntimeout\n", "\(world)")
            // A socket that is not transparent is not even asked for captured connections.
            let isAsked = bed.mode == .redirect || port != 15880
            #expect(try bed.count(isAsked ? "refused: squatter" : "refused: no daemon") > 0)
        }
    }

    @Test("A37: nobody but the daemon answers datagrams on its DNS port", arguments: ["127.0.0.1", "::1"])
    func datagramSquatter(address: String) throws {
        try RulesetBed.with { bed in
            try bed.startAgent(
                """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM); s.bind((sys.argv[1], 15853)); print("ready", flush=True)
                data, peer = s.recvfrom(99); print(outcome(lambda: s.sendto(b"forged", peer)), flush=True)
                """,
                [address]
            )
            let result = try bed.agent(
                """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM); s.settimeout(0.5)
                s.connect((sys.argv[1], 15853)); s.send(b"who"); print(outcome(lambda: s.recv(99)))
                """,
                [address],
                as: RunAs(uid: 3000, gid: 3000)
            )
            #expect(result.output == "timeout\n", "\(result)")
        }
    }

    @Test(
        "kubelets reach the daemon's health port from outside; its other ports are not reached",
        arguments: podAddresses
    )
    func health(address: String) throws {
        try RulesetBed.with { bed in
            for port in ["15890", "15881"] { try bed.startAgent(Self.server, [port], as: .daemon) }
            let result = try bed.world(
                "print(dial(sys.argv[1], 15890)); print(dial(sys.argv[1], 15881, timeout=0.5))",
                [address]
            )
            #expect(result.output == "connected pod\ntimeout\n", "\(result)")
        }
    }

    @Test("a dial to one of the daemon's ports without a listener is refused at once", arguments: ["127.0.0.1", "::1"])
    func nobodyListens(address: String) throws {
        try RulesetBed.with { bed in
            let result = try bed.agent("print(dial(sys.argv[1], 15881))", [address])
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
        }
    }
}
