import NetworkTypes
import Testing
import WireFormats

@Suite("The head of an HTTP/1 request")
struct HTTP1RequestTests {
    /// A head, and what the rest of its line says of it.
    struct Sound: CustomTestStringConvertible, Sendable {
        var text: String
        var host = "a.com"
        var port: UInt16 = 80
        var form = HTTP1Request.TargetForm.origin
        var path = "/"
        var query: String?
        var framing = HTTP1Framing.none
        var keepsAlive = true

        var testDescription: String { text }
    }

    static let sound: [Sound] = [
        Sound(text: "GET / HTTP/1.1\r\nHost: a.com\r\n\r\n"),
        Sound(text: "GET /x?y=1?2 HTTP/1.1\r\nhOST:\t A.com. \t\r\n\r\n", path: "/x", query: "y=1?2"),
        Sound(text: "GET /? HTTP/1.1\r\nHost: a.com:8080\r\n\r\n", host: "a.com:8080", port: 8080, query: ""),
        Sound(text: "GET //b.com/ HTTP/1.1\r\nHost: a.com\r\n\r\n", path: "//b.com/"),
        Sound(text: "get /%2e%2E/\\;a=b HTTP/1.1\r\nHost: a.com\r\n\r\n", path: "/%2e%2E/\\;a=b"),
        Sound(text: "GET / HTTP/1.1\r\nHost: [2001:DB8::1]\r\n\r\n", host: "[2001:db8::1]"),
        Sound(text: "GET / HTTP/1.1\r\nHost: 192.0.2.1:81\r\n\r\n", host: "192.0.2.1:81", port: 81),
        Sound(text: "GET / HTTP/1.0\r\n\r\n", host: "", keepsAlive: false),
        Sound(text: "GET / HTTP/1.0\r\nHost: a.com\r\nConnection: Keep-Alive\r\n\r\n"),
        Sound(text: "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\nHost: a.com\r\n\r\n", keepsAlive: false),
        Sound(text: "GET / HTTP/1.1\r\nHost: a.com\r\nConnection: , Close,\r\n\r\n", keepsAlive: false),
        Sound(text: "OPTIONS * HTTP/1.1\r\nHost: a.com\r\n\r\n", form: .asterisk, path: ""),
        Sound(text: "GET http://a.com HTTP/1.1\r\nHost: a.com\r\n\r\n", form: .absolute(.http)),
        Sound(text: "GET http://a.com?q HTTP/1.1\r\nHost: A.COM:80\r\n\r\n", form: .absolute(.http), query: "q"),
        Sound(
            text: "GET HTTP://a.com:80/b HTTP/1.1\r\nHost: a.com\r\n\r\n",
            host: "a.com:80",
            form: .absolute(.http),
            path: "/b"
        ),
        Sound(text: "GET https://a.com/ HTTP/1.1\r\nHost: a.com:443\r\n\r\n", port: 443, form: .absolute(.https)),
        Sound(text: "GET http://a.com/ HTTP/1.0\r\n\r\n", form: .absolute(.http), keepsAlive: false),
        Sound(text: "OPTIONS http://a.com HTTP/1.1\r\nHost: a.com\r\n\r\n", form: .absolute(.http), path: ""),
        Sound(
            text: "CONNECT a.com:443 HTTP/1.1\r\nHost: a.com\r\n\r\n",
            host: "a.com:443",
            port: 443,
            form: .authority,
            path: ""
        ),
        Sound(
            text: "CONNECT [::1]:22 HTTP/1.1\r\nHost: [::1]:22\r\nContent-Length: 0\r\n\r\n",
            host: "[::1]:22",
            port: 22,
            form: .authority,
            path: "",
            framing: .length(0)
        ),
        Sound(text: "POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 007\r\n\r\n", framing: .length(7)),
        Sound(
            text: "POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 9223372036854775807\r\n\r\n",
            framing: .length(9_223_372_036_854_775_807)
        ),
        Sound(text: "PUT / HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: Chunked\r\n\r\n", framing: .chunked),
        Sound(text: "GET / HTTP/1.1\r\nHost: a.com\r\nX:\r\nY: caf\u{e9}\tz\r\n\r\n"),
    ]

    @Test("a sound head is read whole, and the same however it comes (B07, B08, B10)", arguments: sound)
    func soundHead(_ expected: Sound) throws {
        let head = Array(expected.text.utf8)
        // What follows belongs to the next message, however odd.
        let bytes = head + Array("\0\n GET".utf8)
        let whole = readRequest(bytes)
        let request = try #require(try whole.get())
        #expect(request.headBytes == head.count)
        #expect(request.host.authority == expected.host)
        #expect(request.port == expected.port)
        #expect(request.form == expected.form)
        #expect(String(decoding: request.path, as: UTF8.self) == expected.path)
        #expect(request.query.map { String(decoding: $0, as: UTF8.self) } == expected.query)
        #expect(request.framing == expected.framing)
        #expect(request.keepsAlive == expected.keepsAlive)
        #expect(request.method == String(expected.text.prefix { $0 != " " }))
        for ends in splits(head.count) { #expect(readRequest(bytes, ends: ends) == whole, "\(ends)") }
        for count in 0..<head.count { #expect(try readRequest(Array(head[..<count])).get() == nil) }
    }

    private static let heads = "GET / HTTP/1.1\r\nHost: a.com\r\n"

    @Test(
        "what two readers could read in two ways is refused with its reason, however it comes (B07, B08)",
        arguments: brokenLines + brokenFraming + brokenConnection
    )
    func broken(_ vector: (String, HTTP1Violation)) {
        check(Array(vector.0.utf8), vector.1)
    }

    @Test(
        "an octet that is no text is refused wherever it stands (B08)",
        arguments: Array(0..<0x20) + [0x7f] as [UInt8]
    )
    func controlOctets(octet: UInt8) {
        for place in ["GET /|", "GET / HTTP/1.1|", "\(Self.heads)X|", "\(Self.heads)X:|", "\(Self.heads)X: a|b"] {
            let isInValue = place.contains("X:")
            guard octet != 9 || !isInValue else { continue }
            let parts = place.split(separator: "|", omittingEmptySubsequences: false).map { Array($0.utf8) }
            let bytes = parts[0] + [octet] + parts[1] + Array("z HTTP/1.1\r\n\r\n".utf8)
            let result = readRequest(bytes)
            guard case .failure = result else {
                Issue.record("octet \(octet) was taken at \(place)")
                continue
            }
            for ends in splits(bytes.count) { #expect(readRequest(bytes, ends: ends) == result) }
        }
    }

    @Test("octets beyond ASCII are refused in a target and a name, and kept in a value (B03, B08)")
    func beyondASCII() throws {
        check(Array("GET /\u{e9} HTTP/1.1\r\nHost: a.com\r\n\r\n".utf8), .targetNotASCII)
        check(Array("\(Self.heads)\u{e9}: a\r\n\r\n".utf8), .fieldLine)
        check(Array("GET / HTTP/1.1\r\nHost: \u{e9}.com\r\n\r\n".utf8), .hostMalformed)
        let bytes = Array(Self.heads.utf8) + Array("X: ".utf8) + [0xff, 0xc0] + Array("\r\n\r\n".utf8)
        let request = try #require(try readRequest(bytes).get())
        #expect(request.fields.values(of: "x") == [[0xff, 0xc0]])
    }

    @Test("one reader reads one head after the other (B08)")
    func pipelining() throws {
        let first = Array("POST /a HTTP/1.1\r\nHost: a.com\r\nContent-Length: 0\r\n\r\n".utf8)
        let bytes = first + Array("GET /b HTTP/1.1\r\nHost: b.com\r\n\r\n".utf8)
        var reader = HTTP1RequestReader()
        let one = try #require(try reader.read(bytes.span))
        let two = try #require(try reader.read(bytes.span.extracting(one.headBytes..<bytes.count)))
        #expect(one.host.authority == "a.com")
        #expect(two.host.authority == "b.com")
        #expect(two.path.elementsEqual("/b".utf8))
        #expect(one.headBytes + two.headBytes == bytes.count)
    }

    @Test("what a field of one hop says is seen by nobody behind this hop (B08)")
    func valuesAreThoseForwarded() throws {
        let text = """
            Connection: X-Secret, keep-alive\r\nX-Secret: 1\r\nx-secret: 2\r\nX-Open: 3\r\nx-open:  4 \r\n\
            Proxy-Authorization: Basic eA==\r\nKeep-Alive: 5\r\nTE: trailers\r\nHTTP2-Settings: AA\r\n\r\n
            """
        let request = try #require(try readRequest(Self.heads + text).get())
        #expect(request.fields.values(of: "x-secret").isEmpty)
        #expect(request.fields.values(of: "x-open") == [Array("3".utf8)[...], Array("4".utf8)[...]])
        for name in ["connection", "proxy-authorization", "keep-alive", "te", "http2-settings"] {
            #expect(request.fields.values(of: name).isEmpty, "\(name)")
        }
        #expect(request.fields.values(of: "host") == [Array("a.com".utf8)[...]])
    }

    @Test("Expect and Upgrade are told, and unknown to HTTP/1.0 (B06)")
    func expectationAndUpgrade() throws {
        let fields = "Expect: 100-Continue\r\nConnection: Upgrade\r\nUpgrade: WebSocket, x/2\r\nupgrade: h2c\r\n\r\n"
        let request = try #require(try readRequest(Self.heads + fields).get())
        #expect(request.expectsContinue)
        #expect(request.asksUpgrade)
        #expect(request.offersH2C)
        #expect(request.upgradeNames == ["websocket", "x/2", "h2c"])
        let old = Self.heads.replacing("1.1", with: "1.0")
        let other = try #require(try readRequest(old + fields).get())
        #expect(!other.expectsContinue)
        #expect(!other.asksUpgrade)
        #expect(other.upgradeNames.isEmpty)
        #expect(other.fields.values(of: "expect").isEmpty)
        let unnamed = try #require(try readRequest(Self.heads + "Upgrade: h2c\r\n\r\n").get())
        #expect(!unnamed.asksUpgrade)
        #expect(!unnamed.offersH2C)
        let versioned = try #require(try readRequest(Self.heads + "Upgrade: websocket, h2c/1\r\n\r\n").get())
        #expect(versioned.offersH2C)
    }

    @Test("an upgrade to h2c alone is as if it were not asked for (B06)", arguments: ["h2c", "H2C/1", "h2c, h2c"])
    func upgradeToH2CAlone(names: String) throws {
        let fields = "Upgrade: \(names)\r\nHTTP2-Settings: AA\r\nConnection: Upgrade, HTTP2-Settings\r\nX: y\r\n\r\n"
        let request = try #require(try readRequest(Self.heads + fields).get())
        #expect(!request.asksUpgrade && !request.offersH2C && request.keepsAlive)
        #expect(request.answering.upgradeNames.isEmpty)
        var sent: [UInt8] = []
        request.append(to: &sent, forwarding: HTTP1RequestForwarding(upgrades: true))
        #expect(String(decoding: sent, as: UTF8.self) == Self.heads + "X: y\r\n\r\n")
    }

    private func check(_ bytes: [UInt8], _ violation: HTTP1Violation) {
        #expect(readRequest(bytes) == .failure(violation))
        for ends in splits(bytes.count) { #expect(readRequest(bytes, ends: ends) == .failure(violation), "\(ends)") }
        #expect(readRequest(bytes + Array("\r\n\r\n\0".utf8)) == .failure(violation))
    }
}
