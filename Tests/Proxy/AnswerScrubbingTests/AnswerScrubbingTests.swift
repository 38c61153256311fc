import ConnectionJourney
import Credentials
import EventLoops
import HTTPExchange
import PolicyEngine
import Testing

private let secret = "sk-live-0123456789"
private let stars = String(repeating: "*", count: secret.utf8.count)
private let ask = "GET /v1 HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
private let askSocket =
    "GET /v1 HTTP/1.1\r\nHost: api.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

/// One way in which an answer can be written.
struct WrittenAnswer: CustomTestStringConvertible, Sendable {
    var name: String
    var pieces: [String]
    var closes = false
    var expected: String

    var testDescription: String { name }
}

@Suite("Answers that a secret could come back in")
struct AnswerScrubbingTests {
    static let written: [WrittenAnswer] = [
        WrittenAnswer(
            name: "a length, cut within the secret",
            pieces: ["HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n<<sk-li", "ve-01234", "56789>>"],
            expected: "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n<<\(stars)>>"
        ),
        WrittenAnswer(
            name: "chunks, cut within the secret, and trailers",
            pieces: [
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n<<sk-live\r\n",
                "d\r\n-0123456789>>\r\n0\r\nX-Echo: \(secret)\r\n\r\n",
            ],
            expected: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\n<<\r\n14\r\n\(stars)>>\r\n0\r\nX-Echo: \(stars)\r\n\r\n"
        ),
        WrittenAnswer(
            name: "a body that lasts until the end, and ends within one",
            pieces: ["HTTP/1.1 200 OK\r\n\r\n\(secret)", " sk-live-01"],
            closes: true,
            expected: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\(stars) **********"
        ),
        WrittenAnswer(
            name: "a length that ends within what might be one",
            pieces: ["HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<<<<<", "sk-live"],
            expected: "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<<<<<sk-live"
        ),
        WrittenAnswer(
            name: "a length that ends within one",
            pieces: ["HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<<<<<sk-live", "-0123456"],
            expected: "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n<<<<<***************"
        ),
        WrittenAnswer(
            name: "chunks that end within one",
            pieces: ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n<<", "sk-live-\r\n0\r\n\r\n"],
            expected: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n<<\r\n8\r\n********\r\n0\r\n\r\n"
        ),
        WrittenAnswer(
            name: "heads: reason, fields, of 1xx too",
            pieces: [
                "HTTP/1.1 103 Early \(secret)\r\nLink: </\(secret)>\r\n\r\n",
                "HTTP/1.1 302 \(secret)\r\nLocation: https://a.example/?k=\(secret)\r\nContent-Length: 0\r\n\r\n",
            ],
            expected: "HTTP/1.1 103 Early \(stars)\r\nLink: </\(stars)>\r\n\r\n"
                + "HTTP/1.1 302 \(stars)\r\nLocation: https://a.example/?k=\(stars)\r\nContent-Length: 0\r\n\r\n"
        ),
        WrittenAnswer(
            name: "identity is no coding, and a coded head without a body none either",
            pieces: ["HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nETag: \"\(secret)\"\r\n\r\n"],
            expected: "HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\nETag: \"\(stars)\"\r\n\r\n"
        ),
    ]

    @Test("F04: a secret is overwritten wherever an answer has it, and lengths stay", arguments: written)
    func overwriting(answer: WrittenAnswer) async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let observed = try await passOn(ask, answer.pieces, closes: answer.closes, on: loop)
        #expect(observed.answer == answer.expected)
        #expect(observed.outcome == "answered")
        await loop.stop()
    }

    @Test(
        "F04: a coded answer that nobody asked for is refused before any of it goes on",
        arguments: ["gzip", "identity, br", "x-unknown"]
    )
    func coded(coding: String) async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let pieces = ["HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\nContent-Length: 5\r\n\r\nabcde"]
        let observed = try await passOn(ask, pieces, on: loop)
        #expect(observed.answer.isEmpty)
        #expect(observed.status == nil)
        #expect(observed.outcome.contains("codedAnswer"))
        await loop.stop()
    }

    @Test(
        "F04: what is in characters that may hide a secret, or only a part, is refused as well",
        arguments: [
            ("200 OK", "application/json; charset=utf-16", false), ("200 OK", "text/plain;Charset=\"UTF-32LE\"", false),
            ("200 OK", "text/plain; charset = utf-7", false), ("200 OK", "text/plain; charset=x-unknown", false),
            ("200 OK", "text/plain; charset=utf-8; charset=utf-16", false),
            ("200 OK", "charset=utf-16", false),
            ("206 Partial Content", "text/plain", false), ("226 IM Used", "text/plain", false),
            ("200 OK", "application/json; charset=UTF-8", true), ("200 OK", "text/html; charset=\"iso-8859-15\"", true),
            ("200 OK", "text/html;charset=Shift_JIS", true), ("200 OK", "text/html; charset=", true),
            ("200 OK", "text/event-stream", true),
        ]
    )
    func wide(status: String, type: String, isPassed: Bool) async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let head = "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: 5\r\n\r\n"
        let observed = try await passOn(ask, [head + "abcde"], on: loop)
        #expect(observed.answer.hasSuffix("abcde") == isPassed)
        #expect(observed.outcome.contains("codedAnswer") != isPassed)
        await loop.stop()
    }

    @Test("F04: a WebSocket's frame goes on whole at its end, though it ends as a secret begins")
    func frames() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
        // Pieces of one message: two that end as a secret begins, then one.
        let frames = ["\u{1}\u{6}tokens", "\0\u{1}s", "\0\u{12}sk-live-", "0123456789", "\0\u{2}ks"]
        let observed = try await passOn(askSocket, [head] + frames + ["\0\u{1}x"], closes: true, on: loop)
        let said = "\u{1}\u{6}tokens\0\u{1}s\0\u{12}\(stars)\0\u{2}ks"
        let early = observed.early.replacing("\0", with: "0")
        #expect(early.hasSuffix(said.replacing("\0", with: "0")))
        #expect(observed.answer.hasSuffix(said + "\0\u{1}x"))
        await loop.stop()
    }

    @Test("F04: an event stream passes event by event, and only what may be a secret waits")
    func events() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        let pieces = [head, "data: tasks\n\n", "data: \(secret.prefix(9))", "\(secret.dropFirst(9))\n\n"]
        let observed = try await passOn(ask, pieces, closes: true, on: loop)
        #expect(observed.early.hasSuffix("data: tasks\n\ndata: "))
        #expect(observed.answer.hasSuffix("data: tasks\n\ndata: \(stars)\n\n"))
        await loop.stop()
    }

    @Test("F04: what a WebSocket's server says is searched as it comes, and its end is passed on")
    func socket() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let head =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Echo: \(secret)\r\n\r\n"
        let observed = try await passOn(
            askSocket,
            [head + "\u{1}", "\u{12}sk-live-", "0123456789", "\u{1}a"],
            closes: true,
            on: loop
        )
        #expect(
            observed.answer.hasSuffix(
                "X-Echo: \(stars)\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\u{1}\u{12}\(stars)\u{1}a"
            )
        )
        #expect(observed.outcome == "switched")
        await loop.stop()
    }

    @Test("F04: a WebSocket whose server codes its messages all the same is refused")
    func codedSocket() async throws {
        let loop = try EventLoop(index: 0)
        try loop.start()
        let head =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        let observed = try await passOn(askSocket, [head], on: loop)
        #expect(observed.answer.isEmpty)
        #expect(observed.outcome.contains("codedAnswer"))
        await loop.stop()
    }
}

private func passOn(
    _ request: String,
    _ pieces: [String],
    closes: Bool = false,
    on loop: isolated EventLoop
) async throws -> Observed {
    let name = try #require(SecretName("one"))
    let vault = CredentialVault([name: try Secret(fileContent: Array(secret.utf8))], placeholders: [])
    return try await observe(
        request,
        answered: pieces,
        closes: closes,
        through: AnswerScrubbing(vault.needles),
        on: loop
    )
}
