import Foundation
import Testing

@Suite("Interception")
struct InterceptionTests {
    typealias Port = InterceptedPod.Port

    @Test("every request inside TLS is judged, and recorded with the connection that it came on")
    func judged() throws {
        try InterceptedPod.with { bed in
            let said = try bed.curl(
                "https://allowed.example:8443/one?x",
                "https://allowed.example:8443/denied/two",
                "https://www.allowed.example:8443/three"
            )
            #expect(said.hasPrefix("GET /one?x<200>"), "\(said)")
            #expect(said.contains(#""rule":"denied-paths""#) && said.contains("<403>"), "\(said)")
            #expect(said.hasSuffix("GET /three<200>"), "\(said)")
            #expect(bed.origin.requests() == ["GET /one?x HTTP/1.1", "GET /three HTTP/1.1"])
            let connections = try bed.pod.connections(2)
            #expect(connections.values("treatment") == ["inspect"], "\(connections)")
            #expect(connections.values("sni") == ["allowed.example", "www.allowed.example"])
            let requests = try bed.requests(3)
            let verdicts = requests.map { "\($0["path"] ?? "?") \($0.verdict) \($0.end?["status"] ?? "-")" }
            #expect(
                verdicts == [
                    "/one allow rule_allow allowed-names 200", "/denied/two deny rule_deny denied-paths -",
                    "/three allow rule_allow allowed-names 200",
                ],
                "\(requests)"
            )
            #expect(requests[0]["connection"] == connections[0]["id"])
        }
    }

    @Test(
        "where the original destination is dialled the server has to be who the client asked for, not what its address is",
        arguments: ["mode: enforce", "mode: audit"]
    )
    func original(mode: String) throws {
        let rules = """
            apiVersion: penstock/v1
            kind: EgressPolicy
            name: standard
            \(mode)
            rules:
              - name: by-block
                match: { cidrs: [203.0.113.0/24], ports: [\(Port.named)], http: { paths: ["/ok/**"] } }
                action: allow
            """
        try InterceptedPod.with(rules) { bed in
            let said = try bed.curl(
                "https://allowed.example:\(Port.named)/ok/1",
                "https://www.allowed.example:\(Port.named)/ok/2"
            )
            #expect(said == "GET /ok/1<200>GET /ok/2<200>", "\(said)")
            let other = try bed.curl("https://cloudflare-ech.com:\(Port.named)/ok/3")
            #expect(other.contains("upstream_certificate_wrong_host") && other.hasSuffix("<502>"), "\(other)")
        }
    }

    @Test("a deny of paths at a block of addresses holds inside TLS where only what is dialled lies in the block")
    func blockedPaths() throws {
        let rules = """
              - name: site
                match: { hosts: [allowed.example], ports: [8443] }
                action: allow
              - name: no-admin
                match: { cidrs: [203.0.113.10/32], http: { paths: ["/admin/**"] } }
                action: deny
            """
        try InterceptedPod.with(rules) { bed in
            let said = try bed.python(
                """
                for address in ("203.0.113.10", "203.0.113.40"):
                    c = inside(address=address); print(why(c.ask(*at("/admin/x"))), why(c.ask(*at("/a"))))
                """
            )
            #expect(said == ["403 rule_deny 200", "403 denied_address 200"], "\(said)")
            let asked = ["/admin/x", "/a"].map { "https://allowed.example:8443" + $0 }
            let proxied = try bed.curl("-x", HTTPProxyTests.proxy, asked[0], asked[1])
            #expect(proxied.contains(#""reason":"denied_address""#), "\(proxied)")
            #expect(proxied.hasSuffix("<403>GET /a<200>"), "\(proxied)")
            let connections = try bed.pod.connections(3)
            #expect(connections.values("treatment") == ["inspect"], "\(connections)")
        }
    }

    @Test("B02: a Host other than the name that TLS was begun with is answered 421, each with its own record")
    func fronting() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                c = inside()
                print(why(c.ask(*at("/1"))), why(c.ask(*at("/2", "www.allowed.example:8443"))), why(c.ask(*at("/3"))))
                print(why(c.ask(*at("/4", "denied.example:8443"))), why(c.ask(*at("/5", "203.0.113.10:8443"))))
                print(why(c.ask("GET https://denied.example:8443/6 HTTP/1.1", "Host: denied.example:8443")))
                print(why(c.ask(*at("/7", "ALLOWED.example.:8443"))), why(c.ask(*at("/8"))))
                c = inside(); print(why(c.ask(*at("/9", "denied.example:8443"))))
                c = inside(); print(why(c.ask("GET /10 HTTP/1.1", "Host: allowed.example:8443", "Host: denied.example")))
                """
            )
            #expect(
                said == [
                    "200 421 name_mismatch 200", "421 name_mismatch 421 name_mismatch", "403 proxy_in_capture",
                    "200 200", "421 name_mismatch", "400 malformed_request",
                ],
                "\(said)"
            )
            let arrived = bed.origin.requests().map { $0.split(separator: " ")[1] }
            #expect(arrived == ["/1", "/3", "/7", "/8"])
            let requests = try bed.requests(10)
            let refused = requests.filter { $0["reason"] == "name_mismatch" }.map { $0["authority"] ?? "-" }
            #expect(
                refused == [
                    "www.allowed.example:8443", "denied.example:8443", "203.0.113.10:8443", "denied.example:8443",
                ],
                "\(requests)"
            )
        }
    }

    @Test("B02, B17: a request without Host goes up for the session's name, wherever its agent was going")
    func withoutHost() throws {
        try InterceptedPod.with { bed in
            let said = try bed.python(
                """
                import json
                for address in ["203.0.113.10", "203.0.113.99"]:
                    c = inside(address=address); r = c.ask("GET /echo HTTP/1.0")
                    fields = str(json.loads(r[2])["fields"])
                    print(r[0], "allowed.example:8443" in fields, address in fields)
                """
            )
            #expect(said == ["200 True False", "200 True False"], "\(said)")
        }
    }

    @Test(
        "G09: an upstream certificate that is not sound is answered 502, and recorded by name",
        arguments: [
            (InterceptionCertificates.Kind.expired, "upstream_certificate_expired"),
            (.notYetValid, "upstream_certificate_not_yet_valid"), (.otherHost, "upstream_certificate_wrong_host"),
            (.nameless, "upstream_certificate_wrong_host"),
            (.selfSigned, "upstream_certificate_self_signed"),
            (.unknownIssuer, "upstream_certificate_unknown_issuer"), (.weakKey, "upstream_certificate_weak"),
            (.weakSignature, "upstream_certificate_weak"), (.forClients, "upstream_certificate_not_permitted"),
        ]
    )
    func unsound(kind: InterceptionCertificates.Kind, fault: String) throws {
        let port = try #require(Port.kinds[kind])
        try InterceptedPod.with { bed in
            let said = try bed.curl("https://allowed.example:\(port)/a", "https://203.0.113.30:\(port)/b")
            let bodies = said.components(separatedBy: "<502>").dropLast()
            let named = bodies.filter { $0.contains(fault) && $0.contains(#""reason":"upstream_failed""#) }
            #expect(bodies.count == 2 && named.count == 2, "\(said)")
            let requests = try bed.requests(2)
            let ends = requests.map { "\($0.end?["outcome"] ?? "-") \($0.end?["detail"] ?? "-")" }
            #expect(ends == Array(repeating: "upstream_failed \(fault)", count: 2), "\(requests)")
            #expect(bed.origin.requests().isEmpty, "it was asked all the same")
            let connections = try bed.pod.connections(2)
            #expect(connections.values("treatment") == ["inspect"], "\(connections)")
        }
    }

    @Test("G09: an upstream that speaks no TLS or none of ours, breaks off or is silent is named, asked nothing plain")
    func speechless() throws {
        try InterceptedPod.with { bed in
            let world = try bed.pod.net.world.startPython(
                """
                \(NetworkNamespace.pythonSay)
                import socket, struct, threading
                def serve(port, act):
                    l = socket.create_server(("0.0.0.0", port))
                    def accept():
                        while True:
                            c = l.accept()[0]; say(port, c.recv(65536)[:1].hex()); act(c)
                    threading.Thread(target=accept, daemon=True).start()
                kept = []
                serve(8620, lambda c: (c.sendall(b"HTTP/1.1 400 Bad Request\\r\\n\\r\\n"), c.close()))
                serve(8621, lambda c: (c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)), c.close()))
                serve(8622, lambda c: c.close()); serve(8623, kept.append)
                serve(8624, lambda c: (c.sendall(bytes([22, 3, 3, 0, 4, 2, 0, 0, 0])), kept.append(c)))
                # A ServerHello of TLS 1.1, by a server that does not know supported_versions.
                old = bytes([22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2]) + bytes(33) + bytes([0xc0, 0x13, 0])
                serve(8625, lambda c: (c.sendall(old), kept.append(c)))
                # handshake_failure: nothing in common.
                serve(8626, lambda c: (c.sendall(bytes([21, 3, 3, 0, 2, 2, 40])), c.close()))
                print("ready", flush=True); threading.Event().wait()
                """
            )
            let said = try bed.curl("https://allowed.example:{8620,8621,8622,8623,8624,8625,8626}/a")
            let statuses = said.matches(of: /<([0-9]+)>/).map { String($0.1) }
            #expect(statuses == ["502", "502", "502", "504", "502", "502", "502"], "\(said)")
            let details = try bed.requests(7).map { $0.end?["detail"] ?? "-" }
            #expect(
                details == [
                    "upstream_tls_malformed", "upstream_tls_reset", "upstream_tls_closed",
                    "upstream_tls_timed_out", "upstream_tls_malformed", "upstream_tls_version",
                    "upstream_tls_alert_handshake_failure",
                ]
            )
            let first = Set(world.output.split(separator: "\n").dropFirst().map { $0.suffix(2) })
            #expect(first == ["16"], "\(world.output)")
        }
    }

    @Test("an upstream that speaks HTTP/2 alone is named by its alert")
    func otherProtocol() throws {
        try InterceptedPod.with { bed in
            let pair = ["-cert", bed.files.path("sound.pem"), "-key", bed.files.path("sound.key")]
            let command = ["openssl", "s_server", "-accept", "8627", "-alpn", "h2", "-www"] + pair
            let server = try bed.pod.net.world.start(command)
            #expect(server.waitForOutput("ACCEPT"), "\(server.errors)")
            #expect(try bed.curl("https://allowed.example:8627/a").hasSuffix("<502>"))
            let details = try bed.requests(1).map { $0.end?["detail"] ?? "-" }
            #expect(details == ["upstream_tls_alert_no_application_protocol"])
        }
    }

    @Test("G16: a server that wants a certificate is named where there is none, and gets the one that is configured")
    func mutual() throws {
        let url = "https://allowed.example:\(Port.wantsCertificate)/a"
        try InterceptedPod.with { bed in
            let said = try bed.curl(url)
            #expect(said.hasSuffix("<502>") && said.contains("upstream_wants_client_certificate"), "\(said)")
            let requests = try bed.requests(1)
            #expect(requests.first?.end?["detail"] == "upstream_wants_client_certificate", "\(requests)")
            #expect(bed.origin.requests().isEmpty)
        }
        let shown = """
            , client_certificates: [{ hosts: ["*.allowed.example", allowed.example],
                certificate: $FILES/daemon.pem, key: $FILES/daemon.key }]
            """
        try InterceptedPod.with(more: shown) { bed in
            let said = try bed.curl(url, "https://203.0.113.30:\(Port.wantsCertificate)/b")
            #expect(said.hasPrefix("GET /a<200>") && said.hasSuffix("<502>"), "\(said)")
            // Once more, by a ticket: the certificate counts for the whole session.
            _ = try bed.curl(url, "-H", "Connection: close")
            let handshakes = bed.origin.handshakes(on: Port.wantsCertificate).filter { !$0.hasPrefix("failed") }
            let shown = handshakes.filter { $0.hasSuffix(" daemon") }
            #expect(!shown.isEmpty && shown.count == handshakes.count, "\(handshakes)")
        }
    }

    @Test(
        "G16: a client that looks at the key behind the handshake, and leaves, is named as well",
        arguments: ["1.2", "1.3"]
    )
    func pinnedKey(version: String) throws {
        try InterceptedPod.with { bed in
            let key = "sha256//" + String(repeating: "A", count: 43) + "="
            let refused = try bed.curl(
                "https://allowed.example:8443/a",
                "--pinnedpubkey",
                key,
                "--tls-max",
                version
            )
            #expect(refused.contains("(90)"), "\(refused)")
            let end = try #require(try bed.pod.connections(1).first?.end)
            #expect(end["outcome"] == "client_rejected_interception", "\(end)")
            let detail = try #require(end["detail"])
            #expect(detail.contains("closed_behind_handshake; { action: tunnel"), "\(detail)")
            #expect(bed.origin.requests().isEmpty)
        }
    }

    @Test(
        "a server that refuses our certificate is named by its alert, though in TLS 1.3 that comes behind the handshake"
    )
    func refusedCertificate() throws {
        let shown = """
            , client_certificates: [{ hosts: [allowed.example], certificate: $FILES/unknownIssuer.pem, key: $FILES/unknownIssuer.key }]
            """
        try InterceptedPod.with(more: shown) { bed in
            let said = try bed.curl("https://allowed.example:\(Port.wantsCertificate)/a")
            #expect(said.hasSuffix("<502>") && said.contains("upstream_tls_alert_unknown_ca"), "\(said)")
            let end = try #require(try bed.requests(1).first?.end)
            #expect(end["outcome"] == "upstream_failed" && end["detail"] == "upstream_tls_alert_unknown_ca", "\(end)")
        }
    }

    @Test(
        "G16: a client that pins its server is named, and the rule that its record suggests lets it through",
        arguments: ["allowed.example", "203.0.113.30", "[2001:db8:113::30]"]
    )
    func pinned(host: String) throws {
        try InterceptedPod.with { bed in
            // It trusts the server's own authority, and nobody else.
            let root = ["CURL_CA_BUNDLE": bed.files.path("root.pem")]
            let command = ["curl", "-sS", "-m", "20", "-w", "<%{http_code}>", "https://\(host):8443/a"]
            let refused = try bed.pod.startAgent(command, trusting: root).wait()
            #expect(refused.status == 60, "\(refused)")
            let end = try #require(try bed.pod.connections(1).first?.end)
            #expect(end["outcome"] == "client_rejected_interception", "\(end)")
            #expect(end["closed_by"] == "client", "\(end)")
            let detail = try #require(end["detail"])
            #expect(detail.contains("unknown_ca"), "\(detail)")
            let suggestion = detail.firstMatch(of: /\{ action: tunnel.*\} \}/)?.output
            let rule = try #require(suggestion)
            let isOfName = rule.contains("hosts: [allowed.example], ports: [8443] }")
            #expect(isOfName || rule.hasSuffix("ports: [8443], protocols: [tls], sni: absent } }"), "\(rule)")
            #expect(bed.origin.requests().isEmpty)
            let others = InterceptedPod.rules.replacing(
                "[\"/denied/**\"] } }\n    action: deny",
                with: "[\"/denied/**\"] } }\n    action: deny\n    except_tunnels: true"
            )
            try bed.pod.reload("  - name: suggested\n" + "    " + block(rule) + "\n" + others)
            let passed = try bed.pod.startAgent(command, trusting: root).wait()
            #expect(passed.output == "GET /a<200>", "\(passed)")
            let last = try #require(try bed.pod.connections(2).last)
            #expect(last["treatment"] == "tunnel" && last["rule"] == "suggested", "\(last)")
        }
    }

    @Test("the rule suggested for a client without a name is for TLS to its port alone, and `check` warns of nothing")
    func pinnedWithoutName() throws {
        try InterceptedPod.with { bed in
            let command = ["curl", "-sS", "-m", "20", "https://203.0.113.30/a"]
            let refused = try bed.pod.startAgent(command, trusting: ["CURL_CA_BUNDLE": bed.files.path("root.pem")])
                .wait()
            #expect(refused.status == 60, "\(refused)")
            let detail = try #require(try bed.pod.connections(1).first?.end?["detail"])
            let suggestion = detail.firstMatch(of: /\{ action: tunnel.*\} \}/)?.output
            let rule = try #require(suggestion)
            #expect(
                rule
                    == #"{ action: tunnel, match: { cidrs: ["203.0.113.30"], ports: [443], protocols: [tls], sni: absent } }"#
            )
            let policy =
                "apiVersion: penstock/v1\nkind: EgressPolicy\nname: one\nrules:\n  - name: suggested\n    \(block(rule))\n"
            try Data(policy.utf8).write(to: URL(filePath: bed.files.path("suggested.yaml")))
            try NetworkNamespace.must([
                Built.path("penstock"), "policy", "check", "--strict", bed.files.path("suggested.yaml"),
            ])
        }
    }

    /// A rule in braces as lines of its own.
    private func block(_ rule: Substring) -> String {
        rule.dropFirst().dropLast().trimmingCharacters(in: .whitespaces).replacing(", match:", with: "\n    match:")
    }
}
