import Testing

/// A socket may bind an address that is not this machine's without any capability (`IP_FREEBIND`, `IPV6_FREEBIND`).
@Suite("Foreign source addresses")
struct EgressSourceTests {
    static let program = """
        import time
        source, invented = sys.argv[1:]
        six = ":" in source
        def bound(kind, port):
            s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind)
            s.setsockopt(41 if six else 0, 78 if six else 15, 1)
            s.bind((source, port))
            return s
        tried = 0
        for number in range(20):
            s = bound(socket.SOCK_STREAM, 0); s.setblocking(False)
            try: s.connect((invented, 443))
            except OSError: pass
            d = bound(socket.SOCK_DGRAM, 0)
            try: d.sendto(b"an answer of a resolver", ("::1" if six else "127.0.0.1", 15853))
            except OSError: tried += 1
        time.sleep(1.5)
        print(tried)

        """

    @Test("A27, A31: a captured SYN from a foreign source is not answered on the wire, and no datagram has one")
    func foreignSource() throws {
        try GuardedPod.with { pod in
            // What an observer at `source` would read is the invented address that the answer comes from.
            for (source, invented) in [
                ("2001:db8:113::30", "2001:db8:7365:6372:6574::1"), ("203.0.113.30", "192.0.2.77"),
            ] {
                let result = try pod.python(Self.program, [source, invented])
                #expect(result.output == "20\n", "every datagram is refused: \(result)")
                #expect(try pod.world.arrivals(at: source) == 0)
                #expect(try pod.world.arrivals(at: invented) == 0)
            }
            let rules = try pod.net.pod.must(["nft", "list", "chain", "inet", "penstock", "fence"])
            let counts = rules.matches(of: /packets ([1-9][0-9]*) bytes [0-9]+ drop comment "refused: foreign source"/)
            #expect(!counts.isEmpty, "the rule met none of them: \(rules)")
        }
    }
}
