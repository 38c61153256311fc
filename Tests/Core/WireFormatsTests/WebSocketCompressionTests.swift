import Testing
import WireFormats

@Suite("What a WebSocket handshake agrees on, and the codings of content") struct WebSocketCompressionTests {
    @Test(
        "the parameters of permessage-deflate are those of the answer",
        arguments: [
            ("permessage-deflate", WebSocketCompression()),
            ("permessage-deflate; server_no_context_takeover", sides(server: (false, 15))),
            ("permessage-deflate;client_no_context_takeover ; client_max_window_bits=10", sides(client: (false, 10))),
            ("permessage-deflate; server_max_window_bits=\"8\"", sides(server: (true, 8))),
        ]
    )
    func agreed(answer: String, compression: WebSocketCompression) throws {
        #expect(try agree("permessage-deflate; client_max_window_bits, x-other", answer) == compression)
    }

    @Test(
        "what is not known, was not offered, or is out of range, is refused",
        arguments: [
            ("permessage-deflate", "x-webkit-deflate-frame"), ("", "permessage-deflate"),
            ("permessage-deflate", "permessage-deflate, permessage-deflate"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=16"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=7"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=09"),
            ("permessage-deflate", "permessage-deflate; server_max_window_bits"),
            ("permessage-deflate", "permessage-deflate; server_no_context_takeover=1"),
            ("permessage-deflate", "permessage-deflate; server_no_context_takeover; server_no_context_takeover"),
            ("permessage-deflate", "permessage-deflate; mux"), ("permessage-deflate", "permessage-deflate;"),
        ]
    )
    func refused(offer: String, answer: String) {
        #expect(throws: WebSocketCompression.Violation.unknownExtension) { try agree(offer, answer) }
    }

    @Test("no extension in the answer is none, whatever was offered")
    func none() throws {
        #expect(try agree("permessage-deflate", nil) == nil)
    }

    @Test(
        "a handshake for WebSocket asks for that and nothing else",
        arguments: [
            ("websocket", true), ("WebSocket", true), ("websocket, other", false), ("other", false),
        ]
    )
    func asksForWebSocket(upgrade: String, isOne: Bool) throws {
        #expect(try request("Connection: Upgrade\r\nUpgrade: \(upgrade)\r\n").asksForWebSocket == isOne)
    }

    @Test(
        "F03: codings are read in their order, and what is no known coding is refused",
        arguments: [
            (["gzip"], [ContentCoding.gzip]), (["GZip , br"], [.gzip, .brotli]),
            (["deflate", "zstd"], [.deflate, .zstd]),
            (["x-gzip,identity,"], [.gzip]), ([""], []), (["identity"], []), ([], []),
            (["compress"], nil), (["gzip; q=1"], nil), (["\"gzip\""], nil), (["aes128gcm"], nil), (["gzip br"], nil),
            (["gzip,gzip,gzip"], [.gzip, .gzip, .gzip]), (["gzip,gzip", "gzip,gzip"], nil),
        ] as [([String], [ContentCoding]?)]
    )
    func codings(values: [String], codings: [ContentCoding]?) throws {
        let fields = try request(values.map { "Content-Encoding: \($0)\r\n" }.joined()).fields
        #expect((try? fields.contentCodings(most: 3)) == codings)
    }

    @Test(
        "a stream of events is known by its type, whatever its parameters",
        arguments: [
            ("text/event-stream", true), ("Text/Event-Stream ; charset=utf-8", true), ("text/event-streams", false),
            ("application/json", false),
        ]
    )
    func eventStreams(type: String, isOne: Bool) throws {
        #expect(try request("Content-Type: \(type)\r\n").fields.isEventStream == isOne)
    }
}

private func sides(
    client: (Bool, Int) = (true, 15),
    server: (Bool, Int) = (true, 15)
) -> WebSocketCompression {
    var compression = WebSocketCompression()
    (compression.client.keepsContext, compression.client.windowBits) = client
    (compression.server.keepsContext, compression.server.windowBits) = server
    return compression
}

private func agree(_ offer: String, _ answer: String?) throws -> WebSocketCompression? {
    let answered = try request(answer.map { "Sec-WebSocket-Extensions: \($0)\r\n" } ?? "").fields
    return try WebSocketCompression.agreed(
        offer: try request("Sec-WebSocket-Extensions: \(offer)\r\n").fields,
        answer: answered
    )
}

private func request(_ fields: String) throws -> HTTP1Request {
    let bytes = Array("GET / HTTP/1.1\r\nHost: a.example\r\n\(fields)\r\n".utf8)
    var reader = HTTP1RequestReader(limits: HTTP1Limits())
    return try #require(try reader.read(bytes.span))
}
