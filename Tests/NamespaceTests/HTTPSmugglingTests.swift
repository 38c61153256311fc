import Foundation
import Testing

@Suite("What could be two requests to somebody else")
struct HTTPSmugglingTests {
    /// A message that servers read in different ways, and why it is refused.
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        /// A Python bytes expression; it stands behind one request that is allowed and in front of one that must not come.
        var message: String
        var detail: String
        var testDescription: String { name }
    }

    private static func head(_ fields: String, _ body: String = "0\\r\\n\\r\\n") -> String {
        "b'POST /x HTTP/1.1\\r\\nHost: allowed.example:8080\\r\\n\(fields)\\r\\n\\r\\n\(body)'"
    }

    static let cases: [Case] = [
        Case(
            name: "CL.TE",
            message: head("Content-Length: 5\\r\\nTransfer-Encoding: chunked"),
            detail: "content_length_with_transfer_encoding"
        ),
        Case(
            name: "TE.CL",
            message: head("Transfer-Encoding: chunked\\r\\nContent-Length: 5"),
            detail: "content_length_with_transfer_encoding"
        ),
        Case(
            name: "TE.TE",
            message: head("Transfer-Encoding: chunked\\r\\nTransfer-Encoding: identity"),
            detail: "transfer_encoding_duplicated"
        ),
        Case(
            name: "TE of another coding",
            message: head("Transfer-Encoding: xchunked"),
            detail: "transfer_encoding_unknown"
        ),
        Case(
            name: "TE behind a tab",
            message: head("Transfer-Encoding\\t: chunked"),
            detail: "whitespace_before_colon"
        ),
        Case(
            name: "two lengths",
            message: head("Content-Length: 5\\r\\nContent-Length: 6"),
            detail: "content_length_duplicated"
        ),
        Case(name: "a list of lengths", message: head("Content-Length: 5, 5"), detail: "content_length_duplicated"),
        Case(name: "a signed length", message: head("Content-Length: +5"), detail: "content_length_invalid"),
        Case(
            name: "a bare line feed",
            message: "b'GET /x HTTP/1.1\\nHost: allowed.example:8080\\n\\n'",
            detail: "bare_line_feed"
        ),
        Case(name: "a bare carriage return", message: head("X: a\\rb"), detail: "bare_carriage_return"),
        Case(name: "a folded line", message: head("X: a\\r\\n Transfer-Encoding: chunked"), detail: "obs_fold"),
        Case(name: "NUL", message: head("X: a\\0b"), detail: "control_octet"),
        Case(name: "two Hosts", message: head("Host: denied.example"), detail: "host_duplicated"),
        Case(
            name: "user information",
            message: "b'GET / HTTP/1.1\\r\\nHost: a@allowed.example\\r\\n\\r\\n'",
            detail: "user_information"
        ),
        Case(name: "no Host", message: "b'GET / HTTP/1.1\\r\\n\\r\\n'", detail: "host_missing"),
        Case(
            name: "an empty line in front",
            message: "b'\\r\\nGET / HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n'",
            detail: "leading_empty_line"
        ),
        Case(
            name: "a fragment",
            message: "b'GET /#x HTTP/1.1\\r\\nHost: allowed.example\\r\\n\\r\\n'",
            detail: "fragment_in_target"
        ),
    ]

    static let hidden = "b'GET /hidden HTTP/1.1\\r\\nHost: denied.example\\r\\n\\r\\n'"

    @Test(
        "B07, B08: each ambiguity is refused with its reason, and neither it nor what hides behind it reaches a server"
    )
    func ambiguities() throws {
        try HTTPPod.with { bed in
            let tries = Self.cases.map { "go(\($0.message))" }.joined(separator: "\n")
            let said = try bed.agent(
                """
                def go(message):
                    c = dial(); c.raw(b"".join(l.encode() + b"\\r\\n" for l in get("/first")) + b"\\r\\n" + message + \(Self.hidden))
                    first = c.read(); second = c.read()
                    try: after = c.end()
                    except EOFError: after = "closed"
                    print(first[0], why(second), second[1].get("connection"), after)
                \(tries)
                """
            )
            #expect(said == Array(repeating: "200 400 malformed_request close closed", count: Self.cases.count))
            let requests = try bed.requests(2 * Self.cases.count)
            let refused = requests.filter { $0["decision"] == "deny" }
            let details = refused.map { $0["detail"] }
            let due = Self.cases.map(\.detail)
            #expect(details == due, "\(refused)")
            // To the byte: what went up is the first request of each connection, and nothing else.
            let visits = bed.origin.visits(Self.cases.count)
            #expect(visits.count == Self.cases.count)
            #expect(Set(visits.map(\.data)) == ["GET /first HTTP/1.1\r\nHost: allowed.example:8080\r\n\r\n"])
        }
    }

    @Test("B08: a body whose chunks are broken is cut, and the server never sees it end")
    func brokenChunks() throws {
        try HTTPPod.with { bed in
            let bodies = [
                "b'5\\r\\nhelloX\\r\\n0\\r\\n\\r\\n'", "b'5\\nhello\\n0\\n\\n'", "b'-5\\r\\nhello\\r\\n0\\r\\n\\r\\n'",
                "b'0x5\\r\\nhello\\r\\n0\\r\\n\\r\\n'",
                "b'ffffffffffffffff1\\r\\n'", "b'5 \\r\\nhello\\r\\n0\\r\\n\\r\\n'",
                "b'0\\r\\nContent-Length: 5\\r\\n\\r\\n'", "b'0\\r\\nHost: denied.example\\r\\n\\r\\n'",
            ]
            let tries = bodies.map { "go(\($0))" }.joined(separator: "\n")
            let said = try bed.agent(
                """
                def go(body):
                    c = dial(); c.send(*get("/echo", method="POST"), "Transfer-Encoding: chunked", body=body + \(Self.hidden))
                    try: print(why(c.read()), c.end())
                    except (OSError, EOFError) as error: print(type(error).__name__)
                \(tries)
                """
            )
            #expect(said == Array(repeating: "400 malformed_request closed", count: bodies.count))
            let visits = bed.origin.visits()
            let smuggled = visits.filter { $0.data.contains("0\r\n\r\n") || $0.data.contains("hidden") }
            #expect(smuggled.isEmpty, "\(visits)")
            let requests = try bed.requests(bodies.count)
            let reasons = Set(requests.map { $0.end?["reason"] })
            #expect(reasons == ["malformed_request"], "\(requests)")
        }
    }

    @Test("B08: an answer that could be two is not passed on")
    func responses() throws {
        try HTTPPod.with { bed in
            let said = try bed.agent(
                """
                c = dial()
                for path in ("/garbage", "/dead"): print(why(c.ask(*get(path))))
                """
            )
            #expect(said == ["502 upstream_failed", "502 upstream_failed"])
            let requests = try bed.requests(2)
            #expect(requests.first?.end?["detail"] == "content_length_duplicated", "\(requests)")
        }
    }

    @Test("one octet a second, either way, holds little memory")
    func slowPeers() throws {
        try HTTPPod.with(settings: "workers: 1") { bed in
            #expect(try bed.agent("print(why(dial().ask(*get('/a'))))") == ["200"])
            let before = try bed.daemonMemory()
            let agent = try bed.startAgent(
                """
                readers, writers = [], []
                for _ in range(50):
                    c = dial(); c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096); c.send(*get("/big?400000000")); readers.append(c)
                    w = dial(); w.send(*get("/unread", method="POST"), "Content-Length: 400000000"); w.s.setblocking(False); writers.append(w)
                def push():
                    for w in writers:
                        try:
                            while True: w.s.send(bytes(65536))
                        except OSError: pass
                for _ in range(6):
                    push(); time.sleep(0.25)
                    for c in readers: c.s.recv(1)
                print("ready", flush=True); time.sleep(20)
                """
            )
            let after = try bed.daemonMemory()
            // A buffer for each direction that waits, and what the sockets and tasks themselves take.
            let each = (after - before) / 100
            #expect(each < 128 * 1024, "\(each) octets for each slow peer")
            agent.stop()
        }
    }

    @Test("G07: requests that follow each other without a pause hold no more than the one in hand")
    func endlessPipeline() throws {
        try HTTPPod.with(settings: "workers: 1") { bed in
            let before = try bed.daemonMemory(atMost: true)
            let said = try bed.agent(
                """
                import threading
                c = dial()
                def drain():
                    try:
                        while c.s.recv(1 << 20): pass
                    except OSError: pass
                threading.Thread(target=drain, daemon=True).start()
                one = b"".join(l.encode() + b"\\r\\n" for l in get("/x", host="denied.example:8080")) + b"X: %s\\r\\n" % (b"a" * 7000) * 8 + b"\\r\\n"
                # Never does a piece end where a request does.
                c.raw(one[:5000])
                for _ in range(2000): c.raw(one[5000:] + one[:5000])
                print("sent")
                """
            )
            #expect(said == ["sent"])
            let grown = try bed.daemonMemory(atMost: true) - before
            #expect(grown < 32 << 20, "\(grown) octets for one connection")
        }
    }
}
