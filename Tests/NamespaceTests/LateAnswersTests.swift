import Foundation
import Testing

@Suite("A name whose addresses come late, or one family behind the other")
struct LateAnswersTests {
    /// A name server: the first label says what comes, A after 400 ms where nothing else is said.
    private static let nameServer = """
        import ipaddress, socket, threading
        good, late = "203.0.113.80", 0.4
        # Label: AAAA, when it comes, A, when it comes; no time is never, no address is none.
        zone = {"unrouted": ("2001:db8:77::1", 0, good, late), "dead": ("2001:db8:66::1", 0, good, late),
                "special": ("64:ff9b::cb00:7150", 0, good, late), "denied": ("2001:db8:55::1", 0, good, late),
                "lost": ("2001:db8:77::1", 0, good, 0), "never": ("2001:db8:99::80", 0, good, None),
                "nothing": ("64:ff9b::cb00:7150", 0, "10.0.0.1", late), "six": ("2001:db8:99::81", late, "10.0.0.1", 0),
                "slow": (None, 1.5, "203.0.113.66", 1.5)}
        asked = set()
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("203.0.113.53", 53)); print("ready", flush=True)
        while True:
            data, peer = s.recvfrom(4096)
            end = data.index(0, 12)
            kind = int.from_bytes(data[end + 1:end + 3], "big")
            label = data[13:13 + data[12]].decode().lower()
            address, delay = zone[label][:2] if kind == 28 else zone[label][2:]
            isFirst = (label, kind) not in asked
            asked.add((label, kind))
            if delay is None or (label == "lost" and kind == 1 and isFirst): continue
            packed = ipaddress.ip_address(address).packed if address else b""
            record = bytes([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, len(packed)]) + packed if packed else b""
            head = data[:2] + bytes([0x85, 0x80, 0, 1, 0, 1 if packed else 0, 0, 0, 0, 0])
            threading.Timer(delay, s.sendto, (head + data[12:end + 5] + record, peer)).start()
        """

    /// Where the world loses everything; a wire that is new may have lost it before.
    private static let dead = "2001:db8:66::1"

    private static let named = """
          - name: named
            match: { hosts: ["*.allowed.test"], ports: [443, 8080] }
            action: allow
        """

    private static let policy = DaemonPolicy.text(
        """
          - name: denied
            match: { cidrs: ["2001:db8:55::/48"] }
            action: deny
        \(named)
        """
    )

    /// Asks for each name twice, the second time while one family is known; says what became of both.
    private static let ask = """
        def one(label, pause, results):
            time.sleep(pause)
            results.append(echo("203.0.113.5", 443, hello(label.encode() + b".allowed.test"), 30))
        def both(label):
            results = []
            threads = [threading.Thread(target=one, args=(label, pause, results)) for pause in (0, 0.2)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            print(label, *results)
        for label in sys.argv[1:]: both(label)
        """

    private static func with(
        _ dial: String = "",
        policy: String = Self.policy,
        egress: String = "",
        _ body: (DaemonBed) throws -> Void
    ) throws {
        try DaemonBed.with(DaemonSettings(policy: policy, dial: dial), start: false) { bed in
            let text = try String(contentsOfFile: bed.folder.configuration, encoding: .utf8)
            try bed.folder.write(text + egress, to: bed.folder.configuration)
            _ = try bed.net.world.startPython(
                nameServer,
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            try bed.net.pod.must(["ip", "-6", "route", "add", "unreachable", "2001:db8:77::/64"])
            try bed.net.world.must(
                ["nft", "-f", "-"],
                input: """
                    table inet dead {
                      chain wire {
                        type filter hook prerouting priority -300;
                        iifname "eth0" ip6 daddr 2001:db8:66::/64 drop
                        iifname "eth0" ip daddr 203.0.113.66 tcp dport 443 drop
                      }
                    }

                    """
            )
            try bed.start()
            try body(bed)
        }
    }

    @Test(
        "an address that comes behind those of the other family is dialled where these lead nowhere, and never unjudged",
        arguments: [
            ("unrouted", ["203.0.113.80"]), ("dead", ["203.0.113.80"]), ("special", ["203.0.113.80"]),
            ("denied", ["203.0.113.80"]), ("lost", ["203.0.113.80"]), ("never", ["2001:db8:99::80"]),
            ("six", ["2001:db8:99::81"]),
        ]
    )
    func lateFamily(label: String, arrivals: [String]) throws {
        try Self.with { bed in
            let answers = try bed.agent(Self.ask, [label])
            let records = try bed.audit().lines
            #expect(answers == "\(label) ok ok\n", "\(records)")
            #expect(try bed.arrivals().subtracting([Self.dead]) == Set(arrivals))
            let ends = try bed.audit { $0.ends.count == 2 }.ends
            let dialled = Set(ends.map { $0.text("dialled") })
            let isDead = dialled.contains { $0.contains(Self.dead) }
            #expect(dialled.count == 1 && !isDead, "\(dialled)")
            try expectSound(bed)
        }
    }

    @Test("what is refused is refused for the whole answer")
    func refusal() throws {
        try Self.with { bed in
            let answers = try bed.agent(Self.ask, ["nothing"])
            #expect(answers == "nothing closed closed\n")
            #expect(try bed.arrivals().isEmpty)
            let reasons = try bed.audit { $0.connections.count == 2 }.connections.map(\.reason)
            #expect(reasons == ["special_address", "special_address"])
        }
    }

    private static let request = """
        with dial("203.0.113.5", 443, 30) as s:
            s.sendall(b"GET / HTTP/1.1\\r\\nHost: " + sys.argv[1].encode() + b".allowed.test\\r\\n\\r\\n")
            print(s.recv(100).split(b" ")[1].decode())
        """

    @Test("a request's upstream is found the same way", arguments: ["unrouted", "dead", "special", "denied"])
    func request(label: String) throws {
        try Self.with { bed in
            // The server is none of HTTP, and sends back what it gets.
            let answer = try bed.agent(Self.request, [label])
            #expect(answer == "502\n")
            let ends = try bed.audit { $0.lines.contains { $0.kind == "request_end" } }.lines
            let dialled = ends.filter { $0.kind == "request_end" }.map { $0.text("dialled") }
            #expect(dialled == ["203.0.113.80:443"], "\(ends)")
        }
    }

    @Test(
        "a way out waits for the other family, too",
        arguments: [
            ("bind: { address: 198.51.100.2 }", "unrouted", ["203.0.113.80"]),
            ("bind: { address: 198.51.100.2 }", "dead", ["203.0.113.80"]),
            ("http_connect: { address: 'unrouted.allowed.test:443' }", "never", ["203.0.113.80"]),
            ("http_connect: { address: 'dead.allowed.test:443' }", "never", ["203.0.113.80"]),
        ]
    )
    func wayOut(way: String, label: String, arrivals: [String]) throws {
        let policy = DaemonPolicy.text(Self.named + "\n    egress: out")
        try Self.with(policy: policy, egress: "egress: { out: { \(way) } }\n") { bed in
            let answers = try bed.agent(Self.ask, [label])
            // The server is no proxy: it sends back what it is told, and that is no answer of one.
            let isProxy = way.hasPrefix("http")
            #expect(answers == (isProxy ? "\(label) ECONNRESET ECONNRESET\n" : "\(label) ok ok\n"))
            #expect(try bed.arrivals().subtracting([Self.dead]) == Set(arrivals))
            let details = try bed.audit { $0.ends.count == 2 }.ends.map(\.detail)
            let isMalformed = details.allSatisfy { $0.contains("malformed") }
            #expect(isMalformed == isProxy, "\(details)")
        }
    }

    @Test("a rule on trial that refuses for the name has nobody wait for the other family")
    func onTrial() throws {
        let trial = "  - { name: trial, match: { hosts: [never.allowed.test] }, action: deny, mode: audit }\n"
        // In this time the other family's answer never comes, and nobody has said so.
        try Self.with(", timeout_seconds: 2", policy: DaemonPolicy.text(trial + Self.named)) { bed in
            #expect(try bed.agent(Self.ask, ["never"]) == "never ok ok\n")
            let decided = try bed.audit { $0.ends.count == 2 }.connections
            let isOnTrial = decided.allSatisfy { $0.text("decision") == "allow" && $0.rule == "trial" }
            #expect(isOnTrial, "\(decided)")
        }
    }

    private static let denied = DaemonPolicy.text(
        """
          - name: late
            match: { cidrs: [203.0.113.80/32] }
            action: deny
        \(named)
        """
    )

    @Test("B20: what joined a dial is put to the policy that is in force when it is reached")
    func reachedLate() throws {
        try Self.with { bed in
            try bed.net.world.shell("nft add rule inet dead wire ip daddr 203.0.113.80 tcp dport 443 counter drop")
            let agent = try bed.startAgent(
                """
                print("ready", flush=True)
                print(echo("203.0.113.5", 443, hello(b"unrouted.allowed.test"), 60), flush=True)
                """
            )
            let isDialled = BackgroundProcess.poll(seconds: 60) {
                let rules = (try? bed.net.world.must(["nft", "list", "chain", "inet", "dead", "wire"])) ?? ""
                return rules.contains(/counter packets [1-9]/)
            }
            #expect(isDialled)
            try bed.folder.write(Self.denied, to: bed.folder.policy)
            bed.signal(SIGHUP)
            _ = try bed.audit { $0.events("policy").count == 2 }
            try bed.net.world.must(["nft", "flush", "chain", "inet", "dead", "wire"])
            #expect(agent.wait().output == "ready\nECONNRESET\n")
            let outcomes = try bed.audit { $0.ends.count == 1 }.ends.map { $0.text("outcome") }
            #expect(outcomes == ["policy_changed"])
        }
    }

    @Test("B20: a request that runs at an address that joined is cut when a new policy denies that address")
    func runningLate() throws {
        try Self.with { bed in
            let server = try bed.net.world.startPython(
                """
                import socket, time
                listener = socket.create_server(("203.0.113.80", 8080)); print("ready", flush=True)
                s, _ = listener.accept(); s.recv(999)
                s.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nfirst"); time.sleep(60)
                """,
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            defer { server.stop() }
            let agent = try bed.startAgent(
                """
                print("ready", flush=True)
                with dial("203.0.113.5", 8080, 60) as s:
                    s.sendall(b"GET / HTTP/1.1\\r\\nHost: unrouted.allowed.test\\r\\n\\r\\n")
                    data = b""
                    while b"first" not in data: data += s.recv(100)
                    print("first", flush=True)
                    try: s.recv(100)
                    except OSError: pass
                    print("over", flush=True)
                """
            )
            #expect(agent.waitForOutput("first"), "\(agent.output)")
            try bed.folder.write(Self.denied, to: bed.folder.policy)
            bed.signal(SIGHUP)
            #expect(agent.waitForOutput("over", seconds: 30), "\(agent.output)")
            let ends = try bed.audit { $0.lines.contains { $0.kind == "request_end" } }.lines
            let outcomes = ends.filter { $0.kind == "request_end" }.map { $0.text("outcome") }
            #expect(outcomes == ["policy_changed"], "\(ends)")
        }
    }

    @Test("`dial.timeout_seconds` is for looking up and connecting together")
    func timeLimit() throws {
        try Self.with(", timeout_seconds: 2") { bed in
            let answers = try bed.agent(Self.ask, ["slow"])
            #expect(answers == "slow ECONNRESET ECONNRESET\n")
            let answer = try bed.agent(Self.request, ["slow"])
            #expect(answer == "504\n")
            let ends = try bed.audit { $0.lines.contains { $0.kind == "request_end" } }.ends
            let times = ends.map { $0.number("duration_ms") }
            // The second came 200 ms later, when the first had looked for as long.
            let isInTime = times.prefix(2).allSatisfy { (1700..<3000).contains($0) }
            #expect(ends.count >= 2 && isInTime, "\(ends)")
        }
    }
}
