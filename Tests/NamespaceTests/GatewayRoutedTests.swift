import Testing

@Suite("What others send through a gateway, by TPROXY")
struct GatewayRoutedTests {
    private static let mode = ["--mode", "tproxy"]

    @Test(
        "every TCP connection reaches the daemon, from its client, with its true destination",
        arguments: GatewayCaptureTests.dials
    )
    func captured(_ dial: GatewayCaptureTests.Dial) throws {
        try GatewayBed.with(Self.mode) { bed in
            try bed.expectCaptured(dial, by: try bed.startTransparentDaemon())
        }
    }

    /// What is in the way of the capture.
    enum Obstacle: String, CaseIterable, Sendable {
        case noDaemon
        case noRight
        case noPolicyRule
        case noRoute
    }

    @Test(
        "A09, A23: whatever is missing, everything is refused and nothing leaves",
        arguments: Far.both,
        Obstacle.allCases
    )
    func missing(address: String, obstacle: Obstacle) throws {
        try GatewayBed.with(Self.mode) { bed in
            try bed.startServer(443)
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            switch obstacle {
            case .noDaemon: break
            case .noRight: _ = try bed.startTransparentDaemon(isTransparent: false)
            case .noPolicyRule:
                _ = try bed.startTransparentDaemon()
                try bed.net.pod.shell("ip rule del priority 7065; ip -6 rule del priority 7065")
            case .noRoute:
                _ = try bed.startTransparentDaemon()
                try bed.net.pod.shell("ip route flush table 7065; ip -6 route flush table 7065")
            }
            let result = try bed.run("print(dial(sys.argv[1], 443, timeout=2))", [address])
            // What was handed over and is not led here the kernel itself lets fall, without a word.
            let isLed = obstacle == .noDaemon || obstacle == .noRight
            #expect(result.output == (isLed ? "ECONNREFUSED\n" : "timeout\n"), "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "A29, A35: another table rewrites nothing of it, before the capture or behind it",
        arguments: Far.both,
        [-110, -100]
    )
    func rewriting(address: String, priority: Int) throws {
        try GatewayBed.with(Self.mode) { bed in
            try bed.startServer(80)
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let daemon = try bed.startTransparentDaemon()
            try bed.rewrite("tcp dport 443 dnat to", address, port: 80, priority: priority)
            let service = address.contains(":") ? "fd00:96::20" : "10.96.0.20"
            let result = try bed.run("print(dial(sys.argv[1], 443))", [service])
            #expect(result.output == (priority == -100 ? "connected daemon\n" : "ECONNREFUSED\n"), "\(result)")
            #expect(daemon.output == "ready\n" || daemon.waitForOutput("-> \(service) 443\n"), "\(daemon.output)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }
}
