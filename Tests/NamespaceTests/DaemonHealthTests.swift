import Foundation
import Testing

@Suite("The daemon's health port")
struct DaemonHealthTests {
    @Test("the metrics are in Prometheus' format, and agree with the audit file")
    func metricsAgree() throws {
        try DaemonBed.with { bed in
            _ = try bed.agent(
                """
                for _ in range(20): echo("203.0.113.7"); echo("2001:db8:99::7")
                for _ in range(7): echo("203.0.113.66")
                for _ in range(5): echo("8.8.8.8")
                for _ in range(3): echo("203.0.113.7", 7001, b"GET / HTTP/1.1\\r\\nHost: a b\\r\\n\\r\\n")
                for _ in range(2): echo("203.0.113.7", 9999)
                for _ in range(4): echo("169.254.169.254")
                """
            )
            let reading = try bed.audit { $0.connections.count == 61 && $0.ends.count == 42 }
            let metrics = try bed.metrics()
            #expect(metrics["connections_accepted_total"] == reading.connections.count)
            let allowed = reading.connections.count { $0.isAllowed }
            #expect(metrics["connections_allowed_total"] == allowed)
            #expect(metrics["connections_ended_total"] == reading.ends.count)
            #expect(metrics["dial_failures_total"] == reading.ends("upstream_failed").count)
            #expect(reading.ends("upstream_failed").count == 2)
            let bytesUp = reading.ends.reduce(0) { $0 + $1.number("bytes_up") }
            let bytesDown = reading.ends.reduce(0) { $0 + $1.number("bytes_down") }
            #expect(metrics["bytes_up_total"] == bytesUp)
            #expect(metrics["bytes_down_total"] == bytesDown)
            let refused = metrics.values.filter {
                $0.key.hasPrefix("penstock_connections_refused_total") && $0.value > 0
            }
            let recorded = Dictionary(grouping: reading.connections.filter { !$0.isAllowed }, by: \.reason)
            #expect(
                refused
                    == Dictionary(
                        uniqueKeysWithValues: recorded.map {
                            ("penstock_connections_refused_total{reason=\"\($0)\"}", $1.count)
                        }
                    )
            )
            #expect(recorded["rule_deny"]?.count == 7 && recorded["malformed_name"]?.count == 3, "\(recorded.keys)")
            // Each record is a line, those that the writer makes itself included; another may be written meanwhile.
            let written = metrics["audit_records_written_total"]
            let later = try bed.audit()
            #expect(reading.lines.count <= written && written <= later.lines.count, "\(written)")
            // Without interception they are there, too.
            #expect(metrics["leaves"] == 0 && metrics["leaf_evictions_total"] == 0)
            #expect(metrics["leaf_requests_total{outcome=\"failed\"}"] == 0)
            #expect(metrics["connections_live"] == 0 && metrics["ready"] == 1 && metrics["audit_backlog_records"] == 0)
        }
    }

    @Test(
        "requests are answered as HTTP says",
        arguments: [
            ("GET", "/healthz", "200", "alive\n"), ("GET", "/readyz?verbose", "200", "ready\n"),
            ("HEAD", "/readyz", "200", ""), ("HEAD", "/readyz?format=json", "200", ""),
            ("POST", "/metrics", "405", "only GET and HEAD\n"),
            ("GET", "/", "404", "there is /healthz, /readyz and /metrics\n"),
            ("GET", "/metrics/../readyz", "404", "there is /healthz, /readyz and /metrics\n"),
            ("GET", "readyz", "400", "not a request this port reads\n"),
        ]
    )
    func requests(method: String, path: String, status: String, body: String) throws {
        try DaemonBed.with { bed in
            let result = try bed.net.pod.python(
                DaemonWorld.kit + """
                    head, body = ask(sys.argv[2], sys.argv[1])
                    fields = dict(line.lower().split(": ", 1) for line in head.split("\\r\\n")[1:])
                    isJSON = fields["content-type"] == "application/json"; assert isJSON == sys.argv[2].endswith("json"), head
                    print(head.split(" ")[1], fields["connection"], "content-length" in fields)
                    print(body, end="")
                    """,
                [method, path],
                as: RunAs(uid: 0, gid: 0)
            )
            #expect(result.output == "\(status) close True\n\(body)", "\(result)")
        }
    }

    @Test("G07, G02: garbage, a head of a megabyte and slow requests do not keep the port from answering")
    func abuse() throws {
        try DaemonBed.with { bed in
            let memory = try bed.residentBytes()
            let abuser = try bed.net.pod.startPython(
                DaemonWorld.kit + """
                    def send(data):
                        s = socket.create_connection(("127.0.0.1", 15890), 5)
                        try:
                            s.sendall(data); s.shutdown(socket.SHUT_WR)
                            return read_all(s)[:12]
                        except OSError as error: return name(error).encode()
                    for data in (os.urandom(5000), b"\\r\\n\\r\\n", b"GET\\r\\n\\r\\n", b"\\0" * 100, b"", b"GET / HTTP/1.1",
                                 b"GET /readyz HTTP/9.9\\r\\n\\r\\n", b"GET /r\\xff HTTP/1.1\\r\\n\\r\\n",
                                 b"\\x16\\3\\1\\0\\5hello", b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n"):
                        answer = send(data)
                        print("bad" if answer.startswith(b"HTTP/1.1 2") else "fine", flush=True)
                    answer = send(b"GET /readyz HTTP/1.1\\r\\nX: " + b"a" * (1 << 20) + b"\\r\\n\\r\\n")
                    print("bad" if answer.startswith(b"HTTP/1.1 2") else "fine", flush=True)
                    slow = [socket.create_connection(("127.0.0.1", 15890), 5) for _ in range(50)]
                    for s in slow: s.sendall(b"GET /ready")
                    print("ready", flush=True)
                    for _ in range(100):
                        for s in slow:
                            try: s.sendall(b"x")
                            except OSError: pass
                        time.sleep(0.2)
                    """,
                as: RunAs(uid: 0, gid: 0)
            )
            #expect(abuser.output == String(repeating: "fine\n", count: 11) + "ready\n", "\(abuser.output)")
            let quickest = try bed.quickestProbe()
            #expect(quickest < .seconds(2), "slow requests keep others waiting")
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
            #expect(try bed.residentBytes() - memory < 8 << 20)
        }
    }

    @Test(
        "G02: of the daemon's ports the agent reaches health, and on loopback those made for it; health tells no secret",
        arguments: ["127.0.0.1", "::1", PodAndWorld.podIPv4, PodAndWorld.podIPv6, "127.0.0.9"]
    ) func forAgents(address: String) throws {
        try DaemonBed.with(DaemonSettings(healthAddress: "0.0.0.0")) { bed in
            let result = try bed.agent(
                """
                text = b"GET /metrics HTTP/1.1\\r\\n\\r\\n"
                here = sys.argv[1] in ("127.0.0.1", "::1")
                closed = (15880, 15853) if here else (15880, 15853, 8081)
                print({echo(sys.argv[1], port, text, timeout=2) for port in closed} <= {"ECONNREFUSED", "ECONNRESET"},
                      echo(sys.argv[1], 15881, text, timeout=2))
                for path in ("healthz", "readyz", "metrics"):
                    try:
                        with dial(sys.argv[1], 15890, 2) as s:
                            s.sendall(f"GET /{path} HTTP/1.1\\r\\n\\r\\n".encode()); print(read_all(s).decode())
                    except OSError as error: print(name(error))
                """,
                [address]
            )
            // The explicit proxy tells who it is, and nothing else; it is on the addresses of the loopback alone.
            let first = String(result.prefix { $0 != "\n" })
            let isOwnLoopback = ["127.0.0.1", "::1"].contains(address)
            let due = isOwnLoopback ? ["True wrong"] : ["True ECONNREFUSED", "True ECONNRESET"]
            #expect(due.contains(first), "\(result)")
            for secret in ["sha256", "robust", "203.0.113", "2001:db8", bed.folder.path] {
                #expect(!result.contains(secret), "\(result)")
            }
            #expect(try bed.arrivals().isEmpty)
        }
    }

    @Test("the kubelet's probes are answered by default, of either family; an address of one's own is meant exactly")
    func families() throws {
        for (address, answers) in [("", "200 200"), ("0.0.0.0", "200 ECONNREFUSED"), ("::", "ECONNREFUSED 200")] {
            try DaemonBed.with(DaemonSettings(healthAddress: address), start: false) { bed in
                try bed.start(untilReady: false)
                #expect(try bed.probe(until: answers) == answers, "\(address)")
            }
        }
    }

    @Test("at rest the daemon has less than 12 MiB of memory, and not much more after probes and a reload")
    func memory() throws {
        try DaemonBed.with { bed in
            let isSmall = BackgroundProcess.poll(seconds: 30) {
                ((try? bed.residentBytes(all: true)) ?? .max) < 12 << 20
            }
            let resident = try bed.residentBytes(all: true)
            #expect(isSmall, "\(resident)")
            for path in ["/readyz", "/metrics", "/healthz"] { _ = try bed.health(path, status: 200) }
            bed.signal(SIGHUP)
            _ = try bed.audit { $0.events("policy").count == 2 }
            #expect(try bed.residentBytes(all: true) < 16 << 20)
            #expect(try bed.agent("print(echo('203.0.113.7'))") == "ok\n")
        }
    }

    @Test(
        "a daemon with another identity than the rules know says why its clients time out",
        arguments: [RunAs(uid: 10880, gid: 2000), RunAs(uid: 2001, gid: 10880)],
        Handover.allCases
    )
    func wrongIdentity(user: RunAs, handover: Handover) throws {
        try DaemonBed.with(DaemonSettings(handover: handover), start: false) { bed in
            try NetworkNamespace.must(["chown", "-R", "\(user.uid):\(user.gid)", bed.folder.auditFolder])
            let daemon = try bed.net.pod.start(
                [Built.path("penstockd"), "--config", bed.folder.configuration],
                uid: user.uid,
                gid: user.gid,
                capabilities: handover.capabilities
            )
            let isListening = BackgroundProcess.poll(seconds: 60) { daemon.errors.contains("in force") }
            #expect(isListening)
            #expect(try bed.agent("print(echo('203.0.113.7', timeout=6))") == "timeout\n")
            let identity = "runs as UID \(user.uid) and GID \(user.gid); the kernel's rules must name exactly these"
            // By TPROXY a connection keeps its port.
            let port = handover == .redirect ? 15880 : 7001
            #expect(daemon.says("clients of port \(port) get no answer"), "\(daemon.errors)")
            #expect(daemon.says(identity), "\(daemon.errors)")
        }
    }

    @Test("a daemon whose clients are answered says nothing of the kind")
    func rightIdentity() throws {
        try DaemonBed.with { bed in
            usleep(1_000_000)
            let answers = try bed.agent("print(sorted({echo('203.0.113.7') for _ in range(200)}))")
            #expect(answers == "['ok']\n")
            #expect(!bed.said.contains("no answer"), "\(bed.said)")
        }
    }
}
