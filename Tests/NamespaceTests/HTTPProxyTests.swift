import Foundation
import Testing

@Suite("The explicit proxy")
struct HTTPProxyTests {
    static let proxy = "http://127.0.0.1:15881"

    /// Python functions for raw clients of the proxy.
    static let kit = """
        def proxied(address="127.0.0.1"): return dial(address, 15881)
        def connect(authority, address="127.0.0.1", *more):
            c = proxied(address); c.send("CONNECT " + authority + " HTTP/1.1", "Host: " + authority, *more)
            head = c.until(b"\\r\\n\\r\\n").decode()
            if " 200 " in head.split("\\r\\n")[0]: return c
            c.held = (head + "\\r\\n\\r\\n").encode() + c.held
            return why(c.read())
        def inside(authority, data, wait=0):
            c = connect(authority)
            if isinstance(c, str): return c
            time.sleep(wait)
            try:
                c.raw(data)
                while not c.held: c.more()
                return classify(c.held)
            except (OSError, EOFError) as error: return name_of(error) if isinstance(error, OSError) else "closed"

        """ + "\n"

    @Test("real clients pass through CONNECT and by whole URIs, and learn why they are refused")
    func clients() throws {
        try HTTPPod.with(HTTPPod.rules.replacing("[80, 8080]", with: "[80, 443, 8080]")) { bed in
            func curl(_ arguments: String...) throws -> String {
                let flags = ["curl", "-sS", "-m", "15", "-x", Self.proxy, "-w", "<%{http_connect} %{http_code}>"]
                let result = try bed.pod.agent(flags + arguments)
                return result.output.replacing("\n", with: "")
            }
            #expect(try curl("https://allowed.example/").hasSuffix("<200 200>"))
            #expect(try curl("https://denied.example/") == "<403 000>")
            #expect(try curl("-p", "http://allowed.example:8080/a") == "GET /a<200 200>")
            #expect(try curl("http://allowed.example:8080/b") == "GET /b<000 200>")
            #expect(try curl("http://denied.example:8080/").contains("\"reason\":\"rule_deny\""))
            let several = try curl(
                "http://allowed.example:8080/1",
                "http://denied.example/",
                "http://www.allowed.example:8080/2"
            )
            #expect(several.contains("GET /1<000 200>") && several.hasSuffix("GET /2<000 200>"), "\(several)")
            let python = try bed.pod.agent([
                "python3", "-c",
                """
                import requests
                proxies = {"http": "\(Self.proxy)", "https": "\(Self.proxy)"}
                s = requests.Session(); s.proxies = proxies
                print(s.get("http://allowed.example:8080/p").text, s.get("https://allowed.example/").status_code)
                print(s.get("http://denied.example/").json()["rule"])
                try: s.get("https://denied.example/")
                except requests.exceptions.ProxyError as error: print("403" in str(error))
                """,
            ])
            #expect(python.output == "GET /p 200\ndenied-names\nTrue\n", "\(python)")
            let wget = try bed.pod.agent([
                "wget", "-q", "-O", "-", "-e", "use_proxy=yes", "-e", "http_proxy=\(Self.proxy)",
                "http://allowed.example:8080/w",
            ])
            #expect(wget.output == "GET /w", "\(wget)")
            let records = try bed.pod.connections(1)
            #expect(
                records.values("capture") == ["explicit"] && records.values("workload.uid") == ["2000"],
                "\(records)"
            )
            // One connection carried the three, to two hosts.
            let requests = try bed.requests(8)
            let shared = requests.filter { $0["connection"] == requests.first { $0["path"] == "/1" }?["connection"] }
            let paths = shared.map { $0["path"] }
            #expect(paths == ["/1", "/", "/2"], "\(shared)")
            let targets = Set(bed.origin.requests().map { $0.split(separator: " ")[1].first == "/" })
            #expect(
                targets == [true],
                "a whole URI went up"
            )
        }
    }

    /// Rules that would allow whatever is asked for.
    static let everything = """
          - name: anything
            match: { hosts: ["*.allowed.example"], ports: [1-65535] }
            action: allow
          - name: any-address
            match: { cidrs: [0.0.0.0/0, "::/0"] }
            action: allow
        """

    /// Names that lead to the pod itself.
    static let ownNames = [
        "pod.allowed.example": [PodAndWorld.podIPv4, PodAndWorld.podIPv6], "loop.allowed.example": ["127.0.0.1"],
        "mapped.allowed.example": ["::ffff:127.0.0.1"],
    ]

    /// Ways to write down the pod itself.
    static let ownHosts = [
        "127.0.0.1", "[::1]", "127.9.9.9", "[::ffff:127.0.0.1]", "0.0.0.0", PodAndWorld.podIPv4,
        "[\(PodAndWorld.podIPv6)]", "pod.allowed.example", "loop.allowed.example",
    ]

    @Test("A40: our own listeners are refused by number and by name, in CONNECT and in whole URIs")
    func ownListeners() throws {
        try HTTPPod.with(Self.everything, names: Self.ownNames) { bed in
            let hosts = Self.ownHosts
            let said = try bed.agent(
                Self.kit + """
                    for host in \(hosts):
                        for port in (15880, 15881, 8081, 15890):
                            at = "%s:%d" % (host, port)
                            c = proxied(); print(at, connect(at), why(c.ask("GET http://%s/metrics HTTP/1.1" % at, "Host: " + at)))
                    """
            )
            #expect(said.count == 4 * hosts.count)
            let wrong = said.filter { !$0.hasSuffix(" 403 own_listener 403 own_listener") }
            // An IPv4 address in the clothes of IPv6 is none that a request can be for.
            let mapped = " 400 malformed_opening 400 malformed_opening"
            let others = wrong.filter { !$0.hasPrefix("[::ffff:") || !$0.hasSuffix(mapped) }
            #expect(wrong.count == 4 && others.isEmpty, "\(wrong)")
            let left = try bed.pod.world.arrivals().keys.filter { !$0.contains(" udp ") }
            #expect(left.isEmpty, "\(left)")
        }
    }

    @Test(
        "B02, B06, B07: what comes inside a CONNECT must be for whom the CONNECT was",
        arguments: ["127.0.0.1", "::1"],
        ProxyWay.allCases
    )
    func inside(address: String, way: ProxyWay) throws {
        let rules = """
              - name: denied-names
                match: { hosts: [denied.example, "*.denied.example"] }
                action: deny
              - name: allowed-names
                match: { hosts: [allowed.example, "*.allowed.example"], ports: [80, 443, 8080] }
                action: allow
              - name: by-address
                match: { cidrs: [203.0.113.30/32] }
                action: allow
            """
        try HTTPPod.with(rules) { bed in
            let recorder = try EgressRecorder(bed.pod, port: 7000)
            _ = recorder
            let said = try bed.agent(
                way.kit.replacing("address=\"127.0.0.1\"", with: "address=\"\(address)\"") + """
                    ask = lambda host: ("GET /in HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % host).encode()
                    print(inside("allowed.example:443", tls(b"denied.example")[0]))
                    print(inside("allowed.example:443", tls(b"www.allowed.example")[0]))
                    print(inside("203.0.113.30:443", tls(b"allowed.example")[0]))
                    print(inside("allowed.example:443", tls(b"allowed.example")[0]).startswith("alert 109"))
                    print(inside("allowed.example:443", tls()[0]).startswith("alert 109"))
                    print(inside("203.0.113.30:443", tls()[0]).startswith("alert 109"))
                    print(inside("allowed.example:8080", ask("denied.example")), inside("allowed.example:8080", ask("allowed.example:81")))
                    print(inside("allowed.example:8080", ask("allowed.example:8080"))[:15], inside("allowed.example:8080", ask("allowed.example"))[:15])
                    print(inside("203.0.113.30:8080", ask("203.0.113.30:8080"))[:15], inside("203.0.113.30:8080", ask("203.0.113.31")))
                    print(inside("203.0.113.30:7000", bytes(3) + b"opaque"))
                    print(inside("allowed.example:443", b"CONNECT denied.example:443 HTTP/1.1\\r\\nHost: denied.example:443\\r\\n\\r\\n"))
                    print(inside("allowed.example:443", bytes([5, 1, 0])))
                    print(inside("allowed.example:443", tls(b"denied.example")[0], 0.6), inside("allowed.example:443", tls(b"allowed.example")[0], 0.6)[:9])
                    print(inside("allowed.example:22", b""), inside("other.example:443", b""), inside("203.0.113.31:443", b""))
                    """
            )
            #expect(
                said == [
                    "alert 49", "alert 49", "alert 49", "True", "True", "True", "403 name_mismatch 403 name_mismatch",
                    "HTTP/1.1 200 OK HTTP/1.1 200 OK", "HTTP/1.1 200 OK 403 name_mismatch", "served",
                    "403 proxy_in_capture",
                    "reset", "reset alert 109", Array(repeating: way.denial, count: 3).joined(separator: " "),
                ],
                "\(said)"
            )
            let connections = try bed.pod.connections(18)
            let mismatched = connections.filter { $0["reason"] == "name_mismatch" }
            #expect(mismatched.count == 3, "\(connections)")
            let first = try #require(mismatched.first)
            #expect(first["sni"] == "denied.example" && first["authority"] == "allowed.example:443")
            let late = connections.filter { $0.end?["outcome"] == "cut" }
            #expect(late.count == 1 && late[0].end?["reason"] == "name_mismatch", "\(late)")
            #expect(try bed.pod.world.arrivals(at: "203.0.113.20") == 0)
            let named = connections.filter { $0["destination.name"] == "allowed.example" }
            let bound = Set(named.flatMap(\.decision.binding)).intersection(["connect", "socks5"])
            #expect(bound == [way.rawValue], "\(named)")
            #expect(connections.values("capture") == ["explicit"])
        }
    }

    @Test("what comes with a CONNECT, and with its end, is passed on though the name has to be looked up first")
    func ahead() throws {
        let rules = "  - { name: fresh, match: { hosts: [fresh.example], ports: [7000] }, action: allow }"
        try HTTPPod.with(rules, names: ["fresh.example": ["203.0.113.30"]]) { bed in
            let recorder = try EgressRecorder(bed.pod, port: 7000)
            let said = try bed.agent(
                Self.kit + """
                    c = proxied(); asked = b"CONNECT fresh.example:7000 HTTP/1.1\\r\\nHost: fresh.example:7000\\r\\n\\r\\n"
                    c.raw(asked + bytes(3) + b"opaque"); c.s.shutdown(socket.SHUT_WR)
                    print(c.until(b"\\r\\n\\r\\n")[:12].decode(), classify(c.held or c.s.recv(99)))
                    """
            )
            let connections = try bed.pod.connections(1)
            #expect(said == ["HTTP/1.1 200 served"], "\(said) \(connections)")
            #expect(connections[0].verdict == "allow rule_allow fresh", "\(connections)")
            withExtendedLifetime(recorder) {}
        }
    }

    @Test("WebSocket passes inside a CONNECT", arguments: ProxyWay.allCases)
    func webSocket(way: ProxyWay) throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                way.kit + """
                    c = connect("allowed.example:8080")
                    c.send(*get("/upgrade"), "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
                    print(c.until(b"\\r\\n\\r\\n").split(b" ")[1]); print(c.take(7)); c.raw(b"ping"); print(c.take(4))
                    """
            )
            #expect(said == ["b'101'", "b'welcome'", "b'PING'"])
            #expect(try bed.requests(1).first?["authority"] == "allowed.example:8080")
        }
    }

    @Test("what is no request to a proxy is told so, and nothing leaves")
    func misuse() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                Self.kit + """
                    def go(*lines):
                        c = proxied(); status, head, body = c.ask(*lines); problem = json.loads(body)
                        print(status, problem["reason"], problem["detail"].partition(". ")[2][:40], c.end())
                    go(*get("/"))
                    go("GET https://allowed.example/ HTTP/1.1", "Host: allowed.example")
                    go("GET ftp://allowed.example/ HTTP/1.1", "Host: allowed.example")
                    go("GET http://allowed.example/ HTTP/1.1", "Host: other.example")
                    go("GET http://u@allowed.example/ HTTP/1.1", "Host: allowed.example")
                    go("CONNECT allowed.example HTTP/1.1", "Host: allowed.example")
                    for port in ["65536", "0", "+443", "0443", "443:443"]:
                        go("CONNECT allowed.example:" + port + " HTTP/1.1", "Host: allowed.example:" + port)
                    c = proxied(); print(why(c.ask("GET http://allowed.example:8080/a HTTP/1.1", "Host: allowed.example:8080")))
                    answer = c.ask("CONNECT allowed.example:443 HTTP/1.1", "Host: allowed.example:443"); print(why(answer), c.end())
                    c = proxied(); c.raw(bytes([6, 1, 0])); print(c.end().split(" ")[1])
                    """
            )
            #expect(
                said == [
                    "400 malformed_opening This port is Penstock's explicit proxy:  closed",
                    "400 malformed_opening A proxy carries https by CONNECT, not by closed",
                    "400 malformed_opening (target_scheme) closed",
                    "400 malformed_opening (host_disagrees_with_target) closed",
                    "400 malformed_opening (user_information) closed", "400 malformed_opening (request_target) closed",
                ] + Array(repeating: "400 malformed_opening What stands behind the host is no port:  closed", count: 5)
                    + ["200", "400 malformed_request closed", "400"],
                "\(said)"
            )
            #expect(bed.origin.requests(1).count == 1)
        }
    }

    @Test("B18, B19: who asks is the owner of the socket, whatever the request says")
    func identity() throws {
        let rules = """
              - name: agents-only
                match: { hosts: [allowed.example], ports: [8080], workload: { uids: [2000] } }
                action: allow
            """
        try HTTPPod.with(rules) { bed in
            let program =
                Self.kit + """
                    c = proxied()
                    print(why(c.ask("GET http://allowed.example:8080/a HTTP/1.1", "Host: allowed.example:8080", "X-Forwarded-For: 127.0.0.1",
                        "X-Pipelock-Agent: agent", "X-UID: 2000", "Forwarded: for=127.0.0.1", "Via: 1.1 penstock")))
                    print(connect("allowed.example:8080", "127.0.0.1", "X-UID: 2000") if os.getuid() != 2000 else "")
                    """
            #expect(try bed.agent(program) == ["200"])
            let other = RunAs(uid: 2001, gid: 2001)
            #expect(try bed.agent(program, as: other) == ["403 default_deny", "403 default_deny"])
            // The agent relays another user's request, as a proxy inside the pod would: it is the agent's then.
            let requests = try bed.requests(2)
            let users = requests.map { $0["workload.uid"] }
            #expect(users == ["2000", "2001"], "\(requests)")
        }
    }

    @Test("a CONNECT that its rule's rate refuses is refused for that, though the next moment would allow it")
    func rate() throws {
        let policy = DaemonPolicy.text(
            """
              - name: counted
                match: { cidrs: [203.0.113.0/24], ports: [7001] }
                action: allow
                rate: { limit: 500, per: second }
            """
        )
        try DaemonBed.with(DaemonSettings(policy: policy)) { bed in
            let said = try bed.agent(
                """
                statuses = []
                def some():
                    for _ in range(500):
                        with dial("127.0.0.1", 15881) as s:
                            s.sendall(b"CONNECT 203.0.113.7:7001 HTTP/1.1\\r\\nHost: 203.0.113.7:7001\\r\\n\\r\\n")
                            statuses.append(s.recv(999).split(b" ")[1].decode())
                threads = [threading.Thread(target=some) for _ in range(8)]
                for t in threads: t.start()
                for t in threads: t.join()
                print(sorted(set(statuses)))
                """
            )
            #expect(said == "['200', '429']\n", "\(said)")
            let reasons = Set(try bed.audit { $0.connections.count == 4000 }.connections.map(\.reason))
            #expect(reasons == ["rule_allow", "rate_exceeded"])
        }
    }

    @Test("the daemon's own proxy variables change nothing")
    func environment() throws {
        try DaemonBed.with(
            DaemonSettings(policy: DaemonPolicy.standard),
            environment: [
                "HTTP_PROXY": "http://203.0.113.66:1", "http_proxy": "http://203.0.113.66:1",
                "ALL_PROXY": "http://203.0.113.66:1",
            ]
        ) { bed in
            let said = try bed.agent(
                """
                s = dial("127.0.0.1", 15881); s.sendall(b"CONNECT 203.0.113.7:7001 HTTP/1.1\\r\\nHost: 203.0.113.7:7001\\r\\n\\r\\n")
                print(s.recv(1000).split()[1]); s.sendall(b"\\0hello"); print(s.recv(10))
                """
            )
            #expect(said == "b'200'\nb'\\x00hello'\n", "\(said)")
            #expect(try !bed.arrivals().contains("203.0.113.66"))
        }
    }
}
