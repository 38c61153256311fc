import NetworkTypes
import Testing
import WireFormats

@Suite("HTTP/1 heads as they are sent on")
struct HTTP1WritingTests {
    private static func writtenRequest(
        _ text: String,
        _ forwarding: HTTP1RequestForwarding = HTTP1RequestForwarding()
    ) throws -> String {
        let request = try #require(try readRequest(text).get())
        var buffer: [UInt8] = []
        request.append(to: &buffer, forwarding: forwarding)
        return String(decoding: buffer, as: UTF8.self)
    }

    private static func writtenResponse(
        _ text: String,
        answering: HTTP1Answering = HTTP1Answering(),
        _ forwarding: HTTP1ResponseForwarding = HTTP1ResponseForwarding()
    ) throws -> String {
        let response = try #require(try readResponse(text, answering: answering).get())
        var buffer: [UInt8] = []
        response.append(to: &buffer, forwarding: forwarding)
        return String(decoding: buffer, as: UTF8.self)
    }

    @Test(
        "a request goes up in origin form, its target as received and its Host first and once (B07, B09, B10)",
        arguments: [
            (
                "GET /%41?b HTTP/1.1\r\nX: y\r\nHost: A.com.:80\r\n\r\n",
                "GET /%41?b HTTP/1.1\r\nHost: a.com:80\r\nX: y\r\n"
            ),
            ("get //x\\ HTTP/1.1\r\nHost:a.com\r\nX:y \r\n\r\n", "get //x\\ HTTP/1.1\r\nHost: a.com\r\nX: y\r\n"),
            ("GET HTTP://A.com?b HTTP/1.1\r\nHost: a.com\r\n\r\n", "GET /?b HTTP/1.1\r\nHost: a.com\r\n"),
            ("GET http://a.com:81//b? HTTP/1.0\r\n\r\n", "GET //b? HTTP/1.1\r\nHost: a.com:81\r\n"),
            ("OPTIONS http://a.com HTTP/1.1\r\nHost: a.com\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a.com\r\n"),
            ("OPTIONS http://a.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n", "OPTIONS / HTTP/1.1\r\nHost: a.com\r\n"),
            ("OPTIONS http://a.com? HTTP/1.1\r\nHost: a.com\r\n\r\n", "OPTIONS /? HTTP/1.1\r\nHost: a.com\r\n"),
            ("OPTIONS * HTTP/1.1\r\nHost: [::0:1]\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: [::1]\r\n"),
            ("GET / HTTP/1.0\r\nExpect: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n"),
            (
                "POST / HTTP/1.1\r\nHost: a.com\r\nExpect: 100-continue\r\nContent-Length: 03\r\nX: y\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a.com\r\nExpect: 100-continue\r\nX: y\r\nContent-Length: 3\r\n"
            ),
            (
                "POST / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: CHUNKED\r\nTrailer: x\r\n\r\n",
                "POST / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: chunked\r\n"
            ),
            (
                "GET / HTTP/1.1\r\nHost: a.com\r\nConnection: close, X-A\r\nx-a: 1\r\nX-B: 2\r\nKeep-Alive: 1\r\n"
                    + "Proxy-Connection: a\r\nProxy-Authorization: b\r\nHTTP2-Settings: c\r\nUpgrade: d\r\nTE: gzip\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a.com\r\nX-B: 2\r\n"
            ),
            (
                "GET / HTTP/1.1\r\nHost: a.com\r\nTE: gzip, trailers\r\nConnection: TE\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a.com\r\nTE: trailers\r\nConnection: TE\r\n"
            ),
        ]
    )
    func requests(text: String, expected: String) throws {
        #expect(try Self.writtenRequest(text) == expected + "\r\n")
    }

    @Test("the caller says whether an upstream connection ends, is upgraded, and what Host is where there is none")
    func requestForwarding() throws {
        let upgrade = "GET / HTTP/1.1\r\nHost: a.com\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
        let expected = "GET / HTTP/1.1\r\nHost: a.com\r\n"
        #expect(
            try Self.writtenRequest(upgrade, HTTP1RequestForwarding(upgrades: true))
                == expected + "Upgrade: WebSocket\r\nConnection: upgrade\r\n\r\n"
        )
        #expect(try Self.writtenRequest(upgrade) == expected + "\r\n")
        #expect(
            try Self.writtenRequest(upgrade, HTTP1RequestForwarding(closes: true)) == expected
                + "Connection: close\r\n\r\n"
        )
        let host = HTTPHost.address(.v4(IPv4Address(192, 0, 2, 1)), port: 8080)
        #expect(
            try Self.writtenRequest("GET / HTTP/1.0\r\n\r\n", HTTP1RequestForwarding(hostIfAbsent: host))
                == "GET / HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n\r\n"
        )
        #expect(
            try Self.writtenRequest(expected + "\r\n", HTTP1RequestForwarding(upgrades: true, hostIfAbsent: host))
                == expected + "\r\n"
        )
    }

    @Test(
        "a response goes down without what is of one hop, and without Alt-Svc",
        arguments: [
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nX: y\r\nalt-svc: h3=\":443\"\r\nConnection: close, X-A\r\n"
                    + "X-A: 1\r\nKeep-Alive: 1\r\nProxy-Authenticate: x\r\nUpgrade: h2c\r\n\r\n",
                "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 3\r\n"
            ),
            ("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 404 \r\nContent-Length: 0\r\n"),
            (
                "HTTP/1.1 200 A  b\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 A  b\r\nTransfer-Encoding: chunked\r\n"
            ),
            (
                "HTTP/1.1 999 No\r\nContent-Length: 3\r\nX : y\r\nZ\t :1\r\nContent-Length : 3\r\n\r\n",
                "HTTP/1.1 999 No\r\nX: y\r\nZ: 1\r\nContent-Length: 3\r\n"
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n"),
            ("HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 OK\r\n"),
            ("HTTP/1.1 304 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 OK\r\nContent-Length: 5\r\n"),
            ("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n"),
        ]
    )
    func responses(text: String, expected: String) throws {
        #expect(try Self.writtenResponse(text) == expected + "\r\n")
    }

    @Test("the answer says what becomes of the client's connection")
    func responseForwarding() throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
        let closing = HTTP1ResponseForwarding(closes: true)
        let old = HTTP1ResponseForwarding(requestMinorVersion: 0)
        #expect(try Self.writtenResponse(head + "\r\n", closing) == head + "Connection: close\r\n\r\n")
        #expect(try Self.writtenResponse(head + "\r\n", old) == head + "Connection: keep-alive\r\n\r\n")
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try Self.writtenResponse(chunked, old) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        #expect(try readResponse(chunked).get()?.forwardedFraming(old) == .untilClose)
        #expect(try readResponse(chunked).get()?.forwardedFraming(closing) == .chunked)
        let answering = HTTP1Answering(method: .head, upgradeNames: ["websocket"])
        #expect(
            try Self.writtenResponse(chunked, answering: answering, old)
                == "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n"
        )
        #expect(try Self.writtenResponse(chunked, answering: answering) == chunked)
        let switching = "HTTP/1.1 101 Ok\r\nX: y\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
        #expect(try Self.writtenResponse(switching, answering: answering, closing) == switching)
    }
}
