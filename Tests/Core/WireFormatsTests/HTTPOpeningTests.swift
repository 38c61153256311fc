import NetworkTypes
import Testing
import WireFormats

@Suite("The head of an HTTP request, sniffed")
struct HTTPOpeningTests {
    private static let sound = [
        "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "PROPFIND /dav HTTP/1.1\r\nHost:Example.COM:8080 \r\nAccept: */*\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhOsT:\texample.com.\t\r\n\r\n",
        "POST /%00/\\a?b#c HTTP/1.0\r\nX-Text: caf\u{e9}\r\n\r\nbody\0",
        "get /lower HTTP/1.1\r\nHost: \r\n\r\n",
        "M-SEARCH / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
    ]

    @Test("a head is read with its method, target, version and host (B07)")
    func heads() throws {
        let name = try HostName("example.com")
        let expected: [HTTPOpening] = [
            HTTPOpening(method: "GET", host: .name(name, port: nil), headBytes: 37),
            HTTPOpening(method: "PROPFIND", host: .name(name, port: 8080), headBytes: 63),
            HTTPOpening(method: "OPTIONS", target: .asterisk, host: .name(name, port: nil), headBytes: 43),
            HTTPOpening(method: "POST", minorVersion: 0, host: .absent, headBytes: 44),
            HTTPOpening(method: "get", host: .malformed(.empty), headBytes: 31),
            HTTPOpening(
                method: "M-SEARCH",
                host: .address(.v6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 1)), port: 80),
                headBytes: 47
            ),
        ]
        for (text, opening) in zip(Self.sound, expected) {
            #expect(reading(text) == .http(opening))
        }
    }

    @Test("a head cut anywhere needs more until it is whole, in one sitting or octet by octet (B05)", arguments: sound)
    func everySplit(text: String) throws {
        let bytes = Array(text.utf8)
        guard case .http(let opening) = reading(bytes) else {
            Issue.record("no head")
            return
        }
        for count in 0...bytes.count {
            let prefix = Array(bytes[..<count])
            #expect(reading(prefix).isUndecided == (count < opening.headBytes))
            #expect(reading(prefix, examined: max(count - 1, 0)).isUndecided == (count < opening.headBytes))
        }
    }

    @Test(
        "a head that is broken is malformed by kind (B07)",
        arguments: [
            ("GET / HTTP/1.1\nHost: a.com\n\n", .bareLineFeed),
            ("GET / HTTP/1.1\r\nHost: a.com\n\r\n", .bareLineFeed),
            ("GET / HTTP/1.1\r\nHost: a.com\r\n\n", .bareLineFeed),
            ("GET / HTTP/1.1\r\nHost: a.com\r\rX: y\r\n\r\n", .controlOctet),
            ("GET / HTTP/1.1\r\nHost: a\0.com\r\n\r\n", .controlOctet),
            ("GET / HTTP/1.1\r\nHost: a.com\r\nX\0: y\r\n\r\n", .controlOctet),
            ("GET /\0 HTTP/1.1\r\n", .controlOctet), ("PURGE /\t HTTP/1.1\r\n", .controlOctet),
            ("GET /\u{e9} HTTP/1.1\r\n", .requestTarget), ("GET\t/ HTTP/1.1\r\n", .requestLine),
            ("GET  / HTTP/1.1\r\n", .requestLine), ("GET / HTTP/1.1 \r\n", .requestLine),
            ("DELETE / HTTP/1.1 \r\n", .requestLine), ("GET /a b HTTP/1.1\r\n", .requestLine),
            ("GET a HTTP/1.1\r\n", .requestTarget), ("GET * HTTP/1.1\r\n", .requestTarget),
            ("GET / HTTP/1.2\r\n", .httpVersion), ("GET / HTTP/2.0\r\n", .httpVersion),
            ("GET / http/1.1\r\n", .httpVersion), ("GET /\r\n", .httpVersion), ("GET / HTTP/11\r\n", .httpVersion),
            ("PRI * HTTP/2.0\r\nHost: a.com\r\n\r\n", .httpVersion),
            ("GET / HTTP/1.1\r\n Host: a.com\r\n\r\n", .obsFold),
            ("GET / HTTP/1.1\r\nHost: a.com\r\n\tb\r\n\r\n", .obsFold),
            ("GET / HTTP/1.1\r\nHost : a.com\r\n\r\n", .fieldLine), ("GET / HTTP/1.1\r\n: a\r\n\r\n", .fieldLine),
            ("GET / HTTP/1.1\r\nHost\r\n\r\n", .fieldLine), ("GET / HTTP/1.1\r\n\r\n", .hostMissing),
            ("GET / HTTP/1.1\r\nHost: a.com\r\nhost: a.com\r\n\r\n", .hostDuplicated),
            ("GET / HTTP/1.0\r\nHost: a.com\r\nHost: b.com\r\n\r\n", .hostDuplicated),
            ("GET / HTTP/1.1\r\nHost: a.com:\r\n\r\n", .hostPort),
            ("GET / HTTP/1.1\r\nHost: a.com:080\r\n\r\n", .hostPort),
            ("GET / HTTP/1.1\r\nHost: a.com:70000\r\n\r\n", .hostPort),
            ("GET / HTTP/1.1\r\nHost: u:p@a.com\r\n\r\n", .hostPort),
            ("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", .hostPort),
            ("\r\nDELETE / HTTP/1.1\r\nHost: a.com\r\n\r\n", .leadingEmptyLine),
            ("\n\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .leadingEmptyLine), ("\r\n\r\n\r\n\r\n\r", .leadingEmptyLine),
        ] as [(String, MalformedOpening)]
    )
    func broken(text: String, kind: MalformedOpening) {
        #expect(reading(text) == .malformed(kind))
        #expect(reading(text + "\r\n\r\n\0") == .malformed(kind))
    }

    @Test(
        "B06, B08: white space that only some servers skip hides no request",
        arguments: [0x09, 0x0b, 0x0c, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0] as [UInt8]
    )
    func oddSpaces(space: UInt8) {
        let rest = Array("/ HTTP/1.1\r\nHost: a.com\r\n\r\n".utf8)
        let request = Array("PUT ".utf8) + rest
        #expect(reading([space] + request) == .malformed(.leadingEmptyLine))
        #expect(reading([space, 0x0d, 0x0a, space] + request) == .malformed(.leadingEmptyLine))
        #expect(reading(Array("PUT".utf8) + [space, space] + rest) == .malformed(.requestLine))
        #expect(reading(Array("FOO".utf8) + [space, space] + rest) == .malformed(.requestLine))
        #expect(reading(Array("FOO".utf8) + [space, space] + Array("bar\r\n".utf8)) == .opaque)
        #expect(reading([space] + Array("hello, world\r\n".utf8)) == .opaque)
    }

    @Test(
        "a Host that is no name is reported by kind (B03, B07)",
        arguments: [
            ("a.com\tb.com", .malformed(.controlOctet)), ("u@a.com", .malformed(.notLDH)),
            ("a.com b.com", .malformed(.notLDH)), ("a.com,b.com", .malformed(.notLDH)),
            ("a_b.com", .malformed(.notLDH)),
            ("b\u{fc}cher.example", .malformed(.notLDH)), ("127.1", .malformed(.addressLiteral)),
            ("0x7f.1:80", .malformed(.addressLiteral)), ("[fe80::1%25eth0]", .malformed(.addressLiteral)),
            ("[::1", .malformed(.addressLiteral)),
            ("127.0.0.1:80", .address(.v4(IPv4Address(127, 0, 0, 1)), port: 80)),
            ("[::1]", .address(.v6(IPv6Address(high: 0, low: 1)), port: nil)),
        ] as [(String, HTTPHost)]
    )
    func hosts(value: String, host: HTTPHost) {
        guard case .http(let opening) = reading("GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n") else {
            Issue.record("no head")
            return
        }
        #expect(opening.host == host)
    }
}
