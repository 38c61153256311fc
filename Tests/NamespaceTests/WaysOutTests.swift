import Foundation
import Testing

@Suite("Ways out, by real proxies")
struct WaysOutTests {
    private static func rule(_ host: String, _ egress: String) -> String {
        """
          - name: \(host)
            match: { hosts: [\(host)], ports: [80, 443] }
            action: allow
            egress: \(egress)
        """
    }

    private func curl(_ pod: GuardedPod, _ url: String) throws -> String {
        let result = try pod.agent(["curl", "-sS", "-m", "15", "-w", "<%{http_code}>", url])
        return result.output + result.errors
    }

    /// Asks once more as long as the proxies warm up: the first answer of a test counts.
    private func tunnel(
        _ pod: GuardedPod,
        _ url: String = "https://allowed.example/"
    ) throws -> (said: String, connection: EgressConnection) {
        let (said, connections) = try pod.recorded { try curl(pod, url) }
        return (said, try #require(connections.first))
    }

    @Test("a tunnel goes through squid, which is told the name and who we are; nothing else leaves the pod")
    func squidTunnel() throws {
        try WaysOutProxies.with(Self.rule("allowed.example", "corporate")) { pod, proxies in
            let (said, connection) = try tunnel(pod)
            #expect(said.hasPrefix("allowed.example at "))
            #expect(said.hasSuffix("<200>"))
            #expect(connection.verdict == "allow rule_allow allowed.example")
            #expect(connection.decision.ways == ["corporate"])
            #expect(connection["destination.dialled"] == nil)
            #expect(connection.decision.binding == ["sni"])
            let end = try #require(connection.end)
            #expect(end["outcome"] == "closed")
            #expect(end["egress"] == "corporate")
            #expect(end["via"] == "\(WaysOutProxies.squid):3128")
            #expect(end["dialled"] == nil)
            #expect(proxies.asked(1) == ["CONNECT allowed.example:443 200 agent"])
            #expect(try pod.world.arrivals(at: "203.0.113.10") == 0)
            #expect(try pod.world.arrivals(at: "2001:db8:113::10") == 0)
            // Nothing of the credentials stands anywhere.
            let audit = try String(contentsOf: pod.auditFile, encoding: .utf8)
            #expect(!audit.contains("sesame") && !pod.daemon.errors.contains("sesame"))
            #expect(pod.daemon.says("corporate (http_connect proxy.corp.example:3128)"))
        }
    }

    @Test("with `resolve: local` the proxy is told an address that was judged here")
    func localResolving() throws {
        try WaysOutProxies.with(Self.rule("v4only.example", "corporate-local")) { pod, proxies in
            let (said, connection) = try tunnel(pod, "https://v4only.example/")
            #expect(said.hasSuffix("<200>"), "\(said)")
            #expect(connection["destination.dialled"] == "203.0.113.10:443")
            #expect(connection.end?["dialled"] == "203.0.113.10:443")
            #expect(connection.end?["via"] == "\(WaysOutProxies.squid):3128")
            #expect(proxies.asked(1) == ["CONNECT 203.0.113.10:443 200 agent"])
        }
    }

    @Test("what has no name goes by its own address, whoever looks names up", arguments: ["corporate", "socks"])
    func withoutName(way: String) throws {
        let rule = """
              - name: by-address
                match: { cidrs: [203.0.113.10/32], ports: [80] }
                action: allow
                egress: \(way)
            """
        try WaysOutProxies.with(rule) { pod, _ in
            let (said, _) = try tunnel(pod, "http://203.0.113.10/")
            #expect(said.hasSuffix("<200>"), "\(said)")
            let records = try pod.auditRecords()
            let end = records.last { $0["kind"] == "request_end" }
            #expect(end?["dialled"] == "203.0.113.10:80" && end?["egress"] == way, "\(records)")
            #expect(try pod.world.arrivals(at: "203.0.113.10") == 0)
        }
    }

    @Test("SOCKS 5 with user and password; a login that it does not take is final, and named")
    func socks() throws {
        let rules = Self.rule("v4only.example", "socks") + "\n" + Self.rule("allowed.example", "[mistaken, direct]")
        try WaysOutProxies.with(rules) { pod, _ in
            let (said, connection) = try tunnel(pod, "https://v4only.example/")
            #expect(said == "v4only.example at 203.0.113.10\n<200>")
            #expect(connection.end?["egress"] == "socks")
            #expect(connection.end?["via"] == "\(WaysOutProxies.socks):1080")
            let refused = try tunnel(pod)
            #expect(refused.said.hasSuffix("<000>") || refused.said.contains("<000>"))
            #expect(refused.connection.end?["outcome"] == "upstream_failed")
            #expect(refused.connection.end?["detail"] == "egress_authentication_refused: credentials")
            #expect(refused.connection.end?["egress"] == "mistaken")
            #expect(try pod.world.arrivals(at: "203.0.113.10") == 0)
        }
    }

    @Test("requests of plain HTTP go through squid as well; each fault is named to the client and in the record")
    func plainHTTP() throws {
        let rules = [
            Self.rule("allowed.example", "corporate"), Self.rule("other.example", "[corporate, direct]"),
            Self.rule("www.allowed.example", "stranger"), Self.rule("v4only.example", "down"),
            Self.rule("v6only.example", "nowhere"), Self.rule("denied.example", "itself"),
        ]
        let table = [
            ("allowed.example", "allowed.example at", "closed", ""),
            ("other.example", "egress_refused: http_403", "upstream_failed", "egress_refused: http_403"),
            (
                "www.allowed.example", "egress_authentication_refused: http_407", "upstream_failed",
                "egress_authentication_refused: http_407"
            ),
            ("v4only.example", "egress_unreachable: connect:", "upstream_failed", "egress_unreachable: connect:"),
            ("v6only.example", "is a blackhole", "blackholed", "egress_blackhole"),
            ("denied.example", "egress_own_listener", "upstream_failed", "egress_own_listener"),
        ]
        try WaysOutProxies.with(rules.joined(separator: "\n")) { pod, _ in
            for (host, answer, outcome, detail) in table {
                let said = try curl(pod, "http://\(host)/")
                #expect(said.contains(answer), "\(host): \(said)")
                #expect(said.hasSuffix(outcome == "closed" ? "<200>" : "<502>"), "\(host): \(said)")
                let (request, end) = try lastRequest(pod, by: host)
                #expect(end?["outcome"] == outcome, "\(host)")
                let word = end?["detail"] ?? ""
                #expect(word.hasPrefix(detail), "\(host): \(word)")
                #expect(end?["egress"] == request?.ways.first)
            }
            #expect(try pod.world.arrivals(at: "203.0.113.21") == 0)
        }
    }

    /// What the audit says of the last request that a rule let through; waits until it is over.
    private func lastRequest(
        _ pod: GuardedPod,
        by rule: String
    ) throws -> (request: EgressRecord?, end: EgressRecord?) {
        var found: (request: EgressRecord?, end: EgressRecord?)
        _ = BackgroundProcess.poll(seconds: 60) {
            let records = (try? pod.auditRecords()) ?? []
            found.request = records.last { $0["kind"] == "request" && $0["rule"] == rule }
            found.end = records.last { $0["kind"] == "request_end" && $0["id"] == found.request?["id"] }
            return found.end != nil
        }
        return found
    }

    @Test("another way is taken only where it is stated, and the one before was not reached")
    func fallback() throws {
        let rules = Self.rule("v4only.example", "[down, corporate]") + "\n" + Self.rule("allowed.example", "down")
        try WaysOutProxies.with(rules) { pod, _ in
            let (said, connection) = try tunnel(pod, "https://v4only.example/")
            #expect(said.hasSuffix("<200>"))
            #expect(connection.decision.ways == ["down", "corporate"])
            #expect(connection.end?["egress"] == "corporate")
            let refused = try tunnel(pod)
            #expect(refused.connection.end?["outcome"] == "upstream_failed")
            #expect(refused.connection.end?["detail"]?.hasPrefix("egress_unreachable: ") == true)
            #expect(refused.connection.end?["egress"] == "down")
        }
    }

    @Test("a proxy in TLS is verified by the authority that is named for it, and by no other")
    func proxyInTLS() throws {
        let rules = Self.rule("v4only.example", "secured") + "\n" + Self.rule("allowed.example", "distrusted")
        try WaysOutProxies.with(rules) { pod, proxies in
            let (said, connection) = try tunnel(pod, "https://v4only.example/")
            #expect(said == "v4only.example at 203.0.113.10\n<200>")
            #expect(connection.end?["via"] == "\(WaysOutProxies.squid):3129")
            #expect(proxies.asked(1) == ["CONNECT v4only.example:443 200 agent"])
            let refused = try tunnel(pod)
            #expect(refused.connection.end?["detail"]?.hasPrefix("egress_tls_failed: certificate_") == true)
        }
    }

    @Test("interception goes through squid, squid in TLS and SOCKS alike, and its upstreams are used again")
    func interception() throws {
        let proxies = try WaysOutProxies()
        let rules = [("allowed", "corporate"), ("www.allowed", "secured"), ("api.allowed", "socks")].map { name, way in
            """
              - name: \(way)
                match: { hosts: [\(name).example], ports: [8443] }
                action: inspect
                egress: \(way)
            """
        }
        try InterceptedPod.with(
            rules.joined(separator: "\n"),
            settings: proxies.settings,
            names: WaysOutProxies.names
        ) { intercepted in
            try proxies.start(in: intercepted.pod)
            for (name, way) in [("allowed", "corporate"), ("www.allowed", "secured"), ("api.allowed", "socks")] {
                let url = "https://\(name).example:8443/"
                let said = try intercepted.curl(url, url + "again")
                #expect(said.contains("<200>"), "\(way): \(said)")
                #expect(!said.contains("<502>"), "\(way): \(said)")
            }
            let requests = try intercepted.requests(6)
            let ways = ["corporate", "corporate", "secured", "secured", "socks", "socks"]
            let stated = requests.map { $0.decision.ways.first }
            let taken = requests.map { $0.end?["egress"] }
            let areWhole = requests.allSatisfy { $0.end?["outcome"] == "closed" && $0["scheme"] == "https" }
            #expect(stated == ways)
            #expect(taken == ways)
            #expect(areWhole)
            // TLS inside TLS, both ways, against readers that are slower than writers.
            let place = "https://www.allowed.example:8443"
            let format = ["-o", "/dev/null", "-w", "<%{http_code} %{size_download}>"]
            let down = try intercepted.curl(format[0], format[1], format[2], format[3], "\(place)/big?30000000")
            #expect(down == "<200 30000000>")
            let file = proxies.path("upload")
            try Data(repeating: 7, count: 20_000_000).write(to: URL(filePath: file))
            let up = try intercepted.curl("-H", "Expect:", "--data-binary", "@\(file)", "\(place)/count")
            #expect(up.contains("20000000"), "\(up)")
            // Two requests went up each connection.
            intercepted.pod.stop()
            let asked = proxies.asked(2)
            #expect(
                Set(asked) == ["CONNECT allowed.example:8443 200 agent", "CONNECT www.allowed.example:8443 200 agent"]
            )
            let first = asked.count { $0.hasPrefix("CONNECT allowed.example") }
            #expect(first == 1, "\(asked)")
        }
    }

    @Test("credentials that are replaced are read again, and the connection goes on where they are right")
    func replacedCredentials() throws {
        try WaysOutProxies.with(Self.rule("v4only.example", "mistaken")) { pod, proxies in
            #expect(try tunnel(pod, "https://v4only.example/").connection.end?["outcome"] == "upstream_failed")
            try NetworkNamespace.must([
                "sh", "-ec", "cd \(proxies.folder.path); cp -p login next; mv next wrong",
            ])
            let isRead = BackgroundProcess.poll(seconds: 60) {
                pod.daemon.errors.contains("what ways out need was read")
                    && ((try? tunnel(pod, "https://v4only.example/").said.hasSuffix("<200>")) ?? false)
            }
            #expect(isRead, "\(pod.daemon.errors)")
        }
    }

    @Test("a way out that leads to the daemon itself is not taken, however its address is written")
    func itself() throws {
        let places = [
            "allowed.example": "127.0.0.1:15881", "other.example": "[::1]:15880", "denied.example": "0.0.0.0:15881",
            "www.allowed.example": "[::ffff:127.0.0.1]:15881",
        ]
        let ways = places.map { "  \($0): { http_connect: { address: \"\($1)\" } }" }.joined(separator: "\n")
        let rules = places.keys.map { Self.rule($0, $0) }.joined(separator: "\n")
        try GuardedPod.with(rules, settings: "egress:\n" + ways) { pod in
            for (host, place) in places {
                let (said, connections) = try pod.recorded { try curl(pod, "https://\(host)/") }
                #expect(said.contains("<000>"), "\(place): \(said)")
                #expect(connections.count == 1, "\(place) led to itself \(connections.count) times")
                #expect(connections.first?.end?["detail"] == "egress_own_listener: \(place)")
            }
        }
    }

    @Test("a blackhole resets what is no HTTP, and dials nothing")
    func blackhole() throws {
        try WaysOutProxies.with(Self.rule("allowed.example", "nowhere")) { pod, _ in
            let (said, connection) = try tunnel(pod)
            #expect(said.contains("<000>"))
            #expect(connection.verdict == "allow rule_allow allowed.example")
            #expect(connection.end?["outcome"] == "blackholed")
            #expect(connection.end?["egress"] == "nowhere")
            #expect(try pod.world.arrivals(at: "203.0.113.10") == 0)
        }
    }

    @Test("`bind` chooses the source address, and a family that has none is not used")
    func bind() throws {
        let rules = """
              - name: seen
                match: { hosts: [allowed.example], ports: [7777] }
                action: allow
                egress: second
            """
        let settings = "egress: { second: { bind: { address: 198.51.100.77, interface: eth0 } } }"
        try GuardedPod.with(rules, settings: settings) { pod in
            try pod.net.pod.must(["ip", "addr", "add", "198.51.100.77/32", "dev", "eth0"])
            try pod.net.world.must(["ip", "route", "replace", "198.51.100.77/32", "dev", "eth0"])
            let program = """
                import socket
                s = socket.create_server(("0.0.0.0", 7777)); print("ready", flush=True)
                while True:
                    c, a = s.accept(); c.recv(100)
                    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\nConnection: close\\r\\n\\r\\n%s" % (len(a[0]), a[0].encode())); c.close()
                """
            let server = try pod.net.world.start(["python3", "-u", "-c", program])
            #expect(server.waitForOutput("ready"))
            let said = try curl(pod, "http://allowed.example:7777/")
            #expect(said == "198.51.100.77<200>")
            server.stop()
        }
    }

    @Test("where `bind` has no address of the server's family, that is said with what to do, and the next way is tried")
    func bindOfOtherFamily() throws {
        let rules = """
              - name: alone
                match: { hosts: [v6only.example], ports: [80] }
                action: allow
                egress: second
              - name: tried
                match: { hosts: [v6only.example], ports: [443] }
                action: allow
                egress: [second, direct]
            """
        let settings = "egress: { second: { bind: { address: 198.51.100.77 } } }"
        try GuardedPod.with(rules, settings: settings) { pod in
            let said = try curl(pod, "http://v6only.example/")
            let detail =
                "egress_other_family: `bind` has only IPv4, and there is only IPv6 to connect to: add an IPv6 address to "
                + "egress.second.bind.address, or another way to the rule's egress"
            #expect(said.contains(detail) && said.hasSuffix("<502>"), "\(said)")
            let end = try lastRequest(pod, by: "alone").end
            #expect(end?["detail"] == detail && end?["egress"] == "second")
            let (tunnelled, connection) = try tunnel(pod, "https://v6only.example/")
            #expect(tunnelled.hasSuffix("<200>"), "\(tunnelled)")
            #expect(connection.end?["egress"] == nil && connection.decision.ways == ["second", "direct"])
        }
    }

    @Test(
        "where the machine lacks what `bind` names, that is said by name, nobody is blamed, and the next way is tried",
        arguments: [
            ("interface: nosuch0", "setsockopt: No such device (19)"),
            ("address: 198.51.100.99", "bind: Cannot assign requested address (99)"),
        ]
    )
    func unusableSource(bind: String, says: String) throws {
        let rules = """
              - name: alone
                match: { hosts: [allowed.example], ports: [80] }
                action: allow
                egress: second
              - name: tried
                match: { hosts: [allowed.example], ports: [443] }
                action: allow
                egress: [second, direct]
            """
        try GuardedPod.with(rules, settings: "egress: { second: { bind: { \(bind) } } }") { pod in
            let said = try curl(pod, "http://allowed.example/")
            let detail = "egress_source_unusable: \(says)"
            #expect(said.contains(detail) && said.hasSuffix("<502>"), "\(said)")
            let end = try lastRequest(pod, by: "alone").end
            #expect(end?["detail"] == detail && end?["egress"] == "second" && end?["closed_by"] != "upstream")
            let (tunnelled, connection) = try tunnel(pod, "https://allowed.example/")
            #expect(tunnelled.hasSuffix("<200>"), "\(tunnelled)")
            #expect(connection.decision.ways == ["second", "direct"])
        }
    }

    @Test("a mark is on the packets that go out by it, and keeps NET_ADMIN for the daemon and nothing else")
    func marked() throws {
        let rule = Self.rule("allowed.example", "marked")
        try GuardedPod.with(rule, settings: "egress: { marked: { mark: 16 } }", handover: .tproxy) { pod in
            try pod.pod.shell(
                """
                nft 'add table inet marks; add chain inet marks out { type filter hook postrouting priority 0; }'
                nft 'add rule inet marks out meta mark 16 tcp dport 443 counter'
                """
            )
            let (said, connection) = try tunnel(pod)
            #expect(said.hasSuffix("<200>"), "\(said)")
            #expect(connection.decision.ways == ["marked"])
            let counted = try pod.pod.must(["nft", "list", "table", "inet", "marks"])
            #expect(counted.contains("counter packets ") && !counted.contains("packets 0 "), "\(counted)")
            let status = try String(contentsOfFile: "/proc/\(pod.daemon.pid)/status", encoding: .utf8)
            #expect(status.contains("CapEff:\t0000000000001000"), "\(status)")
        }
    }

    @Test("a mark that leads back to the daemon makes no loop: the second connection is refused, and nothing leaves")
    func loop() throws {
        let pod = try GuardedPod(
            Self.rule("allowed.example", "marked"),
            settings: "egress: { marked: { mark: 16 } }",
            flags: ["--tproxy-mark", "0x10/0xff"],
            handover: .tproxy
        )
        try pod.net.countArrivals("out", "tcp dport 443")
        let said = try curl(pod, "https://allowed.example/")
        #expect(said.hasPrefix("<000>"), "\(said)")
        let connections = try pod.connections(2)
        #expect(connections.map { $0["decision"] } == ["allow", "deny"], "\(connections)")
        #expect(connections.map { $0["workload.uid"] } == ["2000", "10880"], "\(connections)")
        #expect(
            connections.last?["reason"] == "own_listener" && connections.last?["detail"] == "loop",
            "\(connections)"
        )
        #expect(try pod.net.arrivals("out") == 0)
    }

    @Test("a mark that may not be set keeps the daemon from starting; an unknown way keeps the policy from loading")
    func closed() throws {
        let settings = "egress: { marked: { mark: 16 } }"
        let failure = #expect(throws: (any Error).self) {
            try GuardedPod.with(Self.rule("allowed.example", "marked"), settings: settings) { _ in }
        }
        #expect("\(try #require(failure))".contains("egress.marked.mark: setsockopt"))
        #expect("\(try #require(failure))".contains("it takes the capability NET_ADMIN"))
        let unknown = #expect(throws: (any Error).self) {
            try GuardedPod.with(Self.rule("allowed.example", "markd"), settings: "egress: { m: { blackhole: {} } }") {
                _ in
            }
        }
        #expect("\(try #require(unknown))".contains("no way out `markd`"))
    }
}
