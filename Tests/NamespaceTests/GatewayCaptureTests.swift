import Testing

@Suite("What others send through a gateway")
struct GatewayCaptureTests {
    /// Where a client dials, and what the daemon must see of it.
    struct Dial: CustomTestStringConvertible, Sendable {
        var name: String
        var address: String
        var port = 443
        var number = 0

        var testDescription: String { name }
    }

    static let dials: [Dial] = [
        Dial(name: "IPv4", address: "203.0.113.7"),
        Dial(name: "A24: IPv6", address: "2001:db8:99::7"),
        Dial(name: "A25: port 0", address: "203.0.113.7", port: 0),
        Dial(name: "A25: TCP 53 to no resolver of ours", address: "203.0.113.7", port: 53),
        Dial(name: "A25: the same on IPv6", address: "2001:db8:99::7", port: 53),
        Dial(name: "A06: MPTCP", address: "203.0.113.7", number: 262),
        Dial(name: "C01: the metadata service", address: "169.254.169.254", port: 80),
        Dial(name: "A13: a service of the gateway's own", address: GatewayBed.gatewayIPv4, port: 22),
        Dial(name: "A13: the same on IPv6", address: GatewayBed.gatewayIPv6, port: 22),
        Dial(name: "A13: the governance API", address: GatewayBed.gatewayIPv4, port: 8081),
        Dial(name: "A13: health and metrics", address: GatewayBed.gatewayIPv4, port: 15890),
        Dial(name: "A40: the gateway's other address", address: PodAndWorld.podIPv4, port: 15880),
        Dial(name: "A40: the same on IPv6", address: PodAndWorld.podIPv6, port: 15880),
        Dial(name: "A29: the next machine outside", address: PodAndWorld.worldIPv4),
    ]

    @Test("every TCP connection reaches the daemon, from its client, with its true destination", arguments: dials)
    func captured(_ dial: Dial) throws {
        try GatewayBed.with { bed in
            try bed.expectCaptured(dial, by: try bed.startDaemon())
        }
    }

    @Test("without rules the gateway forwards: what the other tests miss would arrive", arguments: Far.both)
    func control(address: String) throws {
        try GatewayBed.with(nil) { bed in
            try bed.startServer(443)
            let result = try bed.run("print(dial(sys.argv[1], 443))", [address])
            #expect(result.output == "connected world\n", "\(result)")
        }
    }

    @Test(
        "A09, A23: with the daemon gone every connection is refused at once, whether the gateway forwards or not",
        arguments: Far.both,
        [false, true]
    ) func noDaemon(address: String, forwards: Bool) throws {
        try GatewayBed.with(forwards: forwards) { bed in
            try bed.startServer(443)
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            let daemon = try bed.startDaemon()
            daemon.stop()
            let result = try bed.run("print(dial(sys.argv[1], 443))", [address])
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "A14: the daemon's port is not dialled, neither by clients nor from outside",
        arguments: GatewayBed.gatewayAddresses
    )
    func direct(address: String) throws {
        try GatewayBed.with { bed in
            let daemon = try bed.startDaemon()
            let result = try bed.run("print(dial(sys.argv[1], 15880))", [address])
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
            let way = address.contains(":") ? PodAndWorld.podIPv6 : PodAndWorld.podIPv4
            try bed.net.world.shell("ip route add \(address) via \(way)")
            let outside = try bed.gateway.world(
                "print(dial(sys.argv[1], 15880)); print(dial(sys.argv[1], 15881))",
                [address]
            )
            #expect(outside.output == "ECONNREFUSED\nECONNREFUSED\n", "\(outside)")
            #expect(daemon.output == "ready\n")
        }
    }

    @Test("the explicit proxy is reached where it listens", arguments: GatewayBed.gatewayAddresses)
    func explicitProxy(address: String) throws {
        try GatewayBed.with { bed in
            try bed.gateway.startAgent(
                "serve([listen(sys.argv[1], 15881)], lambda c: c.sendall(b'proxy'))",
                [address],
                as: .daemon
            )
            let result = try bed.run("print(dial(sys.argv[1], 15881))", [address])
            #expect(result.output == "connected proxy\n", "\(result)")
            #expect(try bed.gateway.count("captured") == 0)
        }
    }

    @Test("the gateway's own connections, and those of other interfaces, are left alone", arguments: Far.both)
    func leftAlone(address: String) throws {
        try GatewayBed.with { bed in
            try bed.startServer(443)
            let own = try bed.gateway.agent("print(dial(sys.argv[1], 443))", [address])
            #expect(own.output == "connected world\n", "\(own)")
            // The first client's port leaves the bridge, and is an interface like any other.
            try bed.net.pod.shell(
                """
                ip link set port0 nomaster
                ip route add \(GatewayBed.address(0, like: ".")) dev port0; ip addr add 10.88.0.1/32 dev port0
                ip -6 route add \(GatewayBed.address(0, like: ":")) dev port0; ip addr add 2001:db8:88::1/128 dev port0 nodad
                """
            )
            let other = try bed.run("print(dial(sys.argv[1], 443, timeout=4))", [address])
            #expect(other.output == "connected world\n", "\(other)")
        }
    }

    @Test("A29, A35: another table's rewriting comes after ours", arguments: Far.both)
    func laterRewriting(address: String) throws {
        try GatewayBed.with { bed in
            try bed.startServer(80)
            let daemon = try bed.startDaemon()
            try bed.rewrite("tcp dport 443 dnat to", address, port: 80, priority: -100)
            #expect(try bed.gateway.program(["verify", "--gateway", GatewayBed.bridge]).status == 0)
            let service = address.contains(":") ? "fd00:96::20" : "10.96.0.20"
            let result = try bed.run("print(dial(sys.argv[1], 443))", [service])
            #expect(result.output == "connected daemon\n", "\(result)")
            #expect(daemon.waitForOutput("-> \(service) 443\n"), "\(daemon.output)")
        }
    }

    @Test("A35: another table's rewriting that comes before ours leads nowhere, and is told", arguments: Far.both)
    func earlierRewriting(address: String) throws {
        try GatewayBed.with(nil) { bed in
            try bed.startServer(80)
            try bed.startDaemon()
            try bed.rewrite("tcp dport 443 dnat to", address, port: 80, priority: -110)
            let installed = try bed.gateway.program(["install", "--gateway", GatewayBed.bridge])
            #expect(installed.output.contains("warning: chain early of table inet other rewrites"), "\(installed)")
            let verified = try bed.gateway.program(["verify", "--gateway", GatewayBed.bridge])
            #expect(verified.status == 3, "\(verified)")
            let service = address.contains(":") ? "fd00:96::20" : "10.96.0.20"
            let result = try bed.run("print(dial(sys.argv[1], 443))", [service])
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
        }
    }
}

extension GatewayBed {
    /// Loads a table of somebody else's that rewrites what comes in.
    func rewrite(_ rule: String, _ address: String, port: Int, priority: Int) throws {
        let target = address.contains(":") ? "ip6 to [\(address)]:\(port)" : "ip to \(address):\(port)"
        try net.pod.must(
            ["nft", "-f", "-"],
            input: """
                table inet other {
                  chain early { type nat hook prerouting priority \(priority);
                    \(rule.replacing("dnat to", with: "dnat \(target)"))
                  }
                }

                """
        )
    }
}

extension GatewayBed {
    /// Each client dials, and the daemon hears from it for its true destination; nothing comes to the world.
    func expectCaptured(_ dial: GatewayCaptureTests.Dial, by daemon: BackgroundProcess) throws {
        try net.countArrivals("out", "meta l4proto tcp")
        for client in 0..<2 {
            let program = "print(dial(sys.argv[1], \(dial.port), protocol=\(dial.number)))"
            let result = try run(program, [dial.address], client: client)
            #expect(result.output == "connected daemon\n", "\(result)")
            let peer = Self.address(client, like: dial.address)
            #expect(daemon.waitForOutput("\(peer) -> \(dial.address) \(dial.port)\n"), "\(daemon.output)")
        }
        #expect(try net.arrivals("out") == 0)
        #expect(try gateway.count("captured") == 2)
    }
}
