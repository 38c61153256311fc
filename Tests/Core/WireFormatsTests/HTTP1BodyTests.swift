import Testing
import WireFormats

@Suite("The body of an HTTP/1 message")
struct HTTP1BodyTests {
    @Test(
        "a chunked body is its payload, however it comes; extensions are dropped (B08)",
        arguments: [
            ("0\r\n\r\n", ""), ("3\r\nabc\r\n0\r\n\r\n", "abc"), ("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"),
            ("A\r\n0\r\n\r\n\r\n\0\nz\r\n00\r\n\r\n", "0\r\n\r\n\r\n\0\nz"),
            ("0000000000000001\r\na\r\n0\r\n\r\n", "a"),
            ("1;a=b;c=\"d;\t\u{e9}\"\r\na\r\n0;last\r\n\r\n", "a"), ("1;\r\na\r\n0;\r\n\r\n", "a"),
            ("1\r\na\r\n0\r\nX-Sum: 1\r\nx-other:\r\n\r\n", "a"),
        ]
    )
    func chunked(text: String, payload: String) {
        let body = Array(text.utf8)
        let bytes = body + Array("GET /".utf8)
        let whole = readBody(bytes)
        #expect(whole.text == payload)
        #expect(whole.isComplete)
        #expect(whole.consumed == body.count)
        #expect(whole.violation == nil)
        for ends in splits(body.count) { #expect(readBody(bytes, ends: ends) == whole, "\(ends)") }
        for count in 0..<body.count { #expect(!readBody(Array(body[..<count])).isComplete) }
    }

    @Test(
        "a chunked body that could be cut in two ways is refused with its reason, however it comes (B08)",
        arguments: [
            ("\r\n", .chunkSize), (";a\r\n", .chunkSize), ("g\r\n", .chunkSize), ("+1\r\na\r\n", .chunkSize),
            ("-1\r\n", .chunkSize), ("0x1\r\na\r\n", .chunkSize), (" 1\r\na\r\n", .chunkSize),
            ("1 \r\na\r\n", .chunkSize), ("1 ;a\r\na\r\n", .chunkSize), ("1_0\r\n", .chunkSize),
            ("1.0\r\n", .chunkSize), ("8000000000000000\r\n", .chunkSize), ("10000000000000000\r\n", .chunkSize),
            ("ffffffffffffffff1\r\n", .chunkSize), ("00000000000000001\r\n", .chunkSize), ("1\0\r\n", .chunkSize),
            ("1\na\r\n", .bareLineFeed), ("\n", .bareLineFeed), ("1;a\na\r\n", .bareLineFeed),
            ("1\ra\r\n", .bareCarriageReturn), ("1;a\rb\r\n", .bareCarriageReturn),
            ("1;a\0\r\na\r\n", .controlOctet), ("1;a\u{7f}\r\na\r\n", .controlOctet),
            ("1\r\nab\r\n", .chunkEnd), ("1\r\na\n0\r\n\r\n", .chunkEnd), ("1\r\na0\r\n\r\n", .chunkEnd),
            ("1\r\na\r0\r\n\r\n", .chunkEnd), ("1\r\na\r\r\n", .chunkEnd),
            ("0\r\nX: y\n\r\n", .bareLineFeed), ("0\r\n\n", .bareLineFeed), ("0\r\n\rX", .bareCarriageReturn),
            ("0\r\nX: y\r\n z\r\n\r\n", .obsFold), ("0\r\n X: y\r\n\r\n", .obsFold),
            ("0\r\nX : y\r\n\r\n", .whitespaceBeforeColon), ("0\r\nGET / HTTP/1.1\r\n\r\n", .fieldLine),
            ("0\r\nX: \0\r\n\r\n", .controlOctet),
        ] as [(String, HTTP1Violation)]
    )
    func broken(text: String, violation: HTTP1Violation) {
        let bytes = Array(text.utf8)
        #expect(readBody(bytes).violation == violation)
        for ends in splits(bytes.count) { #expect(readBody(bytes, ends: ends).violation == violation, "\(ends)") }
    }

    @Test(
        "a trailer that would change framing, routing or authentication is refused, of an answer left out (B08, B19)",
        arguments: [
            "Content-Length: 1", "transfer-encoding: chunked", "Host: b.com", "Connection: close", "Trailer: x",
            "Upgrade: h2c", "TE: trailers", "Expect: 100-continue", "Authorization: x", "Proxy-Authorization: x",
            "Cookie: a", "Set-Cookie: a", "WWW-Authenticate: x", "Content-Type: x", "Content-Encoding: gzip",
            "Cache-Control: x", "Max-Forwards: 1", "Location: /", "Keep-Alive: 1", "HTTP2-Settings: x",
        ]
    )
    func forbiddenTrailers(line: String) {
        let bytes = Array("0\r\nX: y\r\n\(line)\r\n\r\n".utf8)
        #expect(readBody(bytes).violation == .trailerForbidden)
        for ends in splits(bytes.count) { #expect(readBody(bytes, ends: ends).violation == .trailerForbidden) }
        let whole = readBody(bytes, ofAnswer: true)
        #expect(whole.isComplete)
        #expect(written(whole) == "0\r\nX: y\r\n\r\n")
        for ends in splits(bytes.count) { #expect(readBody(bytes, ends: ends, ofAnswer: true) == whole) }
    }

    @Test("of an answer's trailers so many go on as may; what is malformed or too long is refused (B08)")
    func manyTrailers() {
        var limits = HTTP1Limits()
        limits.trailerFields = 2
        let bytes = Array("0\r\nX: 1\r\nY: 2\r\nZ: 3\r\n\r\n".utf8)
        let whole = readBody(bytes, limits: limits, ofAnswer: true)
        #expect(whole.isComplete)
        #expect(written(whole) == "0\r\nX: 1\r\nY: 2\r\n\r\n")
        for ends in splits(bytes.count) {
            #expect(readBody(bytes, ends: ends, limits: limits, ofAnswer: true) == whole)
        }
        limits.trailerBytes = 15
        #expect(readBody(bytes, limits: limits, ofAnswer: true).violation == .trailersTooLong)
        let folded = Array("0\r\nX: y\r\n z\r\n\r\n".utf8)
        #expect(readBody(folded, ofAnswer: true).violation == .obsFold)
    }

    private func written(_ body: BodyResult) -> String {
        var buffer: [UInt8] = []
        HTTP1ChunkWriting.appendLast(trailers: body.trailers, to: &buffer)
        return String(decoding: buffer, as: UTF8.self)
    }

    @Test(
        "white space behind the size of an answer's chunk is read past, and nothing else than it (B08)",
        arguments: [
            ("1 \r\na\r\n0\r\n\r\n", nil), ("1 \t \r\na\r\n0 \r\n\r\n", nil), ("1 ;b=c\r\na\r\n0\t;d\r\n\r\n", nil),
            ("1 1\r\na\r\n", .chunkSize), (" 1\r\na\r\n", .chunkSize), ("1 b\r\na\r\n", .chunkSize),
            ("1 \na\r\n", .bareLineFeed), ("1 \ra\r\n", .bareCarriageReturn),
        ] as [(String, HTTP1Violation?)]
    )
    func blankBehindSize(text: String, violation: HTTP1Violation?) {
        let bytes = Array(text.utf8)
        let whole = readBody(bytes, ofAnswer: true)
        #expect(whole.violation == violation)
        if violation == nil {
            #expect(whole.isComplete && whole.text == "a")
            #expect(readBody(bytes).violation == .chunkSize)
        }
        for ends in splits(bytes.count) { #expect(readBody(bytes, ends: ends, ofAnswer: true) == whole, "\(ends)") }
    }

    @Test("trailers are kept, and Alt-Svc among them is not sent on")
    func trailers() throws {
        let trailers = try #require(readBody("0\r\nX-Sum: 1\r\nAlt-Svc: h3\r\n\r\n").trailers)
        #expect(trailers.values(of: "x-sum") == [Array("1".utf8)[...]])
        var buffer: [UInt8] = []
        HTTP1ChunkWriting.appendLast(trailers: trailers, to: &buffer)
        #expect(String(decoding: buffer, as: UTF8.self) == "0\r\nX-Sum: 1\r\n\r\n")
        #expect(readBody("0\r\n\r\n").trailers == nil)
    }

    @Test("white space behind a name is read past in an answer's trailers as in its head, and nowhere else (B08)")
    func blankBeforeColon() throws {
        let bytes = Array("0\r\nX-Sum \t: 1\r\n\r\n".utf8)
        let whole = readBody(bytes, ofAnswer: true)
        #expect(written(whole) == "0\r\nX-Sum: 1\r\n\r\n")
        for ends in splits(bytes.count) { #expect(readBody(bytes, ends: ends, ofAnswer: true) == whole) }
        #expect(readBody(bytes).violation == .whitespaceBeforeColon)
    }

    @Test("a body of a length ends there, and what follows is left (B08)")
    func length() {
        let bytes = Array("abcdefGET /".utf8)
        let whole = readBody(bytes, .length(6))
        #expect(whole.text == "abcdef")
        #expect(whole.consumed == 6)
        #expect(whole.isComplete)
        for ends in splits(bytes.count) { #expect(readBody(bytes, .length(6), ends: ends) == whole) }
        #expect(!readBody("abc", .length(4)).isComplete)
        for framing in [HTTP1Framing.none, .length(0)] {
            #expect(readBody("abc", framing) == BodyResult(isComplete: true))
        }
    }

    @Test("only a body that lasts until close may end with the stream (B08)")
    func endOfStream() throws {
        var body = HTTP1BodyReader(.untilClose)
        let step = try body.read([1, 2, 3].span)
        #expect(step.payload == 0..<3)
        #expect(step.consumed == 3)
        #expect(!body.isComplete)
        try body.inputEnded()
        #expect(body.isComplete)
        for text in ["", "3", "3\r", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r", "0\r\n", "0\r\nX: y\r\n"] {
            var chunked = HTTP1BodyReader(.chunked)
            let bytes = Array(text.utf8)
            var read = 0
            while read < bytes.count { read += try chunked.read(bytes.span.extracting(read..<bytes.count)).consumed }
            #expect(throws: HTTP1Violation.messageIncomplete, "\(text)") { try chunked.inputEnded() }
        }
        var short = HTTP1BodyReader(.length(1))
        #expect(throws: HTTP1Violation.messageIncomplete) { try short.inputEnded() }
        var none = HTTP1BodyReader(.none)
        try none.inputEnded()
    }

    @Test("payload that is moved unread is counted")
    func skipping() throws {
        var length = HTTP1BodyReader(.length(10))
        length.skip(4)
        #expect(length.plainOctets == 6)
        length.skip(6)
        #expect(length.isComplete)
        var chunked = HTTP1BodyReader(.chunked)
        #expect(chunked.plainOctets == 0)
        let start = Array("5\r\nab".utf8)
        let first = try chunked.read(start.span)
        #expect(first.payload == 3..<5)
        #expect(first.consumed == 5)
        #expect(chunked.plainOctets == 3)
        chunked.skip(3)
        let end = Array("\r\n0\r\n\r\nx".utf8)
        let last = try chunked.read(end.span)
        #expect(last.payload.isEmpty)
        #expect(last.consumed == 7)
        #expect(chunked.isComplete)
    }

    @Test("the framing of chunks around payload is one that is read back")
    func chunkWriting() {
        var buffer: [UInt8] = []
        for part in ["a", String(repeating: "b", count: 300)] {
            HTTP1ChunkWriting.appendStart(of: part.utf8.count, to: &buffer)
            buffer += Array(part.utf8)
            HTTP1ChunkWriting.appendEnd(to: &buffer)
        }
        #expect(buffer.starts(with: "1\r\na\r\n12c\r\nb".utf8))
        HTTP1ChunkWriting.appendLast(trailers: nil, to: &buffer)
        #expect(readBody(buffer).text == "a" + String(repeating: "b", count: 300))
        #expect(readBody(buffer).consumed == buffer.count)
    }
}
