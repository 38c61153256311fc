import Testing

/// A part of the policy routing that somebody takes away.
enum RoutingLoss: String, CaseIterable {
    case ruleIPv4 = "ip -4 rule del pref 7065"
    case ruleIPv6 = "ip -6 rule del pref 7065"
    case routeIPv4 = "ip -4 route del local default dev lo table 7065"
    case routeIPv6 = "ip -6 route del local default dev lo table 7065"

    /// The address whose connections it stops.
    var address: String { Far.both[self == .ruleIPv4 || self == .routeIPv4 ? 0 : 1] }

    /// What `verify` says of it.
    var finding: String {
        switch self {
        case .ruleIPv4: "policy rule '7065: fwmark 0x70650000/0xffff0000 lookup 7065' (ipv4) is missing"
        case .ruleIPv6: "policy rule '7065: fwmark 0x70650000/0xffff0000 lookup 7065' (ipv6) is missing"
        case .routeIPv4: "route 'local default dev lo table 7065' (ipv4) is missing"
        case .routeIPv6: "route 'local default dev lo table 7065' (ipv6) is missing"
        }
    }

    /// Every combination of them but none, in their order.
    static let combinations: [[RoutingLoss]] = (1..<16).map { bits in
        allCases.enumerated().filter { bits >> $0.offset & 1 == 1 }.map(\.element)
    }
}

@Suite("TPROXY without its policy routing")
struct RulesetRoutingTests {
    /// Talks over a connection that is open, dials as programs do, and bound to the device, and with the payload in the first packet.
    private static let attempts = """
        held = []
        for address in sys.argv[1:]:
            s = socket.socket(family(address)); s.connect(target(address, 443)); s.settimeout(0.5); held.append(s)
        print("ready", flush=True)
        while not os.path.exists("/tmp/" + os.environ["GO"]): time.sleep(0.01)
        for s in held: print(outcome(lambda: s.send(b"secret")), flush=True)
        time.sleep(0.3)
        bound = lambda s: s.setsockopt(socket.SOL_SOCKET, 25, b"eth0")
        for address in sys.argv[1:]:
            print(address, dial(address, 443, timeout=0.5), flush=True)
            dial(address, 443, bound, timeout=0.4)
            s = socket.socket(family(address)); s.settimeout(0.4)
            outcome(lambda: s.sendto(b"secret", 0x20000000, target(address, 443)))
            t = socket.socket(family(address)); t.settimeout(0.4); bound(t)
            outcome(lambda: t.sendto(b"secret", 0x20000000, target(address, 443)))
            datagram(address, 443)
        print("over", flush=True)
        """

    private func start(_ bed: RulesetBed) throws -> BackgroundProcess {
        let program = bed.kit + Self.attempts.replacing("os.environ[\"GO\"]", with: "\"\(bed.net.pod.name)\"")
        return try bed.net.pod.startPython(program, Far.both)
    }

    private func go(_ bed: RulesetBed, _ agent: BackgroundProcess) throws -> String {
        try NetworkNamespace.must(["touch", "/tmp/\(bed.net.pod.name)"])
        _ = agent.waitForOutput("over")
        try NetworkNamespace.must(["rm", "/tmp/\(bed.net.pod.name)"])
        return agent.output
    }

    @Test(
        "what is lost of rules and routes stops its family, leaks nothing, and is named by verify; install mends it",
        arguments: RoutingLoss.combinations
    )
    func lost(_ losses: [RoutingLoss]) throws {
        try RulesetBed.with(modes: [.tproxy]) { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            try bed.startDaemon()
            let agent = try start(bed)
            for loss in losses { try bed.net.pod.must(loss.rawValue.split(separator: " ").map(String.init)) }
            let said = try go(bed, agent)
            for address in Far.both {
                let isLost = losses.contains { $0.address == address }
                #expect(said.contains("\(address) connected daemon") != isLost, "\(said)")
            }
            #expect(said.hasSuffix("over\n"), "\(said)")
            #expect(try bed.net.arrivals("out") == 0, "\(said)")
            #expect(try bed.count("refused: not led to the daemon") > 0)
            let verification = try bed.program(["verify"])
            #expect(verification.status == 3, "\(verification)")
            for loss in RoutingLoss.allCases {
                #expect(verification.output.contains("drift: \(loss.finding)\n") == losses.contains(loss))
            }
            try bed.install()
            #expect(try bed.program(["verify"]).succeeded)
            let mended = try bed.agent("for a in sys.argv[1:]: print(dial(a, 443))", Far.both)
            #expect(mended.output == "connected daemon\nconnected daemon\n", "\(mended)")
        }
    }

    @Test(
        "a table that is flushed, a loopback that goes down, a default route that goes elsewhere leak nothing",
        arguments: [
            "ip -4 route flush table 7065; ip -6 route flush table 7065", "ip link set lo down",
            "ip link set lo down; ip link set lo up",
            "ip rule flush; ip -6 rule flush; ip rule add pref 9 lookup main; ip -6 rule add pref 9 lookup main",
            "ip route replace default via 198.51.100.1 dev eth0 table 7065; ip -6 route del local default dev lo table 7065; ip -6 route add default via 2001:db8:1::1 dev eth0 table 7065",
            "ip rule add pref 100 lookup main; ip -6 rule add pref 100 lookup main",
        ]
    )
    func disturbed(_ script: String) throws {
        try RulesetBed.with(modes: [.tproxy]) { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            try bed.startDaemon()
            let agent = try start(bed)
            try bed.net.pod.shell(script)
            let said = try go(bed, agent)
            #expect(said.hasSuffix("over\n"), "\(said)")
            #expect(try bed.net.arrivals("out") == 0, "\(said)")
            let verification = try bed.program(["verify"])
            #expect(verification.status == 3, "\(verification)")
        }
    }

    @Test("while the mode changes back and forth nothing leaves, and what the other mode needed is gone")
    func changes() throws {
        try RulesetBed.with(modes: [.redirect]) { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            let agent = try bed.startAgent(
                """
                print("ready", flush=True)
                for number in range(100000):
                    for address in sys.argv[1:]: dial(address, 443, timeout=0.05)
                """,
                Far.both
            )
            for _ in 0..<5 {
                try bed.install(["--mode", "tproxy"])
                try bed.install(["--mode", "tproxy", "--tproxy-mark", "0x100/0xff00", "--tproxy-priority", "700"])
                try bed.install(["--mode", "tproxy", "--tproxy-table", "77", "--tproxy-priority", "700"])
                try bed.install()
                #expect(try Self.routing(bed) == [])
            }
            #expect(agent.isRunning)
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "a rule of ours that somebody has altered is put right at once, whatever was altered",
        arguments: ["tos 0x10", "ipproto tcp", "uidrange 1-9", "iif lo"],
        ["-4", "-6"]
    )
    func altered(what: String, family: String) throws {
        try RulesetBed.with(modes: [.tproxy]) { bed in
            try bed.net.pod.shell(
                "ip \(family) rule del pref 7065; ip \(family) rule add pref 7065 fwmark 0x70650000/0xffff0000 lookup 7065 protocol 112 \(what)"
            )
            #expect(try bed.program(["verify"]).status == 3)
            let result = try bed.program(["install"])
            #expect(result.succeeded, "\(result)")
            #expect(try bed.program(["verify"]).succeeded)
        }
    }

    @Test("remove takes rules and routes away, with the flags of install or with none, whoever took the table before")
    func removal() throws {
        let flags = ["--tproxy-mark", "0x100/0xff00", "--tproxy-priority", "700", "--tproxy-table", "77"]
        try RulesetBed.with(modes: [.tproxy], install: false) { bed in
            for install in [[], flags] {
                try bed.install(install)
                #expect(try Self.routing(bed).count == 4)
                #expect(try bed.program(["remove"]).succeeded)
                #expect(try Self.routing(bed) == [])
                try bed.install(install)
                try bed.net.pod.must(["nft", "flush", "ruleset"])
                #expect(try bed.program(["remove"] + install).succeeded)
                #expect(try Self.routing(bed) == [])
                #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
            }
        }
    }

    @Test(
        "what others have in the way is refused with 72, named, and nothing is changed; verify names it as well",
        arguments: [
            (
                "rule add pref 7065 to 192.0.2.0/24 lookup 9",
                "7065: … lookup 9' (ipv4) has our priority: give --tproxy-priority"
            ),
            ("-6 rule add pref 100 uidrange 0-0 lookup main", "100: … lookup 254' (ipv6) comes before ours"),
            ("rule add pref 9000 fwmark 0x70651234 lookup 9", "is for marks that overlap with 0x70650000/0xffff0000"),
            (
                "-6 rule add pref 99 not fwmark 0xca6c lookup 9",
                "99: not fwmark 0xca6c/0xffffffff lookup 9' (ipv6) comes before ours"
            ),
            ("rule add pref 9000 fwmark 0x80/0x80 lookup 7065", "leads to our table: give --tproxy-table"),
            ("route add 192.0.2.0/24 via 198.51.100.1 table 7065", "route 'unicast 192.0.2.0/24 dev "),
            ("-6 route add unreachable 2001:db8::/32 table 7065", "route 'unreachable 2001:db8::/32"),
        ]
    )
    func conflicts(command: String, words: String) throws {
        try RulesetBed.with(modes: [.tproxy], install: false) { bed in
            let add = ["ip"] + command.split(separator: " ").map(String.init)
            try bed.net.pod.must(add)
            let before = try Self.routing(bed)
            let result = try bed.program(["install"])
            #expect(result.status == 72 && result.errors.contains(words), "\(result)")
            #expect(try Self.routing(bed) == before)
            #expect(try bed.net.pod.must(["nft", "list", "ruleset"]) == "")
            try bed.net.pod.must(add.map { $0 == "add" ? "del" : $0 })
            try bed.install()
            try bed.net.pod.must(add)
            let verification = try bed.program(["verify"])
            #expect(verification.status == 3 && verification.output.contains(words), "\(verification)")
            #expect(verification.errors.contains("; only who put it there can remove what is not ours; penstock-init"))
        }
    }

    @Test(
        "what others have elsewhere is no matter",
        arguments: [
            "rule add pref 9000 fwmark 0x80/0xff lookup 9", "rule add pref 100 iif eth0 lookup 9",
            "rule add pref 100 fwmark 0x1/0xffff0000 lookup 9", "rule add pref 100 ipproto udp lookup 9",
            "rule add pref 9000 lookup 9", "-6 rule add pref 9000 not fwmark 0xca6c lookup 9",
            "rule add pref 100 lookup local",
        ]
    )
    func noConflict(command: String) throws {
        try RulesetBed.with(modes: [.tproxy], install: false) { bed in
            try bed.net.pod.must(["ip"] + command.split(separator: " ").map(String.init))
            try bed.install()
            #expect(try bed.program(["verify"]).succeeded)
        }
    }

    @Test(
        "settings of the kernel that pods cannot change make no difference",
        arguments: [
            "rp_filter=1 accept_local=0 src_valid_mark=0 route_localnet=0",
            "rp_filter=1 accept_local=0 src_valid_mark=1",
            "fwmark_reflect=1 tcp_fwmark_accept=1", "ip_early_demux=0 tcp_early_demux=0",
        ]
    )
    func settings(_ words: String) throws {
        try RulesetBed.with(modes: [.tproxy], install: false) { bed in
            for word in words.split(separator: " ") {
                let isOfDevice = ["rp_f", "acce", "src_", "rout"].contains(word.prefix(4))
                for place in isOfDevice ? ["conf.all.", "conf.lo.", "conf.eth0."] : [""] {
                    try bed.net.pod.must(["sysctl", "-qw", "net.ipv4.\(place)\(word)"])
                }
            }
            try bed.net.countArrivals("out", "meta l4proto tcp")
            try bed.install()
            try bed.startDaemon()
            let result = try bed.agent("for a in sys.argv[1:]: print(dial(a, 443))", Far.both)
            #expect(result.output == "connected daemon\nconnected daemon\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
        }
    }

    @Test(
        "without IPv6 it captures IPv4, and is as planned; when IPv6 comes nothing leaves, and verify says what is missing"
    )
    func withoutIPv6() throws {
        try RulesetBed.with(modes: [.tproxy], install: false) { bed in
            try bed.net.pod.shell(
                "for n in all default lo eth0; do echo 1 > /proc/sys/net/ipv6/conf/$n/disable_ipv6; done"
            )
            let result = try bed.program(["install"])
            #expect(result.output.contains("probe: ipv4 captured\nprobe: ipv6 has no route here"), "\(result)")
            #expect(try bed.program(["verify"]).succeeded)
            try bed.net.pod.shell(
                """
                for n in all default lo eth0; do echo 0 > /proc/sys/net/ipv6/conf/$n/disable_ipv6; done
                ip addr add \(PodAndWorld.podIPv6)/64 dev eth0 nodad; ip route add default via \(PodAndWorld.worldIPv6)
                """
            )
            try bed.net.countArrivals("out", "meta l4proto tcp")
            _ = try bed.agent("print(dial(sys.argv[1], 443, timeout=2))", [Far.both[1]])
            #expect(try bed.net.arrivals("out") == 0)
            let verification = try bed.program(["verify"])
            #expect(verification.output.contains(RoutingLoss.ruleIPv6.finding), "\(verification)")
        }
    }

    /// What stands of ours in rules and routes.
    private static func routing(_ bed: RulesetBed) throws -> [Substring] {
        try bed.net.pod.shell(
            """
            ip -4 rule; ip -6 rule
            ip -4 route show table all proto 112; ip -6 route show table all proto 112
            """
        ).split(separator: "\n").filter { $0.contains("112") || $0.contains("default dev lo") }
    }
}
