import Testing

@Suite("What is let by")
struct RulesetGrantTests {
    @Test(
        "D05: resolvers are asked by UDP and TCP, nobody else is",
        arguments: [("203.0.113.53", "203.0.113.54"), ("2001:db8:99::53", "2001:db8:99::54")]
    )
    func resolvers(resolver: String, other: String) throws {
        try RulesetBed.with(["--dns-server", resolver]) { bed in
            try bed.net.countArrivals("asked_udp", "udp dport 53")
            try bed.net.countArrivals("asked_tcp", "tcp dport 53")
            try bed.startWorld(
                """
                import threading
                def answer(u):
                    while True:
                        data, peer = u.recvfrom(99); u.sendto(b"answer", peer)
                for address in ("0.0.0.0", "::"):
                    u = socket.socket(family(address), socket.SOCK_DGRAM)
                    if ":" in address: u.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    u.bind((address, 53)); threading.Thread(target=answer, args=(u,), daemon=True).start()
                serve([listen("0.0.0.0", 53), listen("::", 53)], lambda c: c.sendall(b"resolver"))
                """
            )
            let result = try bed.agent(
                """
                print(dial(sys.argv[1], 53)); print(dial(sys.argv[2], 53))
                print(datagram(sys.argv[2], 53)); print(datagram(sys.argv[1], 54)); print(datagram(sys.argv[1], 53))
                """,
                [resolver, other]
            )
            #expect(result.output == "connected resolver\nECONNREFUSED\nEPERM\nEPERM\nsent\n", "\(result)")
            #expect(try bed.net.arrivals("asked_udp") == 1)
            #expect(try bed.net.arrivals("asked_tcp") > 0)
        }
    }

    /// The kernel has the daemon's question in mind for a while; whoever gets its port next asks within that flow.
    @Test(
        "A32, A34: a question to a resolver, or over loopback, is no stale flow; a connection and others' answers are",
        arguments: [("203.0.113.53", "203.0.113.54", "127.0.0.1"), ("2001:db8:99::53", "2001:db8:99::54", "::1")]
    )
    func portOfTheDaemon(resolver: String, other: String, loopback: String) throws {
        try RulesetBed.with(["--dns-server", resolver]) { bed in
            try bed.startWorld(
                """
                def answer(u):
                    while True:
                        data, peer = u.recvfrom(99); u.sendto(b"answer " + data, peer)
                def bound(address):
                    u = socket.socket(family(address), socket.SOCK_DGRAM); u.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND
                    u.bind((address, 53)); return u
                import threading
                sockets = [bound(address) for address in sys.argv[1:]]
                print("ready", flush=True)
                threading.Thread(target=answer, args=(sockets[0],), daemon=True).start()
                answer(sockets[1])
                """,
                [resolver, other]
            )
            let program = """
                for address in sys.argv[1:]:
                    s = socket.socket(family(address), socket.SOCK_DGRAM); s.settimeout(5); s.bind(("", 40126))
                    port = 40127 if address in ("127.0.0.1", "::1") else 53
                    l = socket.socket(family(address), socket.SOCK_DGRAM); l.settimeout(5)
                    if port == 40127: l.bind((address, port))
                    print(outcome(lambda: s.sendto(b"data", target(address, port)) and (l if port == 40127 else s).recv(99)))
                    s.close(); l.close()
                """
            let heard = "b'answer data'\n", looped = "b'data'\n"
            let all = [resolver, other, loopback]
            let first = try bed.agent(program, all, as: .daemon)
            #expect(first.output == heard + heard + looped, "\(first)")
            for owner in [RunAs.agent, RunAs(uid: 10880, gid: 2000), RunAs(uid: 2000, gid: 10880)] {
                let result = try bed.agent(program, all, as: owner)
                #expect(result.output == heard + "EPERM\n" + looped, "\(result)")
            }
            #expect(try bed.count("refused: stale flow") == 3)
            // The daemon's own flow goes on, whoever has asked from its port meanwhile.
            #expect(try bed.agent(program, all, as: .daemon).output == heard + heard + looped)
        }
    }

    @Test("a bypass lets by its own block and port, and is shown by nft and by install", arguments: Far.both)
    func bypass(address: String) throws {
        let block = address.contains(":") ? "[2001:db8:99::/48]:5432" : "203.0.113.0/25:5432"
        let flags = ["--bypass-cidr", block]
        try RulesetBed.with(flags) { bed in
            try bed.startWorld("serve([listen('0.0.0.0', 5432), listen('::', 5432)], lambda c: c.sendall(b'database'))")
            let program =
                "print(dial(sys.argv[1], 5432)); print(dial(sys.argv[1], 5433)); print(dial(sys.argv[2], 5432))"
            let outside = address.contains(":") ? "2001:db8:9a::7" : "203.0.113.129"
            let result = try bed.agent(program, [address, outside])
            #expect(result.output == "connected database\nECONNREFUSED\nECONNREFUSED\n", "\(result)")
            let listing = try bed.net.pod.must(["nft", "list", "ruleset"])
            #expect(listing.contains("comment \"ungoverned: bypass tcp \(block)\""))
            let verification = try bed.program(["verify"] + flags)
            #expect(verification.output.contains("ungoverned: bypass tcp \(block)\n"), "\(verification)")
        }
    }

    @Test("an exempt owner is not led to the daemon by what is remembered of a captured port", arguments: Far.both)
    func staleExemption(address: String) throws {
        try RulesetBed.with(["--exempt", "1337:1338"], modes: [.redirect]) { bed in
            try bed.net.countArrivals("flow", "tcp dport 443")
            let daemon = """
                def reset(c): c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                serve([listen("127.0.0.1", 15880), listen("::1", 15880)], reset)
                """
            try bed.startAgent(daemon, as: .daemon)
            try bed.startWorld("serve([listen('0.0.0.0', 443), listen('::', 443)], lambda c: c.sendall(b'world'))")
            let program = """
                def ask(port):
                    s = socket.socket(family(sys.argv[1])); s.settimeout(10)
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("", port))
                    s.connect(target(sys.argv[1], 443)); return s.recv(9).decode()
                for port in sys.argv[2:]: print(outcome(lambda: ask(int(port))))
                """
            #expect(try bed.agent(program, [address, "25000"]).output == "ECONNRESET\n")
            #expect(try bed.net.arrivals("flow") == 0)
            let exempt = try bed.agent(program, [address, "25000", "25001"], as: RunAs(uid: 1337, gid: 1338))
            #expect(exempt.output == "ECONNREFUSED\nworld\n", "\(exempt)")
            #expect(try bed.count("refused: stale flow") == 1)
        }
    }

    @Test("an exempt owner goes its own way, to the last octet, and makes the posture weak", arguments: Far.both)
    func exemption(address: String) throws {
        let flags = ["--exempt", "1337:1338", "--exempt", "1339:1339"]
        try RulesetBed.with(flags) { bed in
            let server = try bed.startWorld(
                """
                def take(c):
                    time.sleep(0.5); total = 0
                    while True:
                        piece = c.recv(65536)
                        if not piece: break
                        total += len(piece)
                    print("got", total, flush=True)
                serve([listen("0.0.0.0", 443), listen("::", 443)], take)
                """
            )
            let program = """
                s = socket.socket(family(sys.argv[1])); s.settimeout(20)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
                print(outcome(lambda: s.connect(target(sys.argv[1], 443)))); s.sendall(bytes(2 << 20))
                """
            let exempt = try bed.agent(program, [address], as: RunAs(uid: 1337, gid: 1338))
            #expect(exempt.output == "None\n", "\(exempt)")
            #expect(server.waitForOutput("got 2097152\n"), "\(server.output)")
            let half = try bed.agent(program, [address], as: RunAs(uid: 1337, gid: 1339))
            #expect(half.output == "ECONNREFUSED\n", "\(half)")
            let direct = try bed.agent("print(dial('127.0.0.1', 15880))", as: RunAs(uid: 1337, gid: 1338))
            #expect(direct.output == "ECONNREFUSED\n", "\(direct)")
            let verification = try bed.program(["verify"] + flags)
            #expect(
                verification.output.contains("posture: weak (exempt 1337:1338, exempt 1339:1339)"),
                "\(verification)"
            )
        }
    }
}
