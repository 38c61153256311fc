import Foundation
import Testing

@Suite("Credentials put in on the way")
struct InterceptionSecretsTests {
    private static let placeholder = "PENSTOCK-MODEL-KEY"
    /// Characters that base 64, percent-encoding and JSON write in other ways.
    private static let secret = "sk-4711/live+key=="
    private static let stars = String(repeating: "*", count: secret.count)

    /// The rule with credentials names the port of plain HTTP, too: its scheme alone keeps them off it.
    private static let rules = """
          - name: model
            match:
              hosts: [allowed.example]
              ports: [8603, 8604]
              protocols: [tls]
              http: { methods: [GET, POST], paths: ["/v1/*"] }
            action: inspect
            credentials:
              - { placeholder: \(placeholder), secret: model, header: Authorization }
          - name: socket
            match: { hosts: [allowed.example], ports: [8603], protocols: [tls], http: { paths: [/socket] } }
            action: inspect
            limits: { request_bytes: 64KiB }
            credentials:
              - { placeholder: \(placeholder), secret: model, header: Authorization }
          - name: others
            match: { hosts: [allowed.example, "*.allowed.example"], ports: [8603, 8604] }
            action: inspect
        """

    @Test("F04, B17: the secret goes up in its header, to its host and path, inside TLS, and nowhere else")
    func bound() throws {
        try with { bed, server in
            let said = try bed.python(
                Self.asking + """
                    say(inside(port=8603), "/v1/plain")
                    say(inside(port=8603), "/other/plain")
                    say(inside("www.allowed.example", 8603), "/v1/plain", "www.allowed.example:8603")
                    say(dial(port=8604), "/v1/plain", "allowed.example:8604")
                    # One connection, as a client keeps it: what was put in once is not put in again.
                    c = inside(port=8603)
                    say(c, "/v1/plain"); say(c, "/other/plain"); say(c, "/v1/plain", more=("Authorization: Bearer " + P,))
                    say(c, "/v1/plain", fields=("X-Key: " + P,))
                    say(c, "/v1/plain?key=" + P, fields=())
                    say(c, "/v1/plain", fields=("Authorization: Bearer x" + P,))
                    say(c, "/v1/plain", fields=("Authorization: Bearer " + P[:-1],))
                    """
            )
            let bearer = "Bearer \(Self.placeholder)"
            let arrived = server.output.split(separator: "\n").filter { $0.hasPrefix("asked ") }.map(String.init)
            #expect(
                arrived == [
                    "asked allowed.example:8603 /v1/plain Bearer \(Self.secret) | -",
                    "asked allowed.example:8603 /other/plain \(bearer) | -",
                    "asked www.allowed.example:8603 /v1/plain \(bearer) | -",
                    "asked allowed.example:8604 /v1/plain \(bearer) | -",
                    "asked allowed.example:8603 /v1/plain Bearer \(Self.secret) | -",
                    "asked allowed.example:8603 /other/plain \(bearer) | -",
                    "asked allowed.example:8603 /v1/plain \(bearer), \(bearer) | -",
                    "asked allowed.example:8603 /v1/plain - | \(Self.placeholder)",
                    "asked allowed.example:8603 /v1/plain?key=\(Self.placeholder) - | -",
                    "asked allowed.example:8603 /v1/plain Bearer x\(Self.placeholder) | -",
                    "asked allowed.example:8603 /v1/plain \(bearer.dropLast()) | -",
                ],
                "\(server.output)"
            )
            #expect(said.first == "200 Bearer \(Self.stars)", "\(said)")
            #expect(said[1] == "200 \(bearer)" && said[3] == "200 \(bearer)", "\(said)")
            let requests = try bed.requests(11)
            let names = requests.map { ($0.decision.members["credentials"] as? [String] ?? []).joined(separator: ",") }
            #expect(names == ["model", "", "", "", "model", "", "", "", "", "", ""], "\(requests)")
            let noted = requests.map { $0["detail"] == "placeholder_misplaced" }
            #expect(noted[7] && noted[8] && !noted[0] && !noted[4], "\(requests)")
            try expectSilence(bed, said)
        }
    }

    @Test("F04: a server that sends the secret back sends asterisks, in whatever form and pieces it does")
    func scrubbed() throws {
        try with { bed, server in
            let said = try bed.python(
                Self.asking + """
                    c = inside(port=8603)
                    for style in ("plain", "pieces", "percent", "json", "base64", "header", "trailer", "quote", "unicode"):
                        say(c, "/v1/" + style)
                    basic = base64.b64encode(("user:" + P).encode()).decode()
                    say(c, "/v1/plain", fields=("Authorization: Basic " + basic,))
                    say(c, "/v1/gzip", fields=("Authorization: Bearer " + P, "Accept-Encoding: gzip"))
                    """
            )
            let body = "Bearer \(Self.stars)"
            #expect(said.count == 11, "\(said)")
            #expect(said[0] == "200 \(body)" && said[1] == "200 \(body)", "\(said)")
            #expect(said[5] == "200 \(body) as a header" && said[6] == "200 x X-Said: \(body)", "\(said)")
            // Three characters are percent-encoded, the slash is not; then all are escaped.
            #expect(said[7] == "200 Bearer%20\(String(repeating: "*", count: Self.secret.count + 6))", "\(said)")
            #expect(said[8].hasSuffix(#"\u0020"# + String(repeating: "*", count: 6 * Self.secret.count)), "\(said)")
            #expect(said[10].hasPrefix("502 ") && said[10].contains("coded_answer"), "\(said)")
            let forms = [
                Self.secret, "sk-4711%2Flive", #"sk-4711\/live"#, "sk-4711", "live+key",
                Data(Self.secret.utf8).base64EncodedString(), Data("user:\(Self.secret)".utf8).base64EncodedString(),
                "c2stNDcxM", "NDcxMS9saXZl", "live%2Bkey", #"\u0034\u0037"#,
            ]
            let told = forms.filter { form in said.contains { $0.contains(form) } }
            #expect(told.isEmpty, "\(said)")
            let basic = "Basic " + Data("user:\(Self.secret)".utf8).base64EncodedString()
            #expect(server.output.contains(" /v1/plain \(basic) "), "\(server.output)")
            // No coding is asked for: what is coded could not be searched.
            let codings = Set(server.output.split(separator: "\n").filter { $0.hasPrefix("coding ") })
            #expect(codings == ["coding identity"], "\(server.output)")
            let requests = try bed.requests(11)
            let details = requests.prefix(10).map { $0.end?["detail"] ?? "-" }
            #expect(details == Array(repeating: "secret_in_answer", count: 10), "\(requests)")
            try expectSilence(bed, said)
        }
    }

    @Test("F04: WebSocket frames are searched, and where a message is denied both sides hear of it between two of them")
    func webSocket() throws {
        try with { bed, server in
            let said = try bed.python(
                Self.asking + """
                    def frame(first, n): return bytes([first, 0xfe]) + n.to_bytes(2, "big") + bytes(4 + n)
                    c = inside(port=8603)
                    c.send(*get("/socket", "allowed.example:8603"), "Authorization: Bearer " + P, "Connection: Upgrade",
                        "Upgrade: websocket")
                    c.until(b"\\r\\n\\r\\n"); print(c.take(\(9 + Self.stars.count))[2:].decode())
                    c.raw(frame(1, 65500)); time.sleep(0.3); c.raw(frame(0, 200)); print(c.end().encode("latin-1").hex())
                    """
            )
            #expect(said == ["Bearer \(Self.stars)", "880203f0"], "\(said) \(server.output)")
            #expect(server.waitForOutput("told 03e9"), "\(server.output)")
            let record = try bed.requests(1)[0]
            #expect(record.end?["reason"] == "request_too_large", "\(record)")
            try expectSilence(bed, said)
        }
    }

    /// The secret is in no record, no word of the daemon's, no metric, and nothing that the agent saw.
    private func expectSilence(_ bed: InterceptedPod, _ said: [String], _ place: SourceLocation = #_sourceLocation)
        throws
    {
        let folder = bed.pod.auditFile.deletingLastPathComponent()
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        var texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
        texts += said + [bed.pod.daemon.output, bed.pod.daemon.errors, try bed.pod.metrics()]
        // Digits alone would be found in some hash now and then.
        for form in [Self.secret, "sk-4711", "live+key", Data(Self.secret.utf8).base64EncodedString()] {
            let telling = texts.filter { $0.contains(form) }
            #expect(telling.isEmpty, "\(form)", sourceLocation: place)
        }
    }

    /// A pod whose daemon has the secret, and a server that sends back what it was sent: TLS on 8603, plain on 8604.
    private func with(_ body: (InterceptedPod, BackgroundProcess) throws -> Void) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "nsec-secret-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Data(Self.secret.utf8).write(to: URL(filePath: file))
        try NetworkNamespace.must(["sh", "-ec", "chown 10880 \(file); chmod 400 \(file)"])
        let settings = "secrets: { model: { file: \(file), hosts: [allowed.example] } }"
        try InterceptedPod.with(Self.rules, settings: settings) { bed in
            let server = try bed.pod.net.world.start(
                ["/usr/bin/python3", "-u", "-c", Self.server, bed.files.path("sound.pem"), bed.files.path("sound.key")]
            )
            guard server.waitForOutput("ready") else { throw EgressWorld.Failed(what: "\(server.errors)") }
            try body(bed, server)
        }
    }

    /// Asks with the placeholder, and prints what was answered: in the body, the header `X-Said` and the trailer.
    private static let asking = """
        import base64
        P = "\(placeholder)"
        def say(c, path, host="allowed.example:8603", fields=("Authorization: Bearer " + P,), more=()):
            status, head, body = c.ask(*get(path, host), *fields, *more)
            words = (body.decode("latin-1"), head.get("x-said"), head.get("trailer"))
            print(status, *(word for word in words if word))

        """ + "\n"

    private static let server = """
        import base64, gzip, http.server, json, ssl, sys, threading, urllib.parse
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *words): pass
            def piece(self, data): self.wfile.write(b"%x\\r\\n%s\\r\\n" % (len(data), data)); self.wfile.flush()
            def socket(self, sent):
                self.wfile.write(b"HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n")
                self.wfile.write(bytes([0x81, len(sent)]) + sent); said = b""
                while data := self.connection.recv(65536): said += data
                last = said[-8:]; self.close_connection = True
                print("told", bytes(o ^ m for o, m in zip(last[6:], last[2:6])).hex(), flush=True)
            def do_GET(self):
                sent = ", ".join(self.headers.get_all("Authorization") or ["-"])
                print("asked", self.headers["Host"], self.path, sent, "|", self.headers.get("X-Key", "-"), flush=True)
                if self.path.startswith("/v1/") and "4711" in sent: print("coding", self.headers.get("Accept-Encoding"), flush=True)
                if self.path == "/socket": return self.socket(sent.encode())
                style = urllib.parse.urlsplit(self.path).path.rpartition("/")[2]
                body = {"percent": urllib.parse.quote(sent, safe=""), "json": json.dumps(sent).replace("/", "\\\\/"), "header": "",
                    "quote": urllib.parse.quote(sent), "unicode": "".join("\\\\u%04x" % ord(c) for c in sent),
                    "base64": base64.b64encode(sent.encode()).decode()}.get(style, sent).encode()
                self.send_response(200)
                if style in ("pieces", "trailer"):
                    self.send_header("Transfer-Encoding", "chunked"); self.end_headers()
                    for n in range(len(body) if style == "pieces" else 0): self.piece(body[n:n + 1])
                    if style == "pieces": self.wfile.write(b"0\\r\\n\\r\\n")
                    else: self.piece(b"x"); self.wfile.write(b"0\\r\\nX-Said: " + body + b"\\r\\n\\r\\n")
                    return
                if style == "gzip": body = gzip.compress(body); self.send_header("Content-Encoding", "gzip")
                if style == "header": self.send_header("X-Said", sent + " as a header")
                self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); context.load_cert_chain(*sys.argv[1:])
        plain = http.server.ThreadingHTTPServer(("0.0.0.0", 8604), Handler)
        threading.Thread(target=plain.serve_forever, daemon=True).start()
        server = http.server.ThreadingHTTPServer(("0.0.0.0", 8603), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("ready", flush=True); server.serve_forever()
        """
}
