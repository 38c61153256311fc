import Testing
import WireFormats

@Suite("Openings that are neither TLS nor a request")
struct OtherOpeningTests {
    @Test(
        "a request with a method that only some server takes is never opaque (B06, B10)",
        arguments: ["_GET", "-GET", "!", "1", "G.E+T", "get", String(repeating: "A", count: 33), "~`|^"]
    )
    func oddMethods(method: String) {
        let request = "\(method) / HTTP/1.1\r\nHost: denied.example\r\n\r\n"
        #expect(reading(request) != .opaque)
        #expect(!reading(request).isUndecided)
    }

    @Test(
        "a protocol that is not ours is opaque by the bytes that show it (B06)",
        arguments: [
            ("SSH-2.0-OpenSSH_9.2\r\n", 20), ("EHLO example.com\r\n", 6), ("A001 LOGIN a b\r\n", 6),
            ("USER a\r\n", 6), ("QUIT\r\n", 5), ("set key value\r\n", 5), ("*1\r\n$4\r\nPING\r\n", 3),
            ("{\"jsonrpc\":\"2.0\"}", 1), ("GETX x\r\n", 6), ("OPTIONS rtsp://a/ RTSP/1.0\r\n", 28),
            ("HELO host\r\n", 11), ("CAP LS 302\r\n", 5), ("\0\0\0\u{8}", 1), ("Gopher\r\n", 7),
            ("dead\r\n", 5), ("0032git-up\r\n", 11), ("0\r\n", 2),
        ]
    )
    func opaque(text: String, decidedBy count: Int) {
        #expect(reading(text) == .opaque)
        #expect(decisionPoint(Array(text.utf8)) == count)
    }

    @Test(
        "a request of Git's own protocol is opaque at its first NUL (B06)",
        arguments: ["upload-pack", "receive-pack", "upload-archive"]
    )
    func git(service: String) {
        let line = "git-\(service) /a/b.git"
        let text = line + "\0host=git.example\0\0version=2\0"
        let digits = String(text.utf8.count + 4, radix: 16)
        let bytes = Array((String(repeating: "0", count: 4 - digits.count) + digits + text).utf8)
        #expect(reading(bytes) == .opaque)
        #expect(decisionPoint(bytes) == 4 + line.utf8.count + 1)
    }

    @Test(
        "what looks like one, and could be a request to somebody, is read as a request (B06, B10)",
        arguments: [
            "003egit-upload-pack / HTTP/1.1\r\nHost: denied.example\r\n\r\n", "0009git-upload-pack /a\0\r\n",
            "git-upload-pack /a\0b HTTP/1.1\r\n", "0032GIT-UPLOAD-PACK /a\0b\r\n", "0032git-upload-pack /a\tb\0\r\n",
        ]
    )
    func notGit(text: String) {
        #expect(reading(text) != .opaque)
        #expect(!reading(text).isUndecided)
    }

    @Test(
        "bytes that only begin like ours are opaque (B06)",
        arguments: [
            [22, 2], [22, 0xfe, 0xff], [21, 3, 3, 0, 2, 2, 40], [0x80, 1, 4], [0x80, 1, 1, 5], [0x80, 1, 1, 3, 5],
            [0x80, 1, 1, 0, 1], [5, 0], [5, 0, 0x0b, 3], [5, 2, 0, 0], [5, 1, 0xff], [4, 3], [4, 0],
            [4, 1, 0, 80, 1, 2, 3, 4, 7], Array("\r\n\u{1}".utf8), [0xff, 0xff, 0xff],
        ] as [[UInt8]]
    )
    func opaque(bytes: [UInt8]) {
        #expect(reading(bytes) == .opaque)
        #expect(reading(bytes + [0, 1, 2]) == .opaque)
        #expect(reading(Array(bytes.dropLast())).isUndecided || reading(Array(bytes.dropLast())) == .opaque)
    }

    @Test("the HTTP/2 preface is known when whole, and not before (B06)")
    func preface() {
        let bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        #expect(decisionPoint(bytes) == bytes.count)
        #expect(reading(bytes) == .http2Preface)
        #expect(reading(bytes + [0, 0, 0, 4]) == .http2Preface)
    }

    @Test(
        "a request for a proxy is known as such (B06)",
        arguments: [
            ("CONNECT a.com:443 HTTP/1.1\r\n", .connect), ("connect a.com:443 HTTP/1.1\r\n", .connect),
            ("GET http://a.com/ HTTP/1.1\r\n", .absoluteForm), ("FOO HTTPS://a.com/ HTTP/1.0\r\n", .absoluteForm),
            ("GET ftp://a.com/ HTTP/1.1\r\n", .absoluteForm),
            ("\u{5}\u{1}\0", .socks5), ("\u{5}\u{3}\0\u{1}\u{2}", .socks5),
            ("\u{4}\u{1}\0\u{50}\u{1}\u{2}\u{3}\u{4}joe\0", .socks4),
            ("\u{4}\u{1}\0\u{50}\0\0\0\u{1}\0a.com\0", .socks4),
        ] as [(String, ProxyRequestKind)]
    )
    func proxyRequests(text: String, kind: ProxyRequestKind) {
        let bytes = Array(text.utf8)
        #expect(reading(bytes) == .proxyRequest(kind))
        #expect(decisionPoint(bytes) == bytes.count)
        #expect(reading(bytes + [0, 255, 13, 10]) == .proxyRequest(kind))
    }

    @Test("nothing sent is nothing known")
    func nothing() {
        #expect(reading([]) == .needMore(total: 1))
    }

    @Test("the kinds of malformed opening are words that the audit can carry")
    func auditWords() {
        for kind in MalformedOpening.allCases {
            let foreign = kind.rawValue.filter { !($0.isLowercase || $0.isNumber || $0 == "_") }
            #expect(foreign.isEmpty)
        }
    }

    @Test("the alert is access_denied, fatal, in the client's version of TLS")
    func alert() {
        #expect(TLSAlert.accessDenied == [0x15, 3, 3, 0, 2, 2, 0x31])
        let versions: [(UInt16, UInt8)] = [(0x0300, 1), (0x0301, 1), (0x0302, 2), (0x0303, 3), (0x0304, 3)]
        for (sent, minor) in versions {
            let hello = ClientHello(legacyVersion: TLSVersion(rawValue: sent))
            #expect(TLSAlert.accessDenied(answering: hello) == [0x15, 3, minor, 0, 2, 2, 0x31])
        }
    }
}
