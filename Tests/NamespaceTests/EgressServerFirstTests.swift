import Foundation
import Testing

@Suite("Who speaks first")
struct EgressServerFirstTests {
    static let rules = """
          - name: denied-names
            match: { hosts: [denied.example] }
            action: deny
          - name: by-address
            match: { cidrs: [203.0.113.30/32, "2001:db8:113::30/128"] }
            action: allow
          - name: allowed-names
            match: { hosts: ["*.allowed.example", allowed.example] }
            action: allow
        """

    /// What a client says after the server's banner.
    static func late(
        _ name: String,
        _ pieces: String,
        sees: String = "reset",
        options: String = "",
        endReason: String?
    ) -> EgressCase {
        let more = options.isEmpty ? "first=b'220 banner\\r\\n'" : "first=b'220 banner\\r\\n', \(options)"
        let verdict = "allow rule_allow by-address"
        return EgressCase(name: name, pieces: pieces, options: more, sees: sees, verdict: verdict, endReason: endReason)
    }

    static let cases: [EgressCase] = [
        late("another protocol", "[b'EHLO agent\\r\\n']", sees: "served", endReason: nil),
        late("a hello with a name that no rule denies", "tls(b'other.example')", sees: "served", endReason: nil),
        late("a hello with a denied name", "tls(b'denied.example')", endReason: "rule_deny"),
        late(
            "a hello with a denied name in segments of one octet",
            "single(tls(b'denied.example')[0])",
            options: "pause=0.001",
            endReason: "rule_deny"
        ),
        late("a hello with NUL in its name", "tls(b'a' + bytes(1) + b'.example')", endReason: "malformed_name"),
        late(
            "a hello of SSL 2.0",
            "[bytes([0x80, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16]) + bytes(37)]",
            endReason: "malformed_opening"
        ),
        late("a hello that does not end", "[tls(b'other.example')[0][:-3]]", endReason: "sniff_limit"),
        late(
            "a truncated hello, then the end",
            "[tls(b'other.example')[0][:-3]]",
            options: "end='fin'",
            endReason: "malformed_opening"
        ),
        late("plain HTTP", "[b'GET / HTTP/1.1\\r\\nHost: other.example\\r\\n\\r\\n']", endReason: "per_request"),
        late("CONNECT", "[b'CONNECT denied.example:443 HTTP/1.1\\r\\n\\r\\n']", endReason: "proxy_in_capture"),
    ]

    @Test(
        "B06: a client that waits for the banner is judged by its first bytes all the same, and none of what is cut leaves",
        arguments: EgressFamily.allCases
    ) func banner(family: EgressFamily) throws {
        try GuardedPod.with(Self.rules, settings: "limits: { sniff_seconds: 2 }") { pod in
            let recorder = try EgressRecorder(pod, port: 25, banner: "220 banner\r\n")
            try pod.expect(Self.cases, at: family.bare, port: 25, recorder)
            let all = try pod.connections()
            #expect(all.values("protocol") == ["server_first"], "\(all)")
            let cut = all.filter { $0.end?["outcome"] == "cut" }
            let expected = Self.cases.filter { $0.endReason != nil }
            #expect(cut.count == expected.count, "\(all)")
            #expect(cut.endValues("closed_by") == ["ours"], "\(cut)")
            #expect(cut.endValues("bytes_up") == ["0"], "\(cut)")
            #expect(cut.first?.end?["rule"] == "denied-names", "\(cut)")
        }
    }

    @Test("B06: STARTTLS of a real client passes where the address is allowed", arguments: EgressFamily.allCases)
    func startTLS(family: EgressFamily) throws {
        try GuardedPod.with(Self.rules) { pod in
            try pod.net.world.startPython(
                """
                import socket, ssl, sys
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(sys.argv[1] + "/server.pem", sys.argv[1] + "/server.key")
                l = socket.socket(socket.AF_INET6); l.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                l.bind(("::", 587)); l.listen(); print("ready", flush=True)
                c, _ = l.accept()
                c.sendall(b"220 mail\\r\\n"); c.recv(999)
                c.sendall(b"250-mail\\r\\n250 STARTTLS\\r\\n"); c.recv(999)
                c.sendall(b"220 go\\r\\n")
                t = context.wrap_socket(c, server_side=True); t.sendall(b"250 behind TLS\\r\\n"); t.unwrap(); c.close()
                """,
                [pod.folder.path],
                as: RunAs(uid: 0, gid: 0, capabilities: ["net_bind_service"])
            )
            let client =
                "timeout 15 openssl s_client -starttls smtp -connect \(EgressClients.at(family.bare, 587)) -quiet"
            let (result, connections) = try pod.recorded {
                try pod.agent(["sh", "-c", "\(client) </dev/null -ign_eof"])
            }
            #expect(result.output.contains("250 behind TLS"), "\(result)")
            #expect(connections[0].verdict == "allow rule_allow by-address", "\(connections)")
            #expect(connections[0]["protocol"] == "server_first", "\(connections)")
        }
    }

    @Test(
        "a silent client whom only a name could allow is waited for, and passes when the name comes",
        arguments: EgressFamily.allCases
    ) func lateName(family: EgressFamily) throws {
        try GuardedPod.with(Self.rules) { pod in
            let program = """
                s = socket.create_connection((sys.argv[1], 443), 20); time.sleep(0.6)
                t = ssl.create_default_context().wrap_socket(s, server_hostname=sys.argv[2])
                t.sendall(b"GET / HTTP/1.0\\r\\nHost: " + sys.argv[2].encode() + b"\\r\\n\\r\\n")
                data = b""
                while more := t.recv(9999): data += more
                print(data.decode().split("\\r\\n\\r\\n")[1], end="")
                """
            let (passed, first) = try pod.recorded { try pod.python(program, [family.allowed, family.name]) }
            #expect(passed.output == "\(family.name) at \(family.allowed)\n", "\(passed)")
            #expect(first[0].verdict == "allow rule_allow allowed-names", "\(first)")
            #expect(first[0]["protocol"] == "tls", "\(first)")
            let (refused, second) = try pod.recorded { try pod.python(program, [family.denied, "denied.example"]) }
            #expect(!refused.succeeded && refused.errors.contains("ACCESS_DENIED"), "\(refused)")
            #expect(second[0].verdict == "deny rule_deny denied-names", "\(second)")
            #expect(try pod.world.arrivals(at: family.denied) == 0)
        }
    }

    @Test(
        "a client that stays silent where only a name could allow it is refused when the time is over",
        arguments: EgressFamily.allCases
    ) func silence(family: EgressFamily) throws {
        try GuardedPod.with(Self.rules, settings: "limits: { sniff_seconds: 1 }") { pod in
            let (result, connections) = try pod.recorded {
                try pod.python("show(sys.argv[1], 443, [])", [family.allowed])
            }
            #expect(result.output == "reset\n", "\(result)")
            #expect(connections[0].verdict == "deny sniff_limit -", "\(connections)")
            #expect(connections[0]["protocol"] == "server_first", "\(connections)")
            #expect(try pod.world.arrivals(at: family.allowed) == 0)
        }
    }

    @Test(
        "in `mode: audit` such a client goes where it was going, and the record says that it would be refused",
        arguments: EgressFamily.allCases
    ) func audited(family: EgressFamily) throws {
        let policy = EgressPolicies.whole(
            """
              - name: allowed-names
                match: { hosts: [allowed.example], ports: [25] }
                action: allow
            """,
            mode: "audit"
        )
        try GuardedPod.with(policy, settings: "limits: { sniff_seconds: 1 }") { pod in
            let recorder = try EgressRecorder(pod, port: 25, banner: "220 banner\r\n")
            let (result, connections) = try pod.recorded {
                try pod.python(
                    "show(sys.argv[1], 25, [b'EHLO agent\\r\\n'], first=b'220 banner\\r\\n')",
                    [family.bare]
                )
            }
            #expect(result.output == "served\n", "\(result)")
            #expect(connections[0].verdict == "allow sniff_limit -", "\(connections)")
            #expect(connections[0]["would"] == "deny", "\(connections)")
            #expect(connections[0]["protocol"] == "server_first", "\(connections)")
            withExtendedLifetime(recorder) {}
        }
    }
}
