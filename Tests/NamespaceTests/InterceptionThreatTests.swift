import Foundation
import Testing

@Suite("Interception, against those who look for a way around it")
struct InterceptionThreatTests {
    typealias Port = InterceptedPod.Port

    /// An outer hello's shape (RFC 9849, section 5), what GREASE looks like, too; and what makes a hello whole.
    private static let encrypted = """
        ech = ext(0xfe0d, bytes([0]) + struct.pack(">HHB", 1, 1, 7) + struct.pack(">H", 32) + bytes(32)
                  + struct.pack(">H", 144) + bytes(144))
        share = ext(51, struct.pack(">HHH", 36, 29, 32) + bytes([9]) + bytes(31))

        """

    @Test("B04: the outer name of a provider's ECH is refused where ECH is offered; ECH or its GREASE alone is not")
    func encryptedHello() throws {
        let rules = "  - name: outer\n    match: { hosts: [cloudflare-ech.com], ports: [8443] }\n    action: inspect\n"
        try InterceptedPod.with(rules + InterceptedPod.rules) { bed in
            let said = try bed.python(
                Self.encrypted + """
                    def first(name, address, more):
                        s = socket.create_connection((address, 8443), 15)
                        s.sendall(b"".join(tls(name, more=more + share)))
                        data = s.recv(100); return "served" if data[:1] == b"\\x16" else classify(data)
                    print(first(b"cloudflare-ech.com", "203.0.113.40", ech), first(b"allowed.example", "203.0.113.10", ech))
                    print(first(b"cloudflare-ech.com", "203.0.113.40", b""))
                    """
            )
            let connections = try bed.pod.connections(3)
            #expect(said == ["alert 49 served", "served"], "\(said) \(connections)")
            let refused = try bed.pod.auditRecords().filter { $0["reason"] == "encrypted_name" }
            #expect(refused.count == 1 && refused[0]["sni"] == "cloudflare-ech.com", "\(refused)")
        }
    }

    @Test("B04: silence first makes no difference to a name that is hidden")
    func lateEncryptedHello() throws {
        let rules = "  - name: block\n    match: { cidrs: [203.0.113.40/32], ports: [8443] }\n    action: tunnel\n"
        try InterceptedPod.with(rules) { bed in
            let said = try bed.python(
                Self.encrypted + """
                    def late(name, more):
                        s = socket.create_connection(("203.0.113.40", 8443), 15); time.sleep(0.8)
                        s.sendall(b"".join(tls(name, more=more + share)))
                        try: data = s.recv(100); return "served" if data[:1] == b"\\x16" else classify(data)
                        except OSError as error: return name_of(error)
                    print(late(b"cloudflare-ech.com", ech), late(b"allowed.example", ech))
                    """
            )
            let connections = try bed.pod.connections(2)
            #expect(said == ["reset served"], "\(said) \(connections)")
            let cut = connections.filter { $0.end?["outcome"] == "cut" }
            #expect(cut.count == 1 && cut[0].end?["reason"] == "encrypted_name", "\(connections)")
        }
    }

    @Test("B11: a redirect leads to where it would be refused anyway")
    func redirect() throws {
        try InterceptedPod.with { bed in
            let other = try bed.curl(
                "-L",
                "-H",
                "X-To: https://denied.example:8443/got",
                "https://allowed.example:8443/away"
            )
            #expect(other.contains("access denied"), "\(other)")
            let same = try bed.curl("-L", "-H", "X-To: /denied/got", "https://allowed.example:8443/away")
            #expect(same.contains(#""rule":"denied-paths""#) && same.hasSuffix("<403>"), "\(same)")
            let others = bed.origin.requests().filter { !$0.contains("/away") }
            #expect(others.isEmpty, "\(others)")
            #expect(try bed.pod.world.arrivals(at: "203.0.113.20") == 0)
            let denied = try bed.pod.auditRecords().compactMap { $0["decision"] == "deny" ? $0["rule"] : nil }
            #expect(denied == ["denied-names", "denied-paths"])
        }
    }

    @Test("B20: kept-alive, resumed and pooled connections are judged anew under a new policy")
    func reuse() throws {
        try InterceptedPod.with(settings: "workers: 1") { bed in
            let agent = try bed.startPython(
                """
                kept, first = inside(), inside()
                print(why(kept.ask(*at("/peer"))), why(first.ask(*at("/peer"))))
                session = first.s.session; first.s.close(); time.sleep(0.3)
                print("ready"); wait_for("\(bed.place())")
                print(why(kept.ask(*at("/peer"))), why(kept.ask(*at("/still"))))
                again = inside(context=first.context, session=session)
                print(again.s.session_reused, why(again.ask(*at("/peer"))), why(again.ask(*at("/still"))))
                """
            )
            let revised =
                "  - name: no-longer\n    match: { hosts: [allowed.example], http: { paths: [/peer] } }\n    action: deny\n"
            let before = bed.origin.accepts(on: Port.sound)
            try bed.pod.reload(revised + InterceptedPod.rules)
            try bed.go()
            let result = agent.wait()
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(
                lines == ["200 200", "ready", "403 rule_deny 200", "True 403 rule_deny 200"],
                "\(result)"
            )
            // What waited in the pool was allowed by another policy: neither of the two went up one of those.
            #expect(bed.origin.accepts(on: Port.sound) >= before + 1)
            let generations = try bed.requests(6).map { $0["policy_generation"] ?? "-" }
            #expect(generations == ["1", "1", "2", "2", "2", "2"])
        }
    }

    /// Which policy comes while a request is dialled whose rule changes its head and measures its content.
    enum Replacement: CaseIterable, CustomTestStringConvertible {
        case same
        /// One with a further rule that changes heads and measures content.
        case otherRule
        case otherHead
        case otherLimits
        /// Another rule is the first that lets it through.
        case otherOrder
        /// Another rule is, by a field that the one before did not ask for.
        case otherField

        var testDescription: String { "\(self)" }

        var rules: String {
            switch self {
            case .same: Self.rule()
            case .otherRule: Self.rule() + Self.rule("other", ports: 8602, word: "three")
            case .otherHead: Self.rule(word: "two")
            case .otherLimits: Self.rule(limit: "32KiB")
            case .otherOrder: Self.rule("other", word: "three") + Self.rule()
            case .otherField:
                Self.rule("other", word: "three", http: ", http: { headers: { x-tenant: [a] } }") + Self.rule()
            }
        }

        var isCut: Bool { self != .same && self != .otherRule }

        private static func rule(
            _ name: String = "marked",
            ports: Int = 8601,
            word: String = "one",
            limit: String = "64KiB",
            http: String = ""
        ) -> String {
            """
              - name: \(name)
                match: { hosts: [allowed.example], ports: [\(ports)], protocols: [tls, http]\(http) }
                action: inspect
                headers: { set: { X-Mark: \(word) } }
                limits: { request_bytes: \(limit) }

            """
        }
    }

    @Test(
        "B20: a request that is dialled goes on under a policy that would make the same of it, and under no other",
        arguments: Replacement.allCases
    )
    func outdated(by replacement: Replacement) throws {
        try InterceptedPod.with(Replacement.same.rules, settings: "workers: 1") { bed in
            let server = try bed.pod.net.world.startPython(
                """
                import os, socket, ssl, sys, time
                listener = socket.create_server(("203.0.113.10", 8601)); print("ready", flush=True)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(sys.argv[1], sys.argv[2])
                s, _ = listener.accept(); print("dialled", flush=True)
                while not os.path.exists(sys.argv[3]): time.sleep(0.01)
                try:
                    s = context.wrap_socket(s, server_side=True); print("got", s.recv(1000), flush=True)
                    s.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"); time.sleep(5)
                except OSError as error: print("got nothing", flush=True)
                """,
                [bed.files.path("sound.pem"), bed.files.path("sound.key"), bed.place()],
                as: RunAs(uid: 0, gid: 0)
            )
            defer { server.stop() }
            let agent = try bed.startPython(
                """
                c = inside(port=8601); print("ready"); c.send(*at("/a", "allowed.example:8601"), "X-Tenant: a")
                try: print(c.read()[0])
                except (EOFError, OSError): print("cut")
                """
            )
            #expect(server.waitForOutput("dialled"))
            try bed.pod.reload(replacement.rules)
            // It is in force where it is said to be when something has been judged by it.
            let isInForce = BackgroundProcess.poll(seconds: 60) {
                _ = try? bed.curl("https://allowed.example:8443/")
                let records = (try? bed.pod.auditRecords()) ?? []
                return records.contains { $0["kind"] == "connection" && $0["policy_generation"] == "2" }
            }
            #expect(isInForce)
            try bed.go()
            #expect(server.waitForOutput("got"))
            // An end of TLS without a word is one, too.
            #expect(server.output.contains("X-Mark: one") == !replacement.isCut, "\(server.output)")
            #expect(!server.output.contains("X-Mark") == replacement.isCut, "\(server.output)")
            #expect(agent.wait().output == "ready\n\(replacement.isCut ? "cut" : "200")\n")
            let request = try bed.requests(1)
            #expect(request.first?["decision"] == "allow")
            let outcome = replacement.isCut ? "policy_changed" : "closed"
            #expect(request.first?.end?["outcome"] == outcome, "\(request)")
        }
    }

    @Test("B20: a connection that a new policy would tunnel or deny at once does not go on as it was")
    func deniedWhole() throws {
        try InterceptedPod.with { bed in
            let agent = try bed.startPython(
                """
                c = inside(); print(why(c.ask(*at("/a")))); print("ready"); wait_for("\(bed.place())")
                try: print(why(c.ask(*at("/b"))))
                except (EOFError, OSError): print("closed")
                """
            )
            try bed.pod.reload("  - name: other\n    match: { hosts: [other.example] }\n    action: allow\n")
            try bed.go()
            let lines = agent.wait().output.split(separator: "\n").map(String.init)
            #expect(lines == ["200", "ready", "closed"] || lines == ["200", "ready", "403 default_deny"], "\(lines)")
            #expect(bed.origin.requests() == ["GET /a HTTP/1.1"])
        }
    }

    @Test("G01: the agent reads no key, from no file and from no process", arguments: [false, true])
    func key(isEphemeral: Bool) throws {
        try InterceptedPod.with(isEphemeral: isEphemeral) { bed in
            #expect(try bed.curl("https://allowed.example:8443/a") == "GET /a<200>")
            let pid = "\(bed.pod.daemon.pid)"
            let said = try bed.pod.agent(
                [
                    "sh", "-c",
                    """
                    for f in "$1"/authority/ca/ca.key "$1"/daemon.key /proc/$2/mem /proc/$2/environ /proc/$2/maps /proc/$2/root/etc/passwd
                    do if head -c 1 "$f" >/dev/null 2>&1; then echo "read $f"; fi; done
                    ls "$1"/authority/ca /proc/$2/fd 2>/dev/null | grep . && echo listed
                    grep -rlaE 'PRIVATE KEY' "$1"/published && echo 'a key is published'
                    openssl pkcs12 -in "$1"/published/truststore.p12 -passin pass:changeit -nocerts -nodes 2>/dev/null | grep PRIVATE
                    ls "$1"/published
                    """,
                    "sh", bed.files.folder.path, pid,
                ]
            )
            #expect(said.output == "bundle.pem\nca.pem\ntruststore.p12\n", "\(said)")
        }
    }

    @Test("G07: who asks for ever new names is refused some; the daemon does not grow, and others go on")
    func flood() throws {
        let count = 1500
        let names = Dictionary(
            uniqueKeysWithValues: (0..<count).map { ("n\($0).allowed.example", ["203.0.113.10"]) }
        )
        try InterceptedPod.with(names: names) { bed in
            let neighbour = RunAs(uid: 2001, gid: 2001)
            let other = try bed.startPython(
                """
                c = inside(); print(why(c.ask(*at("/a"))), flush=True); print("ready", flush=True)
                times, refused = [], 0
                while not os.path.exists("\(bed.place())") or len(times) < 4:
                    begun = time.time()
                    if c.ask(*at("/a"))[0] != 200: refused += 1
                    d = inside()
                    if d.ask(*at("/b"))[0] != 200: refused += 1
                    d.s.close(); times.append(time.time() - begun); time.sleep(0.05)
                print(refused, len(times) > 3, max(times) < 5, max(times))
                """,
                as: neighbour
            )
            let before = try HTTPPod(pod: bed.pod, origin: bed.origin).daemonMemory()
            let flooding = try bed.python(
                """
                share = ext(51, struct.pack(">HHH", 36, 29, 32) + bytes([9]) + bytes(31))
                open_ones = []
                for n in range(\(count)):
                    s = socket.create_connection(("203.0.113.10", 8443), 20)
                    s.sendall(b"".join(tls(b"n%d.allowed.example" % n, more=share))); open_ones.append(s)
                found = {}
                for s in open_ones:
                    s.settimeout(20)
                    try: data = s.recv(5)
                    except OSError as error: data = name_of(error).encode()
                    word = {b"\\x16": "served", b"\\x15": "refused"}.get(data[:1], data.decode(errors="replace") or "closed")
                    found[word] = found.get(word, 0) + 1; s.close()
                print(json.dumps(found))
                """,
                seconds: 120
            )
            try bed.go()
            let result = other.wait()
            #expect(result.output.split(separator: "\n").last?.hasPrefix("0 True True") == true, "\(result)")
            let found = try JSONDecoder().decode([String: Int].self, from: Data((flooding.first ?? "{}").utf8))
            #expect(found["served", default: 0] >= 300 && found.values.reduce(0, +) == count, "\(flooding)")
            let grown = try HTTPPod(pod: bed.pod, origin: bed.origin).daemonMemory() - before
            #expect(grown < 64 << 20, "\(grown)")
            let metrics = try bed.pod.metrics()
            let kept = try #require(metrics.firstMatch(of: /\npenstock_leaves ([0-9]+)/)?.1)
            #expect((300...1024).contains(Int(kept) ?? 0), "\(kept) leaves")
            #expect(try bed.curl("https://n7.allowed.example:8443/a") == "GET /a<200>")
        }
    }

    @Test("G10: a leaf has the one name that was asked for, or the address, and lasts under a day")
    func leaves() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                def leaf(*where):
                    shown = inside(*where).s.getpeercert()
                    begin, end = (ssl.cert_time_to_seconds(shown[k]) for k in ("notBefore", "notAfter"))
                    print(shown["subjectAltName"], 0 < end - begin < 86400, 300 < time.time() - begin < 1200, end > time.time() + 3600)
                leaf("www.allowed.example"); leaf("203.0.113.30", 8443, "203.0.113.30"); leaf("2001:db8:113::30", 8443, "2001:db8:113::30")
                """
            )
            #expect(
                said == [
                    "(('DNS', 'www.allowed.example'),) True True True",
                    "(('IP Address', '203.0.113.30'),) True True True",
                    "(('IP Address', '2001:DB8:113:0:0:0:0:30'),) True True True",
                ],
                "\(said)"
            )
            let literal = try bed.python(
                "print(attempt('203.0.113.30', 8443, tls(b'203.0.113.30')), attempt('203.0.113.30', 8443, tls(b'allowed.example\\0x')))"
            )
            #expect(literal == ["alert 49 alert 49"])
            #expect(try bed.curl("https://203.0.113.30:8443/a") == "GET /a<200>")
        }
    }

    @Test("G15: who takes TLS 1.3 alone is served from nothing older; nobody from TLS 1.1")
    func downgrade() throws {
        try InterceptedPod.with(settings: "workers: 1") { bed in
            let said = try bed.python(
                """
                def ask(port, oldest=None, newest=None):
                    c = inside(port=port, context=trusting(None, oldest, newest))
                    return c.s.version() + " " + why(c.ask(*at("/a", "allowed.example:%d" % port)))
                print(ask(\(Port.tls12))); time.sleep(0.3)
                print(ask(\(Port.tls12), "TLSv1_3")); print(ask(\(Port.tls12), None, "TLSv1_2"))
                print(ask(\(Port.sound), None, "TLSv1_2")); print(ask(\(Port.sound), "TLSv1_3"))
                print(ask(\(Port.tls11))); print(ask(\(Port.tls11), None, "TLSv1_2"))
                try: print(ask(\(Port.sound), "TLSv1_1", "TLSv1_1"))
                except (ssl.SSLError, OSError): print("refused")
                """
            )
            #expect(
                said == [
                    "TLSv1.3 200", "TLSv1.3 502 upstream_failed", "TLSv1.2 200", "TLSv1.2 200", "TLSv1.3 200",
                    "TLSv1.3 502 upstream_failed", "TLSv1.2 502 upstream_failed", "refused",
                ],
                "\(said)"
            )
            let details = try bed.requests(7).compactMap { $0.end?["detail"] }
            #expect(details == Array(repeating: "upstream_tls_alert_protocol_version", count: 3))
        }
    }
}
