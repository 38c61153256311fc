import Testing
import WireFormats

@Suite("The head of an HTTP/1 response")
struct HTTP1ResponseTests {
    private static let head = HTTP1Answering(method: .head)
    private static let connect = HTTP1Answering(method: .connect)
    private static let webSocket = HTTP1Answering(upgradeNames: ["websocket"])

    struct Sound: CustomTestStringConvertible, Sendable {
        var text: String
        var answering = HTTP1Answering()
        var status = 200
        var framing = HTTP1Framing.untilClose
        var declared = HTTP1Framing.none
        var keepsAlive = false
        var reason = "OK"

        var testDescription: String { text }
    }

    static let sound: [Sound] = [
        Sound(text: "HTTP/1.1 200 OK\r\n\r\n"), Sound(text: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"),
        Sound(text: "HTTP/1.1 200 \r\nHost: x\r\nHost: y\r\n\r\n", reason: ""),
        Sound(text: "HTTP/1.1 200\r\n\r\n", reason: ""),
        Sound(text: "HTTP/1.1 599 \t\u{e9}  x\r\n\r\n", status: 599, reason: "\t\u{e9}  x"),
        // No status code, and said by servers all the same.
        Sound(text: "HTTP/1.1 600 OK\r\n\r\n", status: 600), Sound(text: "HTTP/1.1 999 OK\r\n\r\n", status: 999),
        length("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
        length("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\ncontent-length: 03\r\n\r\n"),
        length("HTTP/1.1 200 OK\r\nContent-Length \t: 3\r\n\r\n"),
        length("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n", keepsAlive: false),
        length("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", keepsAlive: false),
        length("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n"),
        length("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", answering: head, follows: .none),
        length("HTTP/1.1 304 OK\r\nContent-Length: 3\r\n\r\n", status: 304, follows: .none),
        Sound(
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            framing: .chunked,
            declared: .chunked,
            keepsAlive: true
        ),
        Sound(
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n\r\n",
            framing: .chunked,
            declared: .chunked,
            keepsAlive: true
        ),
        bare("HTTP/1.1 200 OK\r\n\r\n", answering: head), bare("HTTP/1.1 200 OK\r\n\r\n", answering: connect),
        bare("HTTP/1.1 204 OK\r\n\r\n", status: 204), bare("HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n", status: 204),
        bare("HTTP/1.1 100 OK\r\n\r\n", status: 100), bare("HTTP/1.1 103 OK\r\nLink: x\r\n\r\n", status: 103),
        bare("HTTP/1.1 100 OK\r\nContent-Length: 0\r\n\r\n", status: 100),
        bare("HTTP/1.1 103 OK\r\nContent-Length: 0\r\n\r\n", status: 103),
        // What may follow it is of no message.
        bare("HTTP/1.1 204 OK\r\nContent-Length: 3\r\n\r\n", status: 204, keepsAlive: false),
        bare("HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\n", status: 204, keepsAlive: false),
        bare("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", answering: connect),
        length("HTTP/1.1 407 OK\r\nContent-Length: 3\r\n\r\n", answering: connect, status: 407),
        Sound(
            text: "HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n",
            answering: webSocket,
            status: 101,
            framing: .none
        ),
        Sound(
            text: "HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\nContent-Length: 0\r\n\r\n",
            answering: webSocket,
            status: 101,
            framing: .none
        ),
    ]

    private static func length(
        _ text: String,
        answering: HTTP1Answering = HTTP1Answering(),
        status: Int = 200,
        follows: HTTP1Framing = .length(3),
        keepsAlive: Bool = true
    ) -> Sound {
        Sound(
            text: text,
            answering: answering,
            status: status,
            framing: follows,
            declared: .length(3),
            keepsAlive: keepsAlive
        )
    }

    private static func bare(
        _ text: String,
        answering: HTTP1Answering = HTTP1Answering(),
        status: Int = 200,
        keepsAlive: Bool = true
    ) -> Sound {
        Sound(text: text, answering: answering, status: status, framing: .none, keepsAlive: keepsAlive)
    }

    @Test("a sound head is read whole, and the same however it comes (B08)", arguments: sound)
    func soundHead(_ expected: Sound) throws {
        let head = Array(expected.text.utf8)
        let bytes = head + Array("\0\n".utf8)
        let whole = readResponse(bytes, answering: expected.answering)
        let response = try #require(try whole.get())
        #expect(response.headBytes == head.count)
        #expect(response.status == expected.status)
        #expect(response.framing == expected.framing)
        #expect(response.declaredFraming == expected.declared)
        #expect(response.keepsAlive == expected.keepsAlive)
        #expect(String(decoding: response.reason, as: UTF8.self) == expected.reason)
        #expect(response.isSwitch == (expected.status == 101))
        #expect(response.isInformational == [100, 103].contains(expected.status))
        for ends in splits(head.count) {
            #expect(readResponse(bytes, ends: ends, answering: expected.answering) == whole, "\(ends)")
        }
    }

    @Test(
        "what two readers could read in two ways is refused with its reason, however it comes (B08)",
        arguments: [
            ("\r\nHTTP/1.1 200 OK\r\n", .leadingEmptyLine), ("220 mail.example\r\n", .statusLine),
            ("HTTP/2 200 OK\r\n", .httpVersion), ("HTTP/1.2 200 OK\r\n", .httpVersion),
            ("http/1.1 200 OK\r\n", .statusLine), ("HTTP/1.1  200 OK\r\n", .statusLine),
            ("HTTP/1.1 20 OK\r\n", .statusLine), ("HTTP/1.1 2000 OK\r\n", .statusLine),
            ("HTTP/1.1 +20 OK\r\n", .statusLine), ("HTTP/1.1\t200 OK\r\n", .statusLine),
            ("HTTP/1.1\r\n", .statusLine), ("HTTP/\r\n", .statusLine), ("HTTP/1.1 200OK\r\n", .statusLine),
            ("HTTP/1.1 099 OK\r\n", .statusCode), ("HTTP/1.1 1000 OK\r\n", .statusLine),
            ("HTTP/1.1 000 OK\r\n", .statusCode), ("HTTP/1.1 200 O\0K\r\n", .controlOctet),
            ("HTTP/1.1 200 OK\n\n", .bareLineFeed), ("HTTP/1.1 200 OK\rX\r\n", .bareCarriageReturn),
            ("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", .obsFold),
            ("HTTP/1.1 200 OK\r\nX y: z\r\n\r\n", .fieldLine), ("HTTP/1.1 200 OK\r\n : z\r\n\r\n", .obsFold),
            ("HTTP/1.1 200 OK\r\nX \r\n\r\n", .fieldLine),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", .contentLengthDuplicated),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: x\r\n\r\n", .contentLengthInvalid),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\nContent-Length: 3\r\n\r\n",
                .contentLengthWithTransferEncoding
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n", .contentLengthDuplicated),
            ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", .contentLengthInvalid),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                .contentLengthWithTransferEncoding
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .transferEncodingUnknown),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInHTTP10),
            ("HTTP/1.1 100 OK\r\nContent-Length: 1\r\n\r\n", .framingWithoutBody),
            ("HTTP/1.1 103 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .framingWithoutBody),
            ("HTTP/1.1 200 OK\r\nConnection: content-length\r\n\r\n", .connectionNominatesForbidden),
            ("HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", .unexpectedSwitch),
            ("HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n", .unexpectedSwitch),
            ("HTTP/1.1 101 OK\r\nConnection: upgrade\r\n\r\n", .unexpectedSwitch),
            ("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\n\r\n", .unexpectedSwitch),
            ("HTTP/1.0 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", .unexpectedSwitch),
            (
                "HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\n",
                .framingWithoutBody
            ),
        ] as [(String, HTTP1Violation)]
    )
    func broken(text: String, violation: HTTP1Violation) {
        let bytes = Array(text.utf8)
        #expect(readResponse(bytes, answering: Self.webSocket) == .failure(violation))
        for ends in splits(bytes.count) {
            #expect(readResponse(bytes, ends: ends, answering: Self.webSocket) == .failure(violation), "\(ends)")
        }
    }

    @Test("a change of protocol that nobody asked for is refused (B06)")
    func unaskedSwitch() {
        let text = "HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        #expect(readResponse(text) == .failure(.unexpectedSwitch))
    }

    @Test("interim heads and the final one are read by one reader")
    func interim() throws {
        let bytes = Array("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n".utf8)
        var reader = HTTP1ResponseReader()
        let one = try #require(try reader.read(bytes.span, answering: HTTP1Answering()))
        let rest = bytes.span.extracting(one.headBytes..<bytes.count)
        let two = try #require(try reader.read(rest, answering: HTTP1Answering()))
        #expect(one.isInformational)
        #expect(two.status == 204)
    }
}
