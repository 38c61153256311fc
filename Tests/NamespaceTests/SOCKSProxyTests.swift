import Foundation
import Testing

@Suite("The explicit proxy, asked by SOCKS 5")
struct SOCKSProxyTests {
    static let proxy = "127.0.0.1:15881"
    static let kit = ProxyWay.socks5.kit
    static let rules = HTTPPod.rules.replacing("[80, 8080]", with: "[80, 443, 7000, 8080]")

    @Test("real clients pass by name, and learn that they are refused")
    func clients() throws {
        try HTTPPod.with(Self.rules) { bed in
            func curl(_ arguments: String...) throws -> CommandResult {
                try bed.pod.agent(["curl", "-sS", "-m", "15", "--noproxy", ""] + arguments)
            }
            for url in ["https://allowed.example/", "http://allowed.example:8080/a"] {
                let said = try curl("--socks5-hostname", Self.proxy, url)
                #expect(said.succeeded && said.output.contains(url.hasSuffix("a") ? "GET /a" : "allowed.example at"))
            }
            let denied = try curl("--socks5-hostname", Self.proxy, "https://denied.example/")
            #expect(denied.status == 97 && denied.errors.contains("(2)"), "\(denied)")
            let secret = try curl("-x", "socks5h://agent:pa55phrase@\(Self.proxy)", "https://allowed.example/")
            #expect(secret.succeeded, "\(secret)")
            let byEnvironment = try bed.pod.agent([
                "env", "ALL_PROXY=socks5h://\(Self.proxy)", "curl", "-sS", "-m", "15", "https://www.allowed.example/",
            ])
            #expect(byEnvironment.output.hasPrefix("www.allowed.example at"), "\(byEnvironment)")
            let python = try bed.pod.agent([
                "python3", "-c",
                """
                import requests
                s = requests.Session(); s.proxies = dict.fromkeys(["http", "https"], "socks5h://\(Self.proxy)")
                print(s.get("http://allowed.example:8080/p").text, s.get("https://allowed.example/").status_code)
                for url in ("http://denied.example/", "https://denied.example/"):
                    try: s.get(url)
                    except requests.exceptions.ConnectionError as error: print("not allowed by ruleset" in str(error))
                """,
            ])
            #expect(python.output == "GET /p 200\nTrue\nTrue\n", "\(python)")
            let connections = try bed.pod.connections(9)
            #expect(connections.count == 9, "\(connections)")
            #expect(connections.values("capture") == ["explicit"])
            #expect(connections.values("workload.uid") == ["2000"])
            let tls = connections.filter { $0["protocol"] == "tls" }
            let bindings = Set(tls.map { $0.decision.binding })
            #expect(tls.count == 4 && bindings == [["sni", "socks5", "dns"]], "\(tls)")
            #expect(tls.values("authority") == ["allowed.example:443", "www.allowed.example:443"])
            let audit = try bed.pod.auditRecords().map(\.line).joined()
            #expect(!audit.contains("pa55phrase"), "a password is in the record")
        }
    }

    @Test("a client that looks names up itself is judged by the address that it asks for")
    func byAddress() throws {
        try HTTPPod.with(Self.rules) { bed in
            let curl = ["curl", "-sS", "-m", "15", "--socks5", Self.proxy, "-o", "/dev/null", "-w", "%{http_code}"]
            let (named, refused) = try bed.pod.recorded { try bed.pod.agent(curl + ["https://allowed.example/"]) }
            #expect(named.status == 97, "\(named)")
            #expect(refused[0].verdict == "deny default_deny -")
            for (url, place) in [
                ("http://203.0.113.30:8080/", "203.0.113.30:8080"),
                ("http://[2001:db8:113::30]:8080/", "[2001:db8:113::30]:8080"),
            ] {
                let (said, allowed) = try bed.pod.recorded { try bed.pod.agent(curl + [url]) }
                #expect(said.output == "200", "\(said)")
                #expect(allowed[0]["authority"] == place && allowed[0]["destination.original"] == place, "\(allowed)")
            }
        }
    }

    @Test("git and netcat, which ssh goes through, pass by name")
    func gitAndNetcat() throws {
        try HTTPPod.with(Self.rules) { bed in
            let repository = bed.pod.world.folder.path + "/files/repo.git"
            try NetworkNamespace.must([
                "sh", "-ec",
                """
                export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a HOME=/nonexistent
                git init -q --bare \(repository); cd \(repository)
                git update-ref refs/heads/main $(git commit-tree -m first $(git mktree </dev/null)); git update-server-info
                """,
            ])
            let git = try bed.pod.agent([
                "git", "-c", "http.proxy=socks5h://\(Self.proxy)", "-c", "http.sslCAInfo=\(bed.pod.world.authority)",
                "ls-remote", "https://allowed.example/files/repo.git",
            ])
            #expect(git.output.hasSuffix("\trefs/heads/main\n"), "\(git)")
            let recorder = try EgressRecorder(bed.pod, port: 7000, banner: "SSH-2.0-test\r\n")
            let (netcat, connections) = try bed.pod.recorded {
                let netcat = "nc -N -w 15 -X 5 -x \(Self.proxy) allowed.example 7000"
                return try bed.pod.agent(["sh", "-c", "(sleep 1; printf 'SSH-2.0-client\\r\\n') | \(netcat)"])
            }
            #expect(netcat.output == "SSH-2.0-test\r\nserved", "\(netcat)")
            #expect(connections[0].verdict == "allow rule_allow allowed-names", "\(connections)")
            #expect(connections[0]["protocol"] == "server_first")
            #expect(connections[0].decision.binding == ["socks5", "dns"])
            #expect(recorder.visits(1).map(\.data) == ["5353482d322e302d636c69656e740d0a"])
        }
    }

    @Test("A40: our own listeners and special addresses are refused by number and by name")
    func ownListeners() throws {
        try HTTPPod.with(HTTPProxyTests.everything, names: HTTPProxyTests.ownNames) { bed in
            let hosts = HTTPProxyTests.ownHosts
            let said = try bed.agent(
                Self.kit + """
                    for host in \(hosts):
                        for port in (15880, 15881, 8081, 15890): print(connect("%s:%d" % (host, port)))
                    # As text, which some clients send instead.
                    for text in (b"127.0.0.1", b"::1", b"::ffff:127.0.0.1"):
                        c = greeted(); c.raw(bytes([5, 1, 0]) + named(text) + struct.pack(">H", 15890)); print(answered(c))
                    """
            )
            #expect(said.count == 4 * hosts.count + 3 && Set(said) == ["reply 2 closed"], "\(said)")
            let connections = try bed.pod.connections(said.count)
            #expect(connections.count == said.count)
            let mapped = connections.filter { $0["reason"] == "malformed_opening" }
            #expect(mapped.count == 5 && mapped.values("detail") == ["host_malformed"], "\(mapped)")
            let others = Set(connections.values("reason")).subtracting(["malformed_opening"])
            #expect(others == ["own_listener"], "\(connections)")
            let left = try bed.pod.world.arrivals().keys.filter { !$0.contains(" udp ") }
            #expect(left.isEmpty, "\(left)")
        }
        try HTTPPod.with(
            Self.rules + "\n  - name: lan\n    match: { hosts: [lan.allowed.example] }\n    action: allow",
            names: ["lan.allowed.example": ["10.0.0.1"]]
        ) { bed in
            let places = ["169.254.169.254:80", "[64:ff9b::a9fe:a9fe]:80", "lan.allowed.example:80", "10.0.0.1:80"]
            let said = try bed.agent(Self.kit + "for at in \(places): print(connect(at))")
            #expect(said == Array(repeating: "reply 2 closed", count: 4))
            let reasons = try bed.pod.connections(4).map(\.verdict)
            #expect(
                reasons == [
                    "deny default_deny -", "deny default_deny -", "deny special_address allowed-names",
                    "deny default_deny -",
                ],
                "\(reasons)"
            )
        }
    }

    /// What a client says behind a greeting, as Python has it, what it sees, and what the record says.
    struct Odd: CustomTestStringConvertible, Sendable {
        var said: String
        var sees: String
        var reason = "malformed_opening"
        var detail: String

        var testDescription: String { said }
    }

    static let odd: [Odd] = [
        Odd(said: "g + bytes([5, 2, 0]) + ok", sees: "reply 7 closed", detail: "socks5_bind"),
        Odd(said: "g + bytes([5, 3, 0]) + ok", sees: "reply 7 closed", detail: "socks5_udp_associate"),
        Odd(said: "g + bytes([5, 240, 0]) + ok", sees: "reply 7 closed", detail: "socks5_command (240)"),
        Odd(said: "g + bytes([5, 1, 0, 2])", sees: "reply 8 closed", detail: "socks5_address_type"),
        Odd(said: "g + bytes([5, 1, 1]) + ok", sees: "reset", detail: "socks5_reserved_octet"),
        Odd(said: "g + bytes([4, 1, 0]) + ok", sees: "reset", detail: "socks5_version"),
        Odd(said: "g + b'GET http://allowed.example/ HTTP/1.1\\r\\n\\r\\n'", sees: "reset", detail: "socks5_version"),
        Odd(said: "g + bytes([5, 1, 0]) + ok[:-2] + bytes(2)", sees: "reply 2 closed", detail: "host_port"),
        Odd(
            said: "g + bytes([5, 1, 0]) + named(b'') + ok[-2:]",
            sees: "reply 2 closed",
            reason: "malformed_name",
            detail: "empty"
        ),
        Odd(
            said: "g + bytes([5, 1, 0]) + named(b'allowed.example' + bytes(1)) + ok[-2:]",
            sees: "reply 2 closed",
            reason: "malformed_name",
            detail: "control_octet"
        ),
        Odd(
            said: "g + bytes([5, 1, 0]) + named(b'denied_.example') + ok[-2:]",
            sees: "reply 2 closed",
            reason: "malformed_name",
            detail: "not_ldh"
        ),
        Odd(
            said: "g + bytes([5, 1, 0]) + named(b'a' * 255) + ok[-2:]",
            sees: "reply 2 closed",
            reason: "malformed_name",
            detail: "too_long"
        ),
        Odd(
            said: "g + bytes([5, 1, 0]) + named(b'0x7f.1') + ok[-2:]",
            sees: "reply 2 closed",
            reason: "malformed_name",
            detail: "address_literal"
        ),
        Odd(said: "bytes([5, 0])", sees: "reset", detail: "socks5_methods"),
        Odd(said: "bytes([5, 2, 0, 255])", sees: "reset", detail: "socks5_methods"),
        Odd(said: "bytes([5, 2, 1, 3])", sees: "05ff closed", detail: "socks5_no_method"),
        Odd(said: "bytes([5]) + b'GET / HTTP/1.1\\r\\n' + b'.' * 99", sees: "05ff closed", detail: "socks5_no_method"),
        Odd(said: "bytes([5, 1, 2, 5, 1, 97, 1, 97])", sees: "0502 reset", detail: "socks5_credentials_version"),
        Odd(
            said: "bytes([4, 1, 0, 80, 203, 0, 113, 30]) + b'me' + bytes(1)",
            sees: "005b000000000000 closed",
            detail: "socks4"
        ),
        Odd(
            said: "bytes([4, 1, 0, 80, 0, 0, 0, 1]) + b'me' + bytes(1) + b'allowed.example' + bytes(1)",
            sees: "005b000000000000 closed",
            detail: "socks4"
        ),
        Odd(said: "bytes([4])", sees: "005b000000000000 closed", detail: "socks4"),
    ]

    @Test("B03, B06: what is asked in no way that is taken is answered as far as it can be, recorded, and goes nowhere")
    func odd() throws {
        try HTTPPod.with(Self.rules) { bed in
            let program =
                Self.kit + """
                    g, ok = bytes([5, 1, 0]), where("allowed.example:443")
                    def see(said):
                        c = proxied(); c.raw(said); data = b""
                        try:
                            while more := c.s.recv(999): data += more
                            end = "closed"
                        except OSError as error: end = name_of(error)
                        if data[:2] == bytes([5, 0]):
                            if len(data) == 12: return "reply %d %s" % (data[3], end)
                            data = data[2:]
                        return (data.hex() + " " + end).strip()

                    """
            for odd in Self.odd {
                let (said, connections) = try bed.pod.recorded {
                    try bed.agent(program + "print(see(\(odd.said)))")
                }
                #expect(said == [odd.sees], "\(odd.said)")
                #expect(connections[0].verdict == "deny \(odd.reason) -", "\(odd.said): \(connections)")
                #expect(connections[0]["detail"] == odd.detail, "\(odd.said): \(connections)")
                #expect(connections[0]["capture"] == "explicit")
            }
            #expect(try bed.pod.world.arrivals(at: "203.0.113.10") == 0)
        }
    }

    @Test(
        "it is the same wherever the octets are split, and what was sent ahead is not lost",
        arguments: [false, true]
    )
    func splits(withUser: Bool) throws {
        try HTTPPod.with(Self.rules) { bed in
            let recorder = try EgressRecorder(bed.pod, port: 7000)
            let said = try bed.agent(
                Self.kit + """
                    user = \(withUser ? "True" : "False")
                    greeting = bytes([5, 1, 2, 1, 2]) + b"me" + bytes([4]) + b"word" if user else bytes([5, 2, 2, 0])
                    whole = greeting + bytes([5, 1, 0]) + where("203.0.113.30:7000") + bytes(2) + b"payload"
                    expected = (bytes([5, 2, 1, 0]) if user else bytes([5, 0])) + bytes([5, 0, 0, 1]) + bytes(6) + b"served"
                    def go(pieces):
                        c = proxied()
                        for piece in pieces: c.raw(piece); time.sleep(0.002)
                        return c.take(len(expected)) == expected
                    seen = [go([whole]), go(single(whole))] + [go([whole[:at], whole[at:]]) for at in range(1, len(whole))]
                    print(len(seen), set(seen))
                    """
            )
            let count = withUser ? 32 : 24
            #expect(said == ["\(count) {True}"], "\(said)")
            let connections = try bed.pod.connections(count)
            #expect(connections.count == count && connections.verdicts == ["allow rule_allow by-address"])
            let data = recorder.visits(count).map(\.data)
            #expect(Set(data) == ["00007061796c6f6164"], "\(data)")
        }
    }

    @Test(
        "a TLS hello that is sent with the request is judged with it",
        arguments: ["allowed.example", "denied.example"]
    )
    func pipelined(name: String) throws {
        try HTTPPod.with(Self.rules) { bed in
            let (said, connections) = try bed.pod.recorded {
                try bed.agent(
                    Self.kit + """
                        c = proxied(); c.raw(bytes([5, 1, 0, 5, 1, 0]) + where("allowed.example:443") + tls(b"\(name)")[0])
                        print(c.take(12).hex(), classify(c.take(7)))
                        """
                )
            }
            let isAllowed = name == "allowed.example"
            let alert = isAllowed ? "109" : "49"
            #expect(said == ["050005000001000000000000 alert \(alert)"], "\(said)")
            let verdict = isAllowed ? "allow rule_allow allowed-names" : "deny name_mismatch -"
            #expect(connections[0].verdict == verdict, "\(connections)")
            #expect(connections[0]["authority"] == "allowed.example:443")
        }
    }

    @Test("G07: who is slow, or says nothing, is let go at the sniffing limit, with everything that it had")
    func slow() throws {
        let settings = DaemonSettings(policy: DaemonPolicy.namesOnly, limits: "sniff_seconds: 1")
        try DaemonBed.with(settings) { bed in
            let result = try bed.agent(
                """
                request = bytes([5, 1, 0, 5, 1, 0, 3, 200]) + b"a" * 200
                def go(said, pause):
                    began, s = time.time(), dial("127.0.0.1", 15881)
                    try:
                        for byte in said:
                            s.sendall(bytes([byte])); time.sleep(pause)
                        while s.recv(100): pass
                        end = "closed"
                    except OSError as error: end = name(error)
                    return end, 0.9 < time.time() - began < 6
                print(go(request, 0.05), go(request[:1], 0), go(request[:3], 0), go(request[:9], 0), go(b"", 0))
                """
            )
            let expected = Array(repeating: "('ECONNRESET', True)", count: 5).joined(separator: " ")
            #expect(result == expected + "\n", "\(result)")
            let reading = try bed.audit { $0.connections.count == 5 }
            let reasons = reading.connections.map(\.reason)
            #expect(reasons == Array(repeating: "sniff_limit", count: 5), "\(reading.connections)")
            #expect(try bed.arrivals().isEmpty)
            try expectSound(bed)
        }
    }

    @Test("G07: half-said requests push each other out, the oldest first, and a good client gets through")
    func undecided() throws {
        let settings = DaemonSettings(workers: 1, limits: "undecided: 50, sniff_seconds: 30")
        try DaemonBed.with(settings) { bed in
            let flood = try bed.startAgent(
                """
                request = bytes([5, 1, 0, 5, 1, 0, 1, 203, 0, 113, 7, 27])
                sockets = []
                for i in range(400):
                    s = dial("127.0.0.1", 15881); sockets.append(s)
                    s.sendall(request[:i % len(request)])
                print("ready", flush=True); time.sleep(60)
                """
            )
            let good = try bed.agent(
                """
                def go():
                    with dial("127.0.0.1", 15881) as s:
                        s.sendall(bytes([5, 1, 0, 5, 1, 0, 1, 203, 0, 113, 7]) + (7001).to_bytes(2, "big") + bytes(1) + b"hello")
                        data = b""
                        while len(data) < 18: data += s.recv(100)
                        return data[12:]
                print({go() for _ in range(5)})
                """
            )
            #expect(good == "{b'\\x00hello'}\n", "\(good)")
            let reading = try bed.audit { $0.connections.count { $0.reason == "undecided_limit" } >= 300 }
            let pushed = reading.connections.count { $0.reason == "undecided_limit" }
            #expect(pushed >= 340 && pushed <= 360, "\(pushed)")
            #expect(try bed.metrics()["connections_live"] <= 50)
            flood.stop()
            let idle = BackgroundProcess.poll(seconds: 30) { (try? bed.metrics()["connections_live"]) == 0 }
            #expect(idle)
            try expectSound(bed)
        }
    }

    @Test("`mode: audit` lets through what policy would refuse, but nothing malformed and nothing of our own")
    func auditMode() throws {
        let policy = """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: trial
            mode: audit
            default: deny
            rules:
              - name: denied-names
                match: { hosts: [denied.example] }
                action: deny
            """
        try HTTPPod.with(policy) { bed in
            let recorder = try EgressRecorder(bed.pod, port: 7000)
            let said = try bed.agent(
                Self.kit + """
                    print(inside("denied.example:7000", bytes(1) + b"opaque"), inside("203.0.113.99:7000", bytes(1) + b"opaque"))
                    print(connect("127.0.0.1:15890"), connect("denied_.example:7000"), connect("denied.example:7000", command=2))
                    print(inside("denied.example:443", tls(b"other.example")[0]).startswith("alert 109"))
                    """
            )
            #expect(said == ["served served", "reply 2 closed reply 2 closed reply 7 closed", "True"], "\(said)")
            #expect(recorder.visits(2).count == 2)
            let connections = try bed.pod.connections(6)
            let words = connections.map { "\($0["decision"] ?? "") \($0["would"] ?? "-") \($0["reason"] ?? "")" }
            #expect(
                words == [
                    "allow deny rule_deny", "allow deny default_deny", "deny - own_listener", "deny - malformed_name",
                    "deny - malformed_opening", "allow deny name_mismatch",
                ],
                "\(words)"
            )
        }
    }

    @Test("what comes by SOCKS 5 is looked into where a rule asks for it")
    func intercepted() throws {
        try InterceptedPod.with { bed in
            let said = try bed.curl(
                "--socks5-hostname",
                Self.proxy,
                InterceptionClientsTests.url,
                "https://allowed.example:8443/denied/b"
            )
            #expect(said.hasPrefix("GET /a<200>") && said.hasSuffix("<403>"), "\(said)")
            let rules = try bed.requests(2).compactMap { $0["rule"] }
            #expect(rules.suffix(2) == ["allowed-names", "denied-paths"], "\(rules)")
        }
    }

    @Test("B06: a client that was silent inside the tunnel is judged when it speaks")
    func late() throws {
        try HTTPPod.with(Self.rules) { bed in
            let said = try bed.agent(
                Self.kit + """
                    print(inside("allowed.example:443", tls(b"denied.example")[0], 0.6), inside("203.0.113.30:443", tls(b"denied.example")[0], 0.6))
                    """
            )
            #expect(said == ["reset reset"], "\(said)")
            let connections = try bed.pod.connections(2)
            #expect(connections.endValues("outcome") == ["cut"], "\(connections)")
            #expect(connections.values("protocol") == ["server_first"], "\(connections)")
            #expect(connections.endValues("bytes_up") == ["0"], "\(connections)")
        }
    }
}
