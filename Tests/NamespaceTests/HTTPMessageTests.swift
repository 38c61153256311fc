import Foundation
import Testing

@Suite("What HTTP/1 messages become on their way")
struct HTTPMessageTests {
    @Test("bodies pass both ways in every framing, their framing written anew", arguments: EgressFamily.allCases)
    func framing(family: EgressFamily) throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial("\(family.allowed)")
                s, h, b = c.ask(*get("/echo", method="POST"), "Content-Length: 5", body=b"hello"); print(json.loads(b)["body"])
                c.send(*get("/echo", method="POST"), "Transfer-Encoding: chunked")
                for piece in (b"5;a=b\\r\\nhel", b"lo\\r\\n1\\r\\n \\r\\n00005\\r\\nworld\\r\\n", b"0;c\\r\\nX-Sum: 7\\r\\n", b"\\r\\n"):
                    c.raw(piece); time.sleep(0.05)
                s, h, b = c.read(); print(json.loads(b)["body"], json.loads(b)["trailers"])
                s, h, b = c.ask(*get("/chunked")); print(b.decode(), h.get("transfer-encoding"), h.get("trailer"), sep="|")
                print(c.ask(*get("/none"))[0], c.ask(*get("/same"))[:1], c.ask(*get("/x", method="HEAD"), to="HEAD")[0])
                s, h, b = c.ask(*get("/hints")); print(s, h.get("link")); s, h, b = c.read(); print(s, b.decode())
                s, h, b = c.ask(*get("/close")); print(b.decode(), h.get("connection"))
                old = dial("\(family.allowed)")
                s, h, b = old.ask(*get("/x", version="1.0"), "Connection: keep-alive"); print(s, h.get("connection"))
                s, h, b = old.ask(*get("/hints", version="1.0"), "Connection: keep-alive"); print(s, b.decode())
                s, h, b = old.ask(*get("/chunked", version="1.0"), "Connection: keep-alive")
                print(b.decode(), h.get("transfer-encoding"), h.get("connection"), sep="|")
                print(dial("\(family.allowed)").ask(*get("/x", version="1.0"))[1].get("connection"))
                """
            )
            #expect(
                said == [
                    "hello", "hello world []", "hello world|chunked|X-End: 1", "204 (304,) 200", "103 </a>",
                    "200 hinted", "until the end close", "200 keep-alive", "200 hinted", "hello world|None|close",
                    "close",
                ]
            )
            // What came upwards is chunked by us: no extension passes.
            let sent = bed.origin.visits(1).map(\.data).joined()
            // In one piece or two, as it came.
            let forms = ["3\r\nhel\r\n2\r\nlo\r\n", "\r\n5\r\nhello\r\n", "\r\nb\r\nhello world\r\n"]
            let isChunked = forms.contains { sent.contains($0) }
            #expect(isChunked && !sent.contains(";a=b") && !sent.contains("00005"), "\(sent)")
            let requests = try bed.requests(11)
            let outcomes = Set(requests.map { $0.end?["outcome"] ?? "none" })
            #expect(outcomes == ["closed"], "\(requests)")
        }
    }

    @Test("fields of one hop stay behind, Alt-Svc too; all others pass as they are")
    func fields() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial()
                s, h, b = c.ask(*get("/echo"), "Connection: X-Mine, keep-alive", "X-Mine: 1", "Proxy-Authorization: Basic eDp5",
                    "Proxy-Connection: keep-alive", "Keep-Alive: 5", "TE: gzip", "X-Other:  two  words ", "X-Other: again",
                    "X-Forwarded-For: 1.2.3.4", "Cookie: a=b")
                print(*json.loads(b)["fields"], sep="|")
                s, h, b = c.ask(*get("/hop")); print(sorted(h))
                """
            )
            try #require(said.count == 2, "\(said)")
            #expect(
                said[0]
                    == "Host: allowed.example:8080|X-Other: two  words|X-Other: again|X-Forwarded-For: 1.2.3.4|Cookie: a=b"
            )
            #expect(said[1] == "['content-length', 'x-end-to-end']")
        }
    }

    @Test("100-continue: the word to go on comes from the server, and without it the connection ends")
    func expectContinue() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial()
                put = lambda path: get(path, method="PUT") + ("Content-Length: 4", "Expect: 100-continue")
                print(c.ask(*put("/echo"))[0]); c.raw(b"body"); print(json.loads(c.read()[2])["body"])
                s, h, b = c.ask(*put("/echo?netty")); print(s, h); c.raw(b"body"); print(json.loads(c.read()[2])["body"])
                print(c.ask(*put("/silent"), body=b"body")[0])
                s, h, b = c.ask(*put("/final")); print(s, h.get("connection"), c.end())
                c = dial(); print(why(c.ask(*get("/x"), "Expect: something")))
                """
            )
            #expect(said == ["100", "body", "100 {}", "body", "200", "403 close closed", "400 malformed_opening"])
        }
    }

    @Test("an answer may come before the request is whole, or while it still goes up")
    func earlyAnswers() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial()
                c.send(*get("/duplex", method="POST"), "Transfer-Encoding: chunked")
                print(c.until(b"\\r\\n\\r\\n").split(b" ")[1].decode())
                for word in (b"one", b"two"):
                    c.raw(b"3\\r\\n" + word + b"\\r\\n"); print(c.until(b"\\r\\n"), c.until(b"\\r\\n"))
                c.raw(b"0\\r\\n\\r\\n"); print(c.until(b"0\\r\\n\\r\\n")); print(why(c.ask(*get("/x"))))
                c = dial()
                c.send(*get("/early", method="POST"), "Content-Length: 100000000")
                s, h, b = c.read(); print(s, b.decode(), h.get("connection"))
                c = dial()
                c.send(*get("/early", method="POST"), "Content-Length: 20000000")
                # Who says all of it before looking for an answer gets it as well.
                for _ in range(20): c.raw(bytes(1000000))
                print(c.read()[0], c.end())
                """
            )
            #expect(said == ["200", "b'3' b'ONE'", "b'3' b'TWO'", "b''", "200", "413 too much close", "413 closed"])
        }
    }

    @Test(
        "B06: an upgrade is judged as a request, then both sides may say anything; to h2c it is passed over",
        arguments: EgressFamily.allCases
    )
    func upgrades(family: EgressFamily) throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                up = lambda name, host="allowed.example:8080": get("/upgrade", host) + ("Connection: Upgrade", "Upgrade: " + name)
                c = dial("\(family.allowed)")
                print(why(c.ask(*get("/x"))))
                print(why(c.ask(*up("websocket", "denied.example:8080"))))
                c.send(*up("websocket"), body=b"early "); print(c.until(b"\\r\\n\\r\\n").decode().replace("\\r\\n", "|"))
                print(c.take(13)); c.raw(bytes([0, 255]) + b"raw"); print(c.take(5))
                c.s.shutdown(socket.SHUT_WR); print(c.end())
                h2c = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
                c = dial("\(family.allowed)"); print(*json.loads(c.ask(*get("/echo"), *h2c)[2])["fields"])
                # The server changes the protocol all the same.
                print(why(c.ask(*get("/say", method="POST"), "Content-Length: 70", *h2c,
                    body=b"HTTP/1.1 101 Switching\\r\\nConnection: upgrade\\r\\nUpgrade: h2c\\r\\nX: yyyy\\r\\n\\r\\n")))
                c = dial("\(family.allowed)"); print(why(c.ask(*up("websocket, h2c"))), c.end())
                c = dial("\(family.allowed)"); print(why(c.ask(*get("/x"))), why(c.ask("CONNECT denied.example:443 HTTP/1.1", "Host: denied.example:443")))
                c = dial("\(family.allowed)"); print(why(c.ask(*get("/x"))), why(c.ask("GET http://allowed.example:8080/ HTTP/1.1", "Host: allowed.example:8080")))
                """
            )
            #expect(
                said == [
                    "200", "403 rule_deny",
                    "HTTP/1.1 101 Switching Protocols|Upgrade: websocket|Connection: upgrade",
                    "b'welcomeEARLY '", "b'\\x00\\xffRAW'", "closed", "Host: allowed.example:8080",
                    "502 upstream_failed", "400 malformed_request closed", "200 403 proxy_in_capture",
                    "200 403 proxy_in_capture",
                ]
            )
            let requests = try bed.requests(10)
            let upgraded = requests.first { $0.end?["status"] == "101" }
            #expect(upgraded?.end?["outcome"] == "closed", "\(requests)")
            let upgrades = requests.count { $0["detail"] == "h2c_upgrade" }
            #expect(upgrades == 1)
        }
    }

    @Test("B06: Java's HttpClient, which offers h2c with its first request, is answered")
    func java() throws {
        try HTTPPod.with { bed in
            let client = try bed.pod.startAgent([
                "sh", "-c",
                """
                place=$(mktemp -d) && cd $place && cat > Ask.java <<'END'
                import java.net.URI; import java.net.http.*;
                public class Ask {
                    public static void main(String[] words) throws Exception {
                        var client = HttpClient.newHttpClient();
                        for (var path : new String[] {"/a", "/b"}) {
                            var request = HttpRequest.newBuilder(URI.create("http://allowed.example:8080" + path)).build();
                            var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                            System.out.println(answer.statusCode() + " " + answer.body());
                        }
                    }
                }
                END
                java -Djava.io.tmpdir=$place Ask.java; rm -rf $place
                """,
            ])
            let result = client.wait(seconds: 90)
            #expect(result.output.hasSuffix("200 GET /a\n200 GET /b\n"), "\(result)")
            let sent = bed.origin.visits(1).map(\.data).joined().lowercased()
            #expect(!sent.contains("upgrade") && !sent.contains("http2-settings"), "\(sent)")
            let verdicts = try bed.requests(2).map(\.verdict)
            #expect(verdicts == ["allow rule_allow allowed-names", "allow rule_allow allowed-names"])
        }
    }

    @Test("B08: what a server says beside the rules, and nobody reads in two ways, is passed on as they have it")
    func sloppyServers() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial()
                def say(*lines):
                    text = "\\r\\n".join(lines).encode()
                    return c.ask(*get("/say", method="POST"), "Content-Length: %d" % len(text), body=text)
                chunked = ("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "")
                s, h, b = say(*chunked, "4 ", "body", "0 ;x", "Cache-Control: no-store", "X-Sum: 1", "", "")
                print(s, b.decode(), h.get("trailer"))
                s, h, b = say("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked", "", "0", "", ""); print(s, h)
                print(why(c.ask(*get("/x"))))
                # Broken before anything of it has gone down.
                print(why(say(*chunked, "4 4", "body", "0", "", "")));
                """
            )
            #expect(said == ["200 body X-Sum: 1", "204 {}", "200", "502 upstream_failed"], "\(said)")
            let outcomes = try bed.requests(4).map { $0.end?["outcome"] ?? "-" }
            #expect(outcomes == ["closed", "closed", "closed", "upstream_failed"])
        }
    }

    @Test("a server that fails is answered for with 502, and the next request goes on")
    func upstreamFails() throws {
        try HTTPPod.with(names: ["dead.allowed.example": ["203.0.113.99"]]) { bed in
            try bed.pod.net.world.shell(
                "nft 'add table inet dead; add chain inet dead in { type filter hook prerouting priority 0; }; "
                    + "add rule inet dead in ip daddr 203.0.113.99 tcp flags syn reject with tcp reset'"
            )
            let said = try bed.agent(
                """
                c = dial()
                for path in ("/dead", "/garbage"): print(why(c.ask(*get(path))))
                print(why(c.ask(*get("/x", "dead.allowed.example:8080"))), why(c.ask(*get("/x"))))
                s, h, b = c.ask(*get("/once")); time.sleep(0.3); print(b, why(c.ask(*get("/x"))))
                s, h, b = c.ask(*get("/once-late")); print(b, why(c.ask(*get("/x"))))
                s, h, b = c.ask(*get("/once-late")); print(b, why(c.ask(*get("/x", method="POST"), "Content-Length: 1", body=b"x")))
                c = dial(); c.send(*get("/short"))
                try: c.read()
                except (OSError, EOFError): print("short")
                c = dial(); print(c.ask(*get("/twice"))[2], time.sleep(0.1) or c.ask(*get("/x"))[2])
                """
            )
            #expect(
                said == [
                    "502 upstream_failed", "502 upstream_failed", "502 upstream_failed 200", "b'once' 200",
                    // A second asking is no harm for GET; for POST it could be.
                    "b'once' 200", "b'once' 502 upstream_failed", "short", "b'one' b'GET /x'",
                ]
            )
            let outcomes = Set(try bed.requests(13).compactMap { $0.end?["outcome"] })
            #expect(outcomes == ["closed", "upstream_failed", "reset"])
        }
    }

    @Test("the end of a request that was sent again counts what was sent of it before, whoever answered at last")
    func repeated() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial(); c.ask(*get("/once-late")); print(why(c.ask(*get("/once")))); c.s.close(); time.sleep(0.3)
                c = dial(); c.ask(*get("/once-late")); print(why(c.ask(*get("/dead")))); c.s.close()
                """
            )
            #expect(said == ["200", "502 upstream_failed"])
            let sums = try bed.requests(4).reduce(into: [String: Int]()) { sums, request in
                sums[request["connection"] ?? "-", default: 0] += Int(request.end?["bytes_up"] ?? "") ?? 0
            }
            let totals = try bed.pod.connections(2).reduce(into: [String: Int]()) { totals, connection in
                totals[connection["id"] ?? "?"] = Int(connection.end?["bytes_up"] ?? "")
            }
            #expect(totals == sums)
            let arrived = bed.origin.visits(4).reduce(0) { $0 + $1.data.utf8.count }
            #expect(sums.values.reduce(0, +) == arrived)
        }
    }
}
