import Testing
import WireFormats

/// A generator of random numbers that a seed repeats.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// A random message, sound by construction, with what it means.
private struct RandomMessage {
    var head: [UInt8] = []
    var fields: [(name: String, value: [UInt8])] = []
    var payload: [UInt8] = []
    var body: [UInt8] = []
    var isChunked: Bool

    init(startLine: String, using generator: inout SeededGenerator) {
        isChunked = Bool.random(using: &generator)
        head = Array("\(startLine)\r\n".utf8)
        let hostAt = Int.random(in: 0...5, using: &generator)
        for index in 0...5 {
            if index == hostAt { head += Array("hOsT: A.example:8080\r\n".utf8) }
            let name = "X-\(Int.random(in: 0...9, using: &generator))!#$%&'*+.^_`|~"
            let value = Self.value(using: &generator)
            fields.append((name, value))
            head += Array("\(name):\t ".utf8) + value + Array(" \t\r\n".utf8)
        }
        payload = (0..<Int.random(in: 0...400, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        body = isChunked ? Self.chunks(payload, using: &generator) : payload
        head += Array((isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(payload.count)").utf8)
        head += Array("\r\n\r\n".utf8)
    }

    private static func value(using generator: inout SeededGenerator) -> [UInt8] {
        let inner = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
            [UInt8.random(in: 0x20...0x7e, using: &generator), UInt8.random(in: 0x80...0xff, using: &generator), 9]
                .randomElement(using: &generator) ?? 9
        }
        return [UInt8(ascii: "<")] + inner + [UInt8(ascii: ">")]
    }

    private static func chunks(_ payload: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var rest = payload[...]
        var chunks: [UInt8] = []
        while !rest.isEmpty {
            let part = rest.prefix(Int.random(in: 1...100, using: &generator))
            rest = rest.dropFirst(part.count)
            chunks += Array("0\(String(part.count, radix: 16, uppercase: true));x=\"y\"\r\n".utf8) + part
            chunks += Array("\r\n".utf8)
        }
        return chunks + Array("000;end\r\nX-Sum: 1\r\n\r\n".utf8)
    }
}

@Suite("HTTP/1 that is read, written and read again")
struct HTTP1RoundTripTests {
    @Test("what a random request says is what is sent, and what is sent is stable (B07, B08, B09)", arguments: 0..<200)
    func requests(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let path = ["/", "/a%2Fb;c/../d", "//x/?y=?z"].randomElement(using: &generator) ?? "/"
        let target = ["", "http://a.example:8080"].map { $0 + path }.randomElement(using: &generator) ?? path
        let message = RandomMessage(startLine: "PURGE \(target) HTTP/1.1", using: &generator)
        let bytes = message.head + message.body + Array("GET /next".utf8)
        let ends = (0..<5).map { _ in Int.random(in: 0...message.head.count, using: &generator) }.sorted()
        let request = try #require(try readRequest(bytes, ends: ends.filter { $0 > 0 }).get())
        check(request.fields, message)
        var sent: [UInt8] = []
        request.append(to: &sent)
        let again = try #require(try readRequest(sent).get())
        #expect(again.headBytes == sent.count)
        #expect(again.method == "PURGE")
        #expect(again.target.elementsEqual(path.utf8))
        #expect(again.path == request.path)
        #expect(again.query == request.query)
        #expect(again.host == request.host)
        #expect(again.framing == request.framing)
        check(again.fields, message)
        var stable: [UInt8] = []
        again.append(to: &stable)
        #expect(stable == sent)
        checkBody(bytes, from: request.headBytes, request.framing, message, using: &generator)
    }

    @Test("what a random response says is what is sent, and what is sent is stable (B08)", arguments: 0..<200)
    func responses(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        let message = RandomMessage(startLine: "HTTP/1.1 418 I'm a  teapot", using: &generator)
        let response = try #require(try readResponse(message.head + message.body).get())
        var sent: [UInt8] = []
        response.append(to: &sent)
        let again = try #require(try readResponse(sent).get())
        #expect(again.headBytes == sent.count)
        #expect(again.status == 418)
        #expect(again.reason == response.reason)
        #expect(again.framing == response.framing)
        check(again.fields, message)
        var stable: [UInt8] = []
        again.append(to: &stable)
        #expect(stable == sent)
        checkBody(message.head + message.body, from: response.headBytes, response.framing, message, using: &generator)
    }

    private func check(_ fields: HTTP1FieldSection, _ message: RandomMessage) {
        for (name, _) in message.fields {
            let expected = message.fields.filter { $0.name == name }.map { $0.value[...] }
            let values = fields.values(of: name.lowercased())
            #expect(values == expected)
        }
    }

    private func checkBody(
        _ bytes: [UInt8],
        from start: Int,
        _ framing: HTTP1Framing,
        _ message: RandomMessage,
        using generator: inout SeededGenerator
    ) {
        let rest = Array(bytes[start...])
        let ends = (0..<5).map { _ in Int.random(in: 0...rest.count, using: &generator) }.sorted()
        let result = readBody(rest, framing, ends: ends)
        #expect(result.payload == message.payload)
        #expect(result.isComplete)
        #expect(result.consumed == message.body.count)
        #expect((result.trailers != nil) == message.isChunked)
    }
}
