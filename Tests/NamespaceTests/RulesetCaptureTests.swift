import Testing

@Suite("What is captured")
struct RulesetCaptureTests {
    /// Who dials, and how: a Python expression for `prepare`, and the protocol's number.
    struct Dial: CustomTestStringConvertible, Sendable {
        var name: String
        var address: String
        var port = 443
        var seen: String?
        var user = RunAs.agent
        var prepare = "lambda s: None"
        var number = 0
        /// The mode in which the kernel has no way for it, so that it is refused and not captured.
        var refusedIn: Handover?

        var testDescription: String { name }
    }

    static let bind =
        "lambda s: s.setsockopt(socket.SOL_SOCKET, 25, b'lo')"

    static let dials: [Dial] = [
        Dial(name: "IPv4", address: "203.0.113.7"),
        Dial(name: "A24: IPv6", address: "2001:db8:99::7"),
        Dial(name: "A24: IPv4-mapped IPv6", address: "::ffff:203.0.113.7", seen: "203.0.113.7"),
        Dial(name: "A25: port 0, IPv4", address: "203.0.113.7", port: 0),
        Dial(name: "A25: port 0, IPv6", address: "2001:db8:99::7", port: 0),
        Dial(name: "A25: port 65535", address: "203.0.113.7", port: 65535),
        Dial(name: "A25: TCP 53 to no resolver of ours, IPv4", address: "203.0.113.7", port: 53),
        Dial(name: "A25: TCP 53 to no resolver of ours, IPv6", address: "2001:db8:99::7", port: 53),
        Dial(name: "A25: TCP 853", address: "203.0.113.7", port: 853),
        Dial(name: "A06: MPTCP, IPv4", address: "203.0.113.7", number: 262),
        Dial(name: "A06: MPTCP, IPv6", address: "2001:db8:99::7", number: 262),
        Dial(name: "A29: the next machine", address: PodAndWorld.worldIPv4),
        Dial(name: "A29: the next machine, IPv6", address: PodAndWorld.worldIPv6),
        Dial(name: "C01: the metadata service", address: "169.254.169.254", port: 80),
        Dial(name: "A40: the pod's own address, the daemon's port", address: PodAndWorld.podIPv4, port: 15880),
        Dial(name: "A40: the same on IPv6", address: PodAndWorld.podIPv6, port: 15880),
        Dial(
            name: "A01: the daemon's user with another group",
            address: "203.0.113.7",
            user: RunAs(uid: 10880, gid: 2000)
        ),
        Dial(name: "A01: the same on IPv6", address: "2001:db8:99::7", user: RunAs(uid: 10880, gid: 2000)),
        Dial(
            name: "A01: the daemon's group with another user",
            address: "203.0.113.7",
            user: RunAs(uid: 2000, gid: 10880)
        ),
        Dial(name: "root", address: "203.0.113.7", user: RunAs(uid: 0, gid: 0)),
        Dial(
            name: "A02: CAP_SETUID to the daemon's user, the group stays",
            address: "203.0.113.7",
            user: RunAs(uid: 2000, gid: 2000, capabilities: ["setuid"]),
            prepare: "lambda s: None if os.setuid(10880) else None"
        ),
        Dial(
            name: "A03: SO_MARK with CAP_NET_RAW, IPv4",
            address: "203.0.113.7",
            user: RunAs(uid: 2000, gid: 2000, capabilities: ["net_raw"]),
            prepare: "lambda s: s.setsockopt(socket.SOL_SOCKET, 36, 0x70656e01)",
            // These are also the bits of the packet mark: the policy rule leaves it no source address.
            refusedIn: .tproxy
        ),
        Dial(
            name: "A03: SO_MARK with CAP_NET_RAW, IPv6",
            address: "2001:db8:99::7",
            user: RunAs(uid: 2000, gid: 2000, capabilities: ["net_raw"]),
            prepare: "lambda s: s.setsockopt(socket.SOL_SOCKET, 36, 0x70656e01)"
        ),
        Dial(
            name: "A27: IP_TRANSPARENT with a foreign source address",
            address: "203.0.113.7",
            user: RunAs(uid: 2000, gid: 2000, capabilities: ["net_raw"]),
            prepare: "lambda s: s.setsockopt(0, 19, 1)"
        ),
        Dial(
            name: "A36: TCP Fast Open",
            address: "203.0.113.7",
            prepare: "lambda s: s.setsockopt(socket.IPPROTO_TCP, 30, 1)"
        ),
    ]

    @Test("every TCP connection reaches the daemon with its true destination", arguments: dials)
    func captured(_ dial: Dial) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let daemon = try bed.startDaemon()
            let result = try bed.agent(
                "print(dial('\(dial.address)', \(dial.port), \(dial.prepare), \(dial.number)))",
                as: dial.user
            )
            #expect(try bed.net.arrivals("out") == 0)
            guard dial.refusedIn != bed.mode else {
                #expect(result.output == "ENETUNREACH\n", "\(result)")
                return
            }
            #expect(result.output == "connected daemon\n", "\(result)")
            #expect(daemon.waitForOutput("\(dial.seen ?? dial.address) \(dial.port)\n"), "\(daemon.output)")
            #expect(try bed.count("captured") == 3, "the two probes and this one")
        }
    }

    @Test(
        "A27: a socket that is connected anew after AF_UNSPEC is captured again",
        arguments: Far.both
    ) func reconnected(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let daemon = try bed.startDaemon()
            let result = try bed.agent(
                """
                import ctypes
                libc = ctypes.CDLL(None, use_errno=True)
                s = socket.socket(family(sys.argv[1])); s.settimeout(20)
                s.connect(target(sys.argv[1], 80)); s.recv(99)
                libc.connect(s.fileno(), bytes(16), 16)
                s.connect(target(sys.argv[1], 81)); print(s.recv(99).decode())
                """,
                [address]
            )
            #expect(result.output == "daemon\n", "\(result)")
            #expect(daemon.waitForOutput("\(address) 81\n"))
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test("A09: with the daemon gone every connection is refused at once and nothing leaves", arguments: Far.both)
    func noDaemon(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto tcp")
            let result = try bed.agent("print(dial(sys.argv[1], 443))", [address])
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "A14: the daemon's own listener is not dialled directly",
        arguments: ["127.0.0.1", "::1", "127.0.0.2", "0.0.0.0", "::", "::ffff:127.0.0.1"]
    ) func direct(address: String) throws {
        try RulesetBed.with { bed in
            let daemon = try bed.startDaemon()
            let result = try bed.agent("print(dial(sys.argv[1], 15880))", [address])
            #expect(result.output == "ECONNREFUSED\n", "\(result)")
            #expect(daemon.output == "ready\n")
        }
    }

    @Test("loopback is the pod's own business", arguments: ["127.0.0.1", "::1", "127.0.0.5"])
    func loopback(address: String) throws {
        try RulesetBed.with { bed in
            try bed.startAgent("serve([listen(sys.argv[1], 9999)], lambda c: c.sendall(b'neighbor'))", [address])
            let result = try bed.agent("print(dial(sys.argv[1], 9999))", [address], as: RunAs(uid: 3000, gid: 3000))
            #expect(result.output == "connected neighbor\n", "\(result)")
        }
    }

    @Test("the daemon may dial a server of another user on loopback", arguments: ["127.0.0.1", "::1"])
    func daemonOnLoopback(address: String) throws {
        try RulesetBed.with { bed in
            try bed.startAgent("serve([listen(sys.argv[1], 9999)], lambda c: c.sendall(b'neighbor'))", [address])
            let result = try bed.agent("print(dial(sys.argv[1], 9999))", [address], as: .daemon)
            #expect(result.output == "connected neighbor\n", "\(result)")
        }
    }
}
