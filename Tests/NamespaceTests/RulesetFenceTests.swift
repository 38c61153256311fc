import Testing

@Suite("What is refused")
struct RulesetFenceTests {
    @Test(
        "E01, A16: a datagram to outside is refused at once and does not leave",
        arguments: [
            "203.0.113.7", "2001:db8:99::7", PodAndWorld.worldIPv4, PodAndWorld.worldIPv6, "224.0.0.251",
            "ff02::fb%eth0",
            "255.255.255.255",
        ]
    ) func datagrams(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto udp")
            let result = try bed.agent(
                "print(datagram(sys.argv[1], 443, prepare=lambda s: s.setsockopt(socket.SOL_SOCKET, 6, 1)))",
                [address]
            )
            #expect(result.output == "EPERM\n", "\(result)")
            #expect(try bed.net.arrivals("out") == 0)
            #expect(try bed.count("refused: udp") == 1)
        }
    }

    /// Sockets bound to the device need no capability.
    ///
    /// Fast Open would put payload in the first packet.
    @Test(
        "A31, A27, A16, A36: a socket bound to a device, or a link-local address, sends nothing",
        arguments: [
            "203.0.113.7", "2001:db8:99::7", "127.0.0.1", "127.0.0.9", "::1", PodAndWorld.worldIPv4,
            PodAndWorld.worldIPv6,
            "fe80::1%eth0",
        ],
        [false, true]
    ) func boundToDevice(address: String, fastOpen: Bool) throws {
        try RulesetBed.with { bed in
            try bed.net.world.shell(
                "ip addr add fe80::1/64 dev eth0 nodad; sysctl -qw net.ipv4.conf.all.route_localnet=1"
            )
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            try bed.startDaemon()
            let result = try bed.agent(
                """
                def prepare(s):
                    s.setsockopt(socket.SOL_SOCKET, 25, b"eth0")
                s = socket.socket(family(sys.argv[1])); s.settimeout(0.6); prepare(s)
                for port in (443, 15880, 15890):
                    if \(fastOpen ? "True" : "False"):
                        print(outcome(lambda: s.sendto(b"secret", 0x20000000, target(sys.argv[1], port))))
                    else:
                        print(dial(sys.argv[1], port, prepare, timeout=0.6))
                print(datagram(sys.argv[1], 53, prepare=prepare))
                """,
                [address]
            )
            #expect(result.succeeded && !result.output.contains("connected"), "\(result)")
            #expect(try bed.net.arrivals("out") == 0, "\(result)")
        }
    }

    /// A source route names further hops behind the address that the rules see; on IPv6 setting one needs no capability.
    @Test("A26, A27: a source route leads nowhere", arguments: Far.both + ["127.0.0.1", "127.0.0.9", "::1"])
    func sourceRoutes(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto { tcp, udp }")
            try bed.startDaemon()
            let result = try bed.agent(
                """
                hop = "\(PodAndWorld.worldIPv6)" if ":" in sys.argv[1] else "\(PodAndWorld.worldIPv4)"
                def prepare(s):
                    raw = socket.inet_pton(family(hop), hop)
                    if ":" in hop:
                        header = bytes([0, 4, 4, 1, 1, 0, 0, 0]) + bytes(16) + raw
                        print(outcome(lambda: s.setsockopt(socket.IPPROTO_IPV6, 57, header)))
                    else:
                        print(outcome(lambda: s.setsockopt(socket.IPPROTO_IP, 4, bytes([131, 7, 4]) + raw + bytes([0]))))
                print(dial(sys.argv[1], 443, prepare, timeout=0.6)); print(dial(sys.argv[1], 9, prepare, timeout=0.6))
                print(datagram(sys.argv[1], 53, prepare=prepare))
                """,
                [address],
                as: RunAs(uid: 2000, gid: 2000, capabilities: ["net_raw"])
            )
            #expect(result.output.hasPrefix("None\n"), "\(result)")
            #expect(try bed.net.arrivals("out") == 0, "\(result)")
        }
    }

    @Test("A05, A06: what is neither TCP nor UDP does not leave, even with CAP_NET_RAW", arguments: Far.both)
    func otherProtocols(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("out", "meta l4proto { icmp, ipv6-icmp, sctp, gre, 253 } ip6 hoplimit != 255")
            try bed.net.countArrivals("out4", "ip protocol { icmp, sctp, gre, 253, 58 }")
            let result = try bed.agent(
                """
                for protocol in (1, 58, 132, 47, 253):
                    echo = bytes([8 if protocol == 1 else 128, 0, 0, 0, 0, 1, 0, 1]) + b"secret"
                    print(datagram(sys.argv[1], 0, echo, kind=socket.SOCK_RAW, protocol=protocol))
                """,
                [address],
                as: RunAs(uid: 2000, gid: 2000, capabilities: ["net_raw"])
            )
            #expect(result.output == String(repeating: "EPERM\n", count: 5), "\(result)")
            #expect(try bed.net.arrivals("out") + bed.net.arrivals("out4") == 0)
            #expect(try bed.count("refused: other") >= 5)
        }
    }

    @Test("A05: neighbour discovery inside IPv4, or from another hop, does not pass for ours")
    func forgedDiscovery() throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("forged", "ip protocol 58")
            try bed.net.countArrivals("far", "icmpv6 type nd-neighbor-solicit ip6 hoplimit 64")
            let solicitation = "bytes([135, 0, 0, 0]) + b'four-octets-more-and-an-address'"
            let result = try bed.agent(
                """
                print(datagram("203.0.113.7", 0, \(solicitation), kind=socket.SOCK_RAW, protocol=58))
                print(datagram("2001:db8:99::7", 0, \(solicitation), kind=socket.SOCK_RAW, protocol=58))
                """,
                as: RunAs(uid: 2000, gid: 2000, capabilities: ["net_raw"])
            )
            #expect(result.output == "EPERM\nEPERM\n", "\(result)")
            #expect(try bed.net.arrivals("forged") + bed.net.arrivals("far") == 0)
        }
    }

    @Test("A05, A06: ping sockets do not reach outside", arguments: Far.both)
    func ping(address: String) throws {
        try RulesetBed.with { bed in
            try bed.net.pod.shell("sysctl -qw net.ipv4.ping_group_range='0 65535'")
            try bed.net.countArrivals("out", "icmp type echo-request")
            try bed.net.countArrivals("out6", "icmpv6 type echo-request")
            let result = try bed.agent(
                """
                v6 = ":" in sys.argv[1]
                print(datagram(sys.argv[1], 0, bytes([128 if v6 else 8, 0, 0, 0, 0, 1, 0, 1]), protocol=58 if v6 else 1))
                """,
                [address]
            )
            // The kernel does not tell an ICMPv6 socket that its packet was refused.
            #expect(["EPERM\n", "sent\n"].contains(result.output), "\(result)")
            #expect(try bed.count("refused: other") >= 1)
            #expect(try bed.net.arrivals("out") + bed.net.arrivals("out6") == 0)
        }
    }

    @Test("a program without capabilities gets no raw and no packet socket", arguments: ["AF_INET", "AF_PACKET"])
    func rawSockets(family: String) throws {
        try RulesetBed.with { bed in
            let result = try bed.agent(
                "print(outcome(lambda: socket.socket(socket.\(family), socket.SOCK_RAW, 255).fileno()))"
            )
            #expect(result.output == "EPERM\n", "A05: \(result)")
        }
    }

    @Test("joining multicast groups writes nothing on the wire")
    func multicastReports() throws {
        try RulesetBed.with { bed in
            try bed.net.countArrivals("mld", "icmpv6 type { mld-listener-report, mld2-listener-report }")
            try bed.net.countArrivals("igmp_report", "ip protocol igmp")
            let result = try bed.agent(
                """
                s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                index = socket.if_nametoindex("eth0")
                for number in range(8):
                    group = socket.inet_pton(socket.AF_INET6, "ff1e::5ec:%x" % number)
                    s.setsockopt(socket.IPPROTO_IPV6, 20, group + struct.pack("@I", index))
                t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                t.setsockopt(0, 35, socket.inet_aton("239.5.6.7") + socket.inet_aton("198.51.100.2"))
                time.sleep(1.5)
                """
            )
            #expect(result.succeeded, "\(result)")
            #expect(try bed.net.arrivals("mld") + bed.net.arrivals("igmp_report") == 0)
        }
    }

    @Test("A23: the pod is no router", arguments: ["192.0.2.77", "2001:db8:77::77"])
    func forwarding(address: String) throws {
        try RulesetBed.with { bed in
            let six = address.contains(":")
            try bed.net.pod.shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
            try bed.net.world.must([
                "ip", "route", "add", address, "via", six ? PodAndWorld.podIPv6 : PodAndWorld.podIPv4,
            ])
            try bed.net.countArrivals("back", six ? "ip6 daddr \(address)" : "ip daddr \(address)")
            _ = try bed.world("print(datagram(sys.argv[1], 9)); print(dial(sys.argv[1], 9, timeout=0.5))", [address])
            #expect(try bed.net.arrivals("back") == 0)
            #expect(try bed.count("refused: forwarded") >= 2)
        }
    }
}
