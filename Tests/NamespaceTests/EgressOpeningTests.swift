import Testing

@Suite("What the first bytes say")
struct EgressOpeningTests {
    static let denied = "deny default_deny -"
    static let allowed = "allow rule_allow allowed-names"
    static let malformed = "deny malformed_name -"

    /// A hello with this name, which is refused as no name.
    static func refused(_ name: String, _ pieces: String, _ detail: String) -> EgressCase {
        EgressCase(name: name, pieces: pieces, sees: "alert 49", verdict: malformed, detail: detail)
    }

    /// A hello that is let through.
    static func passed(_ name: String, _ pieces: String, sni: String = "allowed.example", options: String = "")
        -> EgressCase
    {
        EgressCase(name: name, pieces: pieces, options: options, sees: "served", verdict: allowed, sni: sni)
    }

    static let names: [EgressCase] = [
        passed("as it is", "tls(b'allowed.example')"),
        passed("upper case", "tls(b'ALLOWED.Example')"),
        passed("a trailing dot", "tls(b'allowed.example.')"),
        passed("an A-label", "tls(b'xn--bcher-kva.allowed.example')", sni: "xn--bcher-kva.allowed.example"),
        EgressCase(
            name: "a denied name",
            pieces: "tls(b'denied.example')",
            sees: "alert 49",
            verdict: "deny rule_deny denied-names",
            sni: "denied.example"
        ),
        EgressCase(
            name: "a denied name in capitals, with a dot",
            pieces: "tls(b'Denied.EXAMPLE.')",
            sees: "alert 49",
            verdict: "deny rule_deny denied-names",
            sni: "denied.example"
        ),
        EgressCase(
            name: "a homograph",
            pieces: "tls(b'xn--llowed-6nf.example')",
            sees: "alert 49",
            verdict: denied,
            sni: "xn--llowed-6nf.example"
        ),
        EgressCase(
            name: "an allowed name as the beginning of another",
            pieces: "tls(b'allowed.example.attacker.example')",
            sees: "alert 49",
            verdict: denied,
            sni: "allowed.example.attacker.example"
        ),
        EgressCase(
            name: "an allowed name as the end of another label",
            pieces: "tls(b'notallowed.example')",
            sees: "alert 49",
            verdict: denied,
            sni: "notallowed.example"
        ),
        EgressCase(
            name: "253 octets, the most that a name has",
            pieces: "tls(b'x.' * 118 + b'x' + b'.allowed.example')",
            sees: "alert 49",
            verdict: "deny unresolvable allowed-names",
            sni: String(repeating: "x.", count: 118) + "x.allowed.example"
        ),
        EgressCase(name: "no name", pieces: "tls()", sees: "alert 49", verdict: denied),
        refused(
            "NUL before a denied ending",
            "tls(b'allowed.example' + bytes(1) + b'.denied.example')",
            "control_octet (31 octets)"
        ),
        refused(
            "NUL before an allowed ending",
            "tls(b'denied.example' + bytes(1) + b'.allowed.example')",
            "control_octet (31 octets)"
        ),
        refused("a control octet", "tls(b'allowed' + bytes([1]) + b'.example')", "control_octet (16 octets)"),
        refused("DEL", "tls(b'allowed' + bytes([127]) + b'.example')", "control_octet (16 octets)"),
        refused("a line break", "tls(b'allowed.example' + bytes([13, 10]))", "control_octet (17 octets)"),
        refused("two trailing dots", "tls(b'allowed.example..')", "bad_label (17 octets)"),
        refused("an underscore", "tls(b'a_b.allowed.example')", "not_ldh (19 octets)"),
        refused("percent-encoding", "tls(b'%61llowed.example')", "not_ldh (17 octets)"),
        refused("a space", "tls(b'allowed.example ')", "not_ldh (16 octets)"),
        refused("IDN as UTF-8", "tls('b\u{fc}cher.allowed.example'.encode())", "not_ldh (23 octets)"),
        refused("a port behind the name", "tls(b'allowed.example:443')", "address_literal (19 octets)"),
        refused("254 octets", "tls(b'x.' * 119 + b'allowed.example' + b'x')", "too_long (254 octets)"),
        refused("over 255 octets", "tls(b'x.' * 200 + b'allowed.example')", "too_long (415 octets)"),
        refused("an IPv4 address", "tls(b'203.0.113.10')", "address_literal (12 octets)"),
        refused("an IPv4 address in one number", "tls(b'3405803786')", "address_literal (10 octets)"),
        refused("an IPv4 address in hexadecimal", "tls(b'0xcb.0.0x71.0xa')", "address_literal (15 octets)"),
        refused("an IPv6 address", "tls(b'2001:db8:113::10')", "address_literal (16 octets)"),
        refused("an empty name", "tls(b'')", "empty (0 octets)"),
        refused("a dot alone", "tls(b'.')", "empty (1 octets)"),
        refused(
            "two names, the allowed one first",
            "tls(sni=server_name((0, b'allowed.example'), (0, b'denied.example')))",
            "several_names (2)"
        ),
        refused(
            "two names, the allowed one last",
            "tls(sni=server_name((0, b'denied.example'), (0, b'allowed.example')))",
            "several_names (2)"
        ),
        refused(
            "the allowed name, and one of another type",
            "tls(sni=server_name((0, b'allowed.example'), (7, b'x')))",
            "several_names (2)"
        ),
        refused("an empty list", "tls(sni=server_name())", "empty_list"),
        refused("a name of another type", "tls(sni=server_name((1, b'allowed.example')))", "name_type (1)"),
    ]

    @Test("B03: a name is taken in one form or refused, never repaired", arguments: EgressFamily.allCases)
    func serverNames(family: EgressFamily) throws {
        let names = ["xn--bcher-kva.allowed.example": ["203.0.113.10", "2001:db8:113::10"]]
        try GuardedPod.with(names: names) { pod in
            let recorder = try EgressRecorder(pod, port: 8443)
            try pod.expect(Self.names, at: family.allowed, port: 8443, recorder)
            #expect(try pod.world.arrivals(at: family.denied) == 0)
        }
    }

    /// `detail` of a hello that is broken or does not end.
    static func broken(
        _ name: String,
        _ pieces: String,
        _ detail: String,
        options: String = "",
        sees: String = "reset"
    ) -> EgressCase {
        EgressCase(
            name: name,
            pieces: pieces,
            options: options,
            sees: sees,
            verdict: "deny malformed_opening -",
            detail: detail
        )
    }

    static let hellos: [EgressCase] = [
        passed("in segments of one octet", "single(tls(b'allowed.example')[0])", options: "pause=0.001"),
        passed("in records of one octet", "[records(hello(b'allowed.example'), size=1)]"),
        passed(
            "in records of one octet, each octet in a segment",
            "single(records(hello(b'allowed.example'), size=5))",
            options: "pause=0.0005"
        ),
        passed("over 16 KB, in several records", "tls(b'allowed.example', more=ext(21, bytes(20000)))"),
        passed(
            "the name behind 20 KB",
            "tls(sni=b'', more=ext(21, bytes(20000)) + server_name((0, b'allowed.example')))"
        ),
        passed("of TLS 1.0", "[records(hello(b'allowed.example', version=0x0301, versions=()))]"),
        passed(
            "with early data behind it",
            "[records(hello(b'allowed.example', more=ext(42, b''))) + record(b'GET / early', 0x0303, 23)]"
        ),
        passed("with GREASE", "tls(b'allowed.example', more=ext(0x0a0a, b'') + ext(0x1a1a, bytes(1)))"),
        EgressCase(
            name: "a denied name in segments of one octet",
            pieces: "single(tls(b'denied.example')[0])",
            options: "pause=0.001",
            sees: "alert 49",
            verdict: "deny rule_deny denied-names",
            sni: "denied.example"
        ),
        EgressCase(
            name: "a denied name with early data behind it",
            pieces: "[records(hello(b'denied.example', more=ext(42, b''))) + record(b'GET / early', 0x0303, 23)]",
            sees: "alert 49",
            verdict: "deny rule_deny denied-names",
            sni: "denied.example"
        ),
        EgressCase(
            name: "of TLS 1.0, without a name",
            pieces: "[records(hello(version=0x0301, versions=()))]",
            sees: "alert 49",
            verdict: denied
        ),
        broken(
            "over 64 KB",
            "tls(b'allowed.example', more=ext(21, bytes(65460)))",
            "hello_too_long"
        ),
        broken(
            "truncated, then the end",
            "[tls(b'allowed.example')[0][:-3]]",
            "truncated",
            options: "end='fin'",
            sees: "alert 49"
        ),
        broken("of SSL 2.0", "[bytes([0x80, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16]) + bytes(37)]", "sslv2_hello"),
        broken(
            "of TLS 1.0 in SSL 2.0's clothes",
            "[bytes([0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16]) + bytes(37)]",
            "sslv2_hello"
        ),
        broken(
            "with two lists of names",
            "tls(b'allowed.example', more=server_name((0, b'denied.example')))",
            "extension_duplicated"
        ),
        broken(
            "with another record in the middle",
            "[record(hello(b'allowed.example')[:9]) + record(b'x', kind=23) + record(hello(b'allowed.example')[9:])]",
            "record_interleaved"
        ),
        broken(
            "with a second message in its record",
            "[record(hello(b'allowed.example') + hello(b'denied.example'))]",
            "hello_trailing_bytes"
        ),
    ]

    static let silent: [EgressCase] = [
        EgressCase(
            name: "truncated, then silence",
            pieces: "[tls(b'allowed.example')[0][:-3]]",
            sees: "reset",
            verdict: "deny sniff_limit -"
        ),
        EgressCase(
            name: "one octet, then silence",
            pieces: "[bytes([22])]",
            sees: "reset",
            verdict: "deny sniff_limit -"
        ),
    ]

    @Test("B05: a hello is reassembled as far as the limits go, and refused beyond", arguments: EgressFamily.allCases)
    func helloTricks(family: EgressFamily) throws {
        // Octet by octet takes its time on a busy machine.
        try GuardedPod.with(settings: "limits: { sniff_seconds: 30 }") { pod in
            let recorder = try EgressRecorder(pod, port: 8443)
            try pod.expect(Self.hellos, at: family.allowed, port: 8443, recorder)
            let early = recorder.visits().contains { $0.data.hasSuffix("474554202f206561726c79") }
            #expect(early, "what follows an allowed hello is relayed whole")
        }
        try GuardedPod.with(settings: "limits: { sniff_seconds: 1 }") { pod in
            try pod.expect(Self.silent, at: family.allowed, port: 8443, try EgressRecorder(pod, port: 8443))
        }
    }

    static func proxied(_ name: String, _ pieces: String, _ detail: String, sees: String = "reset") -> EgressCase {
        EgressCase(name: name, pieces: pieces, sees: sees, verdict: "deny proxy_in_capture -", detail: detail)
    }

    /// Sent to an address that the policy allows whatever is spoken there.
    static let proxyRequests: [EgressCase] = [
        proxied(
            "CONNECT",
            "[b'CONNECT denied.example:443 HTTP/1.1\\r\\nHost: denied.example:443\\r\\n\\r\\n']",
            "connect",
            sees: "403 proxy_in_capture"
        ),
        proxied(
            "absolute-form",
            "[b'GET http://denied.example/ HTTP/1.1\\r\\nHost: denied.example\\r\\n\\r\\n']",
            "absolute_form",
            sees: "403 proxy_in_capture"
        ),
        proxied("SOCKS 4", "[bytes([4, 1, 0, 80, 203, 0, 113, 20]) + b'me' + bytes(1)]", "socks4"),
        proxied(
            "SOCKS 4A",
            "[bytes([4, 1, 0, 80, 0, 0, 0, 1]) + b'me' + bytes(1) + b'denied.example' + bytes(1)]",
            "socks4"
        ),
        proxied("SOCKS 5", "[bytes([5, 1, 0])]", "socks5"),
        proxied("SOCKS 5 in two segments", "[bytes([5]), bytes([2, 0, 2])]", "socks5"),
    ]

    @Test("B06: a proxy request is refused where it was captured", arguments: EgressFamily.allCases)
    func proxyRequest(family: EgressFamily) throws {
        try GuardedPod.with { pod in
            let recorder = try EgressRecorder(pod, port: 3128)
            try pod.expect(Self.proxyRequests, at: family.bare, port: 3128, recorder)
            let proxy = EgressClients.at(family.bare, 3128)
            for (kind, detail) in [("http", "connect"), ("socks4a", "socks4"), ("socks5h", "socks5")] {
                // SOCKS 4 knows no IPv6 destination; the proxy's own address may be of either family.
                let command = ["curl", "-sS", "-m", "15", "-x", "\(kind)://\(proxy)", "https://allowed.example/"]
                let (result, connections) = try pod.recorded { try pod.agent(command) }
                #expect(!result.succeeded && result.status != 28, "\(kind): \(result)")
                #expect(connections[0].verdict == "deny proxy_in_capture -", "\(connections)")
                #expect(connections[0]["detail"] == detail, "\(connections)")
            }
            #expect(recorder.visits().isEmpty)
            #expect(try pod.world.arrivals(at: family.bare) == 0)
        }
    }

    @Test(
        "B06: cleartext HTTP/2 has no name: a rule by address lets it through, a rule by name does not",
        arguments: EgressFamily.allCases
    ) func cleartextHTTP2(family: EgressFamily) throws {
        try GuardedPod.with { pod in
            let recorder = try EgressRecorder(pod, port: 8080)
            // The recorder answers nothing that HTTP/2 knows: curl ends, or gives up.
            let curl = ["curl", "-sS", "-m", "5", "--http2-prior-knowledge"]
            let url = "http://\(EgressClients.at(family.bare, 8080))/"
            let (_, byAddress) = try pod.recorded { try pod.agent(curl + [url]) }
            #expect(byAddress[0].verdict == "allow rule_allow by-address", "\(byAddress)")
            #expect(byAddress[0]["protocol"] == "h2c", "\(byAddress)")
            #expect(recorder.visits(1).first?.data.hasPrefix("505249202a20485454502f322e30") ?? false)
            let named = EgressClients.curl("allowed.example", at: family.allowed, port: 80, ["--http2-prior-knowledge"])
            let (result, byName) = try pod.recorded { try pod.agent(named) }
            #expect(!result.succeeded, "\(result)")
            #expect(byName[0].verdict == "deny default_deny -", "\(byName)")
            #expect(try pod.world.arrivals(at: family.allowed) == 0)
        }
    }
}
