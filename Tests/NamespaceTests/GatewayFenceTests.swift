import Testing

@Suite("What a gateway lets through")
struct GatewayFenceTests {
    /// A connected socket hears of the refusal with its next call.
    private static let datagrams = """
        s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM)
        s.connect(target(sys.argv[1], int(sys.argv[2]))); s.settimeout(10)
        s.send(b"secret")
        print(outcome(lambda: s.recv(99).decode()))
        """

    private static func refusal(_ address: String) -> String { address.contains(":") ? "EACCES\n" : "EHOSTUNREACH\n" }

    @Test(
        "UDP is refused at once, also to a resolver that was not named, and to the gateway's own services",
        arguments: [
            ("203.0.113.7", 443), ("2001:db8:99::7", 443), ("203.0.113.7", 53), ("2001:db8:99::7", 53),
            (GatewayBed.gatewayIPv4, 9999), (GatewayBed.gatewayIPv6, 9999), (GatewayBed.gatewayIPv4, 53),
            (GatewayBed.gatewayIPv6, 53), (PodAndWorld.podIPv4, 9999),
        ]
    ) func udp(address: String, port: Int) throws {
        try GatewayBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto udp")
            let service = try bed.gateway.startAgent(
                """
                s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(("::", int(sys.argv[1])))
                print("ready", flush=True); print(s.recv(99), flush=True)
                """,
                ["\(port)"],
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            let result = try bed.run(Self.datagrams, [address, "\(port)"])
            #expect(result.output == Self.refusal(address), "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
            #expect(service.output == "ready\n")
            #expect(try bed.gateway.count("refused: udp") == 1)
        }
    }

    @Test("neither TCP nor UDP is refused", arguments: Far.both)
    func otherProtocols(address: String) throws {
        try GatewayBed.with { bed in
            try bed.net.countArrivals("out", "ip protocol { icmp, 47, 132 }")
            try bed.net.countArrivals("out6", "ip6 nexthdr { 47, 132 } ")
            try bed.net.countArrivals("echo6", "icmpv6 type echo-request")
            let result = try bed.run(
                """
                for number in (58 if ":" in sys.argv[1] else 1, 47, 132):
                    s = socket.socket(family(sys.argv[1]), socket.SOCK_RAW, number)
                    packet = bytes([128 if ":" in sys.argv[1] else 8, 0, 0, 0]) + bytes(20)
                    print(outcome(lambda: s.sendto(packet, target(sys.argv[1], 0))))
                """,
                [address],
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_raw"])
            )
            #expect(result.output == "24\n24\n24\n", "\(result)")
            #expect(try bed.gateway.count("refused: other") == 3)
            let arrived = try ["out", "out6", "echo6"].map { try bed.net.arrivals($0) }
            #expect(arrived == [0, 0, 0])
        }
    }

    @Test(
        "a resolver that was named is asked, on the gateway and beyond it, and nothing but DNS",
        arguments: [GatewayBed.gatewayIPv4, GatewayBed.gatewayIPv6, "203.0.113.53", "2001:db8:99::53"]
    ) func resolver(address: String) throws {
        try GatewayBed.with(["--dns-server", address]) { bed in
            let program = """
                s = socket.socket(family(sys.argv[1]), socket.SOCK_DGRAM)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((sys.argv[1], 53)); l = listen(sys.argv[1], 53)
                print("ready", flush=True)
                while True:
                    for ready in select.select([s, l], [], [])[0]:
                        if ready is s:
                            data, peer = s.recvfrom(99); s.sendto(b"answer", peer)
                        else:
                            c, _ = l.accept(); c.sendall(b"answer"); c.close()
                """
            let root = RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            if GatewayBed.gatewayAddresses.contains(address) {
                try bed.gateway.startAgent(program, [address], as: root)
            } else {
                try bed.net.world.shell("ip addr add \(address) dev lo \(address.contains(":") ? "nodad" : "")")
                try bed.gateway.startWorld(program, [address])
            }
            let asked = try bed.run(Self.datagrams, [address, "53"])
            #expect(asked.output == "answer\n", "\(asked)")
            let byTCP = try bed.run("print(dial(sys.argv[1], 53))", [address])
            #expect(byTCP.output == "connected answer\n", "\(byTCP)")
            let other = try bed.run(Self.datagrams, [address, "54"])
            #expect(other.output == Self.refusal(address), "\(other)")
        }
    }

    @Test("a flow that was granted ends with the rules that granted it", arguments: Far.both)
    func revoked(address: String) throws {
        let block = address.contains(":") ? "[\(address)/128]:7000" : "\(address)/32:7000"
        try GatewayBed.with(["--bypass-cidr", block]) { bed in
            try bed.gateway.startWorld(
                "serve([listen('0.0.0.0', 7000), listen('::', 7000)], lambda c: [c.sendall(c.recv(9)) for _ in range(9)])"
            )
            let client = try bed.client.startPython(
                RulesetBed.kit + """
                    s = socket.socket(family(sys.argv[1])); s.settimeout(20); s.connect(target(sys.argv[1], 7000))
                    s.sendall(b"1"); print(s.recv(9)); print("ready", flush=True)
                    time.sleep(1.5); print(outcome(lambda: s.sendall(b"2") or s.recv(9)), flush=True)
                    """,
                [address]
            )
            try bed.install()
            #expect(client.wait().output == "b'1'\nready\nECONNRESET\n")
        }
    }

    @Test("A11, A33: flows that are older than the rules end, whoever speaks first in them", arguments: Far.both)
    func olderFlows(address: String) throws {
        try GatewayBed.with(nil) { bed in
            let server = try bed.gateway.startWorld(
                """
                def answer(c):
                    c.settimeout(4); c.sendall(b"hello"); time.sleep(2)
                    print(outcome(lambda: c.sendall(b"again")), outcome(lambda: c.recv(99)), flush=True)
                serve([listen('0.0.0.0', 7000), listen('::', 7000)], answer)
                """
            )
            let client = try bed.client.startPython(
                RulesetBed.kit + """
                    s = socket.socket(family(sys.argv[1])); s.settimeout(3); s.connect(target(sys.argv[1], 7000))
                    print(s.recv(99)); print("ready", flush=True)
                    print(outcome(lambda: s.recv(99)), flush=True)
                    print(outcome(lambda: s.sendall(b"secret")), flush=True)
                    """,
                [address]
            )
            try bed.install()
            try bed.net.countArrivals("late", "tcp dport 7000 tcp flags & (fin | syn | rst) == 0")
            _ = server.waitForOutput("\n")
            #expect(client.wait().output.hasPrefix("b'hello'\nready\ntimeout\n"), "\(client.output)")
            #expect(try bed.net.arrivals("late") == 0)
        }
    }

    @Test(
        "A27: a source that is not behind the interface gets no answer, and so takes nothing out",
        arguments: Far.both
    )
    func madeUpSource(address: String) throws {
        try GatewayBed.with { bed in
            try bed.startDaemon()
            let source = address.contains(":") ? "2001:db8:66::6" : "192.0.2.66"
            try bed.client.shell("ip addr add \(source) dev eth0 \(address.contains(":") ? "nodad" : "")")
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            try bed.net.countArrivals(
                "told",
                "\(address.contains(":") ? "icmpv6" : "icmp") type destination-unreachable"
            )
            let result = try bed.run(
                """
                bind = lambda s: s.bind((sys.argv[2], 0))
                print(dial(sys.argv[1], 443, bind, timeout=0.8))
                print(datagram(sys.argv[1], 443, prepare=bind)); time.sleep(0.3)
                """,
                [address, source]
            )
            #expect(result.output == "timeout\nsent\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
            #expect(try bed.net.arrivals("told") == 0)
            #expect(try bed.gateway.count("refused: foreign source") >= 2)
        }
    }

    @Test(
        "A30: a client is reached from outside on a declared port only, also behind a published one",
        arguments: Far.both
    )
    func inbound(address: String) throws {
        let client = GatewayBed.address(0, like: address)
        try GatewayBed.with(["--inbound-port", "8080"]) { bed in
            for port in ["8080", "8081"] {
                try bed.client.startPython(
                    RulesetBed.kit + "serve([listen(sys.argv[1], int(sys.argv[2]))], lambda c: c.sendall(b'client'))",
                    [client, port]
                )
            }
            try bed.rewrite("tcp dport 9080 dnat to", client, port: 8080, priority: -100)
            let published = address.contains(":") ? PodAndWorld.podIPv6 : PodAndWorld.podIPv4
            let result = try bed.gateway.world(
                "print(dial(sys.argv[1], 8080)); print(dial(sys.argv[1], 8081, timeout=0.5)); print(dial(sys.argv[2], 9080))",
                [client, published]
            )
            #expect(result.output == "connected client\ntimeout\nconnected client\n", "\(result)")
        }
    }

    @Test("A30: a connection to a client's declared port ends when the port is withdrawn", arguments: Far.both)
    func withdrawn(address: String) throws {
        let client = GatewayBed.address(0, like: address)
        try GatewayBed.with(["--inbound-port", "8080", "--inbound-port", "8082"]) { bed in
            let servers = try ["8080", "8082"].map { port in
                try bed.client.startPython(RulesetBed.kit + RulesetInboundTests.talker, [port])
            }
            let friend = try bed.gateway.startWorld(RulesetInboundTests.listener, [client])
            try bed.install(["--inbound-port", "8082"])
            #expect(servers[0].waitForOutput("ended ECONNRESET"), "\(servers[0].output)")
            let result = friend.wait()
            #expect(result.output == "ready\nfirst timeout\nsecond goes on\n", "\(result)")
        }
    }

    @Test(
        "where the bridge shows its packets to the rules, clients do not reach each other past the daemon",
        arguments: Far.both
    )
    func neighbours(address: String) throws {
        try GatewayBed.with { bed in
            let neighbour = GatewayBed.address(1, like: address)
            try bed.net.pod.shell(
                "echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables; echo 1 > /proc/sys/net/bridge/bridge-nf-call-ip6tables"
            )
            let daemon = try bed.startDaemon()
            try bed.clients[1].startPython(
                RulesetBed.kit + "serve([listen(sys.argv[1], 443)], lambda c: c.sendall(b'neighbour'))",
                [neighbour],
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            let dialled = try bed.run("print(dial(sys.argv[1], 443))", [neighbour])
            #expect(dialled.output == "connected daemon\n", "\(dialled)")
            #expect(daemon.waitForOutput("-> \(neighbour) 443\n"), "\(daemon.output)")
            let sent = try bed.run(Self.datagrams, [neighbour, "443"])
            #expect(sent.output == Self.refusal(address), "\(sent)")
        }
    }
}
