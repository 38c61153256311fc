import Testing

/// A client that may write its own packets (NET_RAW) sends from addresses that are not its own.
///
/// What the gateway would answer goes elsewhere then, with what the client has chosen inside.
@Suite("Packets that a gateway's client has forged")
struct GatewayForgeryTests {
    private static let forge = """
        def checksum(octets):
            octets += bytes(len(octets) % 2)
            total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
            while total >> 16: total = (total >> 16) + (total & 0xffff)
            return struct.pack("!H", ~total & 0xffff)
        def packet(source, to, protocol, body, place, hops):
            ends = b"".join(socket.inet_pton(family(a), a) for a in (source, to))
            if ":" in source:
                sums = checksum(ends + struct.pack("!II", len(body), protocol) + body)
                head = struct.pack("!IHBB", 6 << 28, len(body), protocol, hops) + ends
            else:
                sums = checksum(ends + struct.pack("!HH", protocol, len(body)) + body)
                head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, hops, protocol, 0) + ends
                head = head[:10] + checksum(head) + head[12:]
            return head + body[:place] + sums + body[place + 2:]
        def send(octets):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: s.sendto(b"hello", ("10.88.0.1", 9))
            while not (known := [l.split()[3] for l in open("/proc/net/arp") if l.startswith("10.88.0.1 ")]): time.sleep(0.05)
            kind = 0x86dd if octets[0] >> 4 == 6 else 0x0800
            with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(kind)) as s:
                s.sendto(octets, ("eth0", kind, 0, 0, bytes.fromhex(known[0].replace(":", ""))))

        """
    private static let root = RunAs(uid: 0, gid: 0, capabilities: ["net_raw"])
    private static let told = "icmp type destination-unreachable"
    private static let told6 = "icmpv6 type destination-unreachable"

    @Test(
        "A12: neighbour discovery in another one's name is dropped: its refusal would carry what is in it",
        arguments: Handover.allCases
    )
    func discovery(handover: Handover) throws {
        try GatewayBed.with(["--mode", handover.rawValue]) { bed in
            try bed.net.countArrivals("told", Self.told6)
            let result = try bed.run(
                Self.forge + """
                    there, beyond = sys.argv[1:]
                    for kind in (133, 135, 136):
                        body = struct.pack("!BBHI", kind, 0, 0, 0) + socket.inet_pton(socket.AF_INET6, beyond) + b"secret" * 90
                        send(packet(there, beyond, 58, body, 2, 255))
                    print("sent")
                    """,
                [PodAndWorld.worldIPv6, "2001:db8:99::7"],
                as: Self.root
            )
            #expect(result.output == "sent\n", "\(result)")
            #expect(
                BackgroundProcess.poll(seconds: 20) { (try? bed.gateway.count("refused: foreign source")) ?? 0 == 3 }
            )
            #expect(try bed.net.arrivals("told") == 0)
        }
    }

    @Test(
        "A12: nobody is told that an answer did not reach the address that a client has made up",
        arguments: Handover.allCases,
        [true, false]
    )
    func madeUp(handover: Handover, isAnswered: Bool) throws {
        try GatewayBed.with(["--mode", handover.rawValue]) { bed in
            try bed.net.countArrivals("told", Self.told)
            try bed.net.countArrivals("told6", Self.told6)
            try bed.net.pod.shell(
                """
                for family in ipv4 ipv6; do
                  echo 1 > /proc/sys/net/$family/neigh/\(GatewayBed.bridge)/mcast_solicit
                  echo 50 > /proc/sys/net/$family/neigh/\(GatewayBed.bridge)/retrans_time_ms
                done
                """
            )
            if isAnswered { _ = handover == .tproxy ? try bed.startTransparentDaemon() : try bed.startDaemon() }
            let result = try bed.run(
                Self.forge + """
                    for to in sys.argv[1:]:
                        for flags in (0, 0x02, 0x10, 0x11, 0x12, 0x18, 0x29):
                            source = ("2001:db8:88::%x" if ":" in to else "10.88.0.%d") % (100 + flags)
                            body = struct.pack("!HHIIBBHHH", 0x4c45, 0x414b, 0x53454352, 0x45542121, 0x50, flags, 1024, 0, 0)
                            send(packet(source, to, 6, body, 16, 64))
                    print("sent")
                    """,
                Far.both,
                as: Self.root
            )
            #expect(result.output == "sent\n", "\(result)")
            #expect(
                BackgroundProcess.poll(seconds: 20) {
                    (try? bed.gateway.count("refused: undeliverable answer")) ?? 0 >= 8
                }
            )
            #expect(try bed.net.arrivals("told") == 0)
            #expect(try bed.net.arrivals("told6") == 0)
        }
    }
}
