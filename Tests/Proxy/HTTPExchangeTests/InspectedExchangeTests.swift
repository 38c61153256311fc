import ContentInspection
import Testing

@Suite("Exchanges under inspection") struct InspectedExchangeTests {
    private static let post = "POST /a HTTP/1.1\r\nHost: a.example\r\n"
    private static let ok = "HTTP/1.1 200 OK\r\n"
    private static let plain = ok + "Content-Length: 2\r\n\r\nok"

    @Test(
        "what nobody denies passes as it came, whatever its framing",
        arguments: [
            ("Content-Length: 5\r\n\r\nhello", "Content-Length: 5\r\n\r\nthere"),
            (
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n5\r\nthere\r\n0\r\nX: 1\r\n\r\n"
            ),
            ("Content-Length: 0\r\n\r\n", "Content-Length: 0\r\n\r\n"),
        ],
        [false, true]
    )
    func passes(bodies: (request: String, answer: String), needsWhole: Bool) async throws {
        let watch = Watch(up: "secret", down: "secret", needsWhole: needsWhole)
        let passed = try await pass(Self.post + bodies.request, Self.ok + bodies.answer, watch)
        #expect(passed.outcome == "answered")
        #expect(passed.hasAnswered)
        #expect(passed.server.hasSuffix(bodies.request.components(upTo: "\r\n\r\n")), "\(passed)")
        #expect(passed.client.hasSuffix(bodies.answer.components(upTo: "\r\n\r\n")), "\(passed)")
        #expect(passed.findings == ["seen"])
    }

    @Test(
        "F03: a request that must be known whole is denied before anything goes up",
        arguments: [
            "Content-Length: 8\r\n\r\na secret",
            "Transfer-Encoding: chunked\r\n\r\n5\r\na sec\r\n3\r\nret\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Type: image/png\r\n\r\n8\r\na secret\r\n0\r\nX-End: 1\r\n\r\n",
        ]
    )
    func aheadDenied(body: String) async throws {
        let passed = try await pass(Self.post + body, Self.plain, Watch(up: "secret", needsWhole: true))
        #expect(passed.outcome.hasPrefix("ahead denied"))
        #expect(passed.server == "")
        #expect(passed.client == "")
    }

    @Test("a client that did not wait hears from its server that it may go on, and what was read ahead goes up")
    func aheadContinues() async throws {
        let body = "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        let passed = try await pass(
            Self.post + body + "2\r\nhi\r\n0\r\nX-End: 1\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n" + Self.plain,
            Watch(up: "secret", needsWhole: true)
        )
        #expect(passed.client == "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(passed.server.hasSuffix("2\r\nhi\r\n0\r\n\r\n"))
    }

    @Test(
        "B17: trailers of a request stay behind, whoever looks, and those of an answer pass",
        arguments: [Watch(), Watch(up: "secret"), Watch(up: "secret", needsWhole: true)]
    )
    func trailers(watch: Watch) async throws {
        let passed = try await pass(
            Self.post + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Mine: mine\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n",
            watch
        )
        #expect(passed.server.hasSuffix("2\r\nhi\r\n0\r\n\r\n"))
        #expect(!passed.server.contains("mine"))
        #expect(passed.client.hasSuffix("2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"))
        #expect(passed.outcome == "answered")
    }

    @Test("G07: what is read ahead counts, and what finds no room is denied before any of it goes")
    func crowded() async throws {
        var watch = Watch(up: "secret", needsWhole: true)
        watch.most = 3000
        let some = "Content-Length: 20000\r\n\r\n" + String(repeating: "x", count: 10_000)
        let refused = try await pass(Self.post + some, Self.plain, watch)
        #expect(refused.outcome.contains("inspection_memory"), "\(refused)")
        #expect(refused.server == "")
        watch.most = 100_000
        let all = some + String(repeating: "x", count: 10_000)
        #expect(try await pass(Self.post + all, Self.plain, watch).outcome == "answered")
    }

    @Test("F04: what an inspector lets go has its secrets overwritten, in every framing and though it came in pieces")
    func inspectedAndOverwritten() async throws {
        var watch = Watch(down: "forbidden")
        watch.overwritten = "secret"
        let chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\n<<sec\r\n6\r\nret>>!\r\n0\r\n\r\n"
        for framed in ["Content-Length: 11\r\n\r\n<<secret>>!", chunks] {
            let passed = try await pass(Self.post + "\r\n", "HTTP/1.1 200 OK\r\n" + framed, watch)
            #expect(passed.outcome == "answered", "\(passed)")
            let lines = passed.client.components(upTo: "\r\n\r\n").split(separator: "\r\n")
            let said = lines.filter { $0.count > 2 || $0.hasPrefix("<") }
            #expect(said.joined().contains("******"), "\(passed)")
            #expect(!passed.client.contains("secret") && passed.findings == ["seen"], "\(passed)")
        }
        let denied = try await pass(
            Self.post + "\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nsecret forbidden",
            watch
        )
        #expect(denied.outcome.hasPrefix("answerDenied"))
        #expect(!denied.client.contains("secret"))
    }

    @Test("more than may be held is denied, and framing cannot make it more", arguments: [false, true])
    func aheadBound(chunked: Bool) async throws {
        var watch = Watch(up: "secret", needsWhole: true)
        watch.limits.heldBytes = 99
        let chunk = "1;" + String(repeating: "y", count: 1000) + "\r\nx\r\n"
        let body =
            chunked
            ? "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: chunk, count: 40)
            : "Content-Length: 100\r\n\r\n" + String(repeating: "x", count: 100)
        let passed = try await pass(Self.post + body, Self.plain, watch)
        #expect(passed.outcome.contains("held_too_much"))
        #expect(passed.server == "")
    }

    @Test(
        "a request that is denied on its way never looks whole to its server",
        arguments: [
            "Content-Length: 30\r\n\r\nbefore ", "Transfer-Encoding: chunked\r\n\r\n7\r\nbefore \r\n",
        ]
    )
    func requestCut(body: String) async throws {
        let chunked = body.hasPrefix("T")
        let secret = chunked ? "6\r\nsecret\r\n0\r\n\r\n" : "secret and some 30 oct"
        let passed = try await pass(Self.post + body + secret, "", Watch(up: "secret"))
        #expect(passed.outcome.hasPrefix("requestDenied"))
        #expect(!passed.hasAnswered)
        #expect(!passed.server.contains("secret"))
        #expect(!passed.server.hasSuffix("0\r\n\r\n"))
    }

    @Test(
        "an answer that is denied before any of it went is none; one that has begun is cut off",
        arguments: [false, true]
    )
    func answerDenied(needsWhole: Bool) async throws {
        let body = String(repeating: "x", count: 9000)
        let answer = Self.ok + "Transfer-Encoding: chunked\r\n\r\n2328\r\n\(body)\r\n6\r\nsecret\r\n0\r\n\r\n"
        let passed = try await pass(
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
            answer,
            Watch(down: "secret", needsWhole: needsWhole)
        )
        #expect(passed.outcome.hasPrefix("answerDenied"))
        #expect(passed.hasAnswered == !needsWhole)
        #expect(passed.client.isEmpty == needsWhole)
        #expect(!passed.client.contains("secret") && !passed.client.hasSuffix("0\r\n\r\n"))
    }

    @Test("an answer that lasts until its server closes, and one without a body, pass")
    func ends() async throws {
        let head = "HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n"
        let none = try await pass(
            head,
            Self.ok + "Content-Encoding: compress\r\nContent-Length: 9\r\n\r\n",
            Watch(down: "x")
        )
        #expect(none.outcome == "answered")
    }

    @Test("behind a change of the protocol, WebSocket messages are seen, and any other protocol is refused")
    func webSocket() async throws {
        let ask = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        let agree = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        let denied = try await pass(ask, agree + "\u{01}\u{06}a secr", Watch(down: "secr"))
        #expect(denied.outcome.hasPrefix("answerDenied"))
        // Who has no 101 has no frame either, whatever came before.
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\n"
        let early = try await pass(ask, hints + agree + "\u{01}\u{06}a secr", Watch(down: "secr"))
        #expect(early.client == hints && !early.hasAnswered, "\(early)")
        // Whoever looks at one direction alone cannot look at messages that are coded in a way of their own.
        let coded = agree.replacing("\r\n\r\n", with: "\r\nSec-WebSocket-Extensions: x-a\r\n\r\n")
        for watch in [Watch(up: "secr"), Watch(down: "secr")] {
            let asks = ask.replacing("\r\n\r\n", with: "\r\nSec-WebSocket-Extensions: x-a\r\n\r\n")
            let refused = try await pass(asks, coded, watch)
            #expect(refused.outcome.contains("websocket_extension"), "\(refused)")
            #expect(refused.client.isEmpty && !refused.hasAnswered, "\(refused)")
        }
        let other = ask.replacing("websocket", with: "other")
        let unknown = try await pass(other, agree.replacing("websocket", with: "other"), Watch(down: "secret"))
        #expect(unknown.outcome.contains("protocol_unknown"), "\(unknown)")
        #expect(!unknown.hasAnswered)
    }
}

extension String {
    /// What stands behind the head that it holds.
    fileprivate func components(upTo end: String) -> String {
        firstRange(of: end).map { String(self[$0.upperBound...]) } ?? self
    }
}
