import Testing
import WireFormats

/// A hello and what is wrong with it.
struct BrokenHello: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var bytes: [UInt8]
    var kind: MalformedOpening

    init(_ description: String, _ kind: MalformedOpening, _ change: (inout HelloBuilder) -> Void) {
        var builder = HelloBuilder()
        change(&builder)
        self.init(description, kind, bytes: builder.bytes)
    }

    init(_ description: String, _ kind: MalformedOpening, bytes: [UInt8]) {
        testDescription = description
        self.bytes = bytes
        self.kind = kind
    }
}

private let brokenHellos: [BrokenHello] = [
    BrokenHello("version 2.3", .helloVersion) { $0.legacyVersion = 0x0203 },
    BrokenHello("33 octets of session", .helloLength) { $0.session = [UInt8](repeating: 1, count: 33) },
    BrokenHello("no cipher suites", .helloLength) { $0.cipherSuites = [] },
    BrokenHello("half a cipher suite", .helloLength) { $0.cipherSuites = [0x13, 0x01, 0x13] },
    BrokenHello("no compression method", .helloLength) { $0.compression = [] },
    BrokenHello("bytes behind the extensions", .helloLength) { $0.trailer = [0] },
    BrokenHello("an extension twice", .extensionDuplicated) { $0.extensions = [(10, []), (11, []), (10, [])] },
    BrokenHello("GREASE twice", .extensionDuplicated) { $0.extensions = [(0x0a0a, []), (0x0a0a, [])] },
    BrokenHello("a server name twice (B03)", .extensionDuplicated) {
        $0.extensions =
            HelloBuilder.naming(Array("a.com".utf8)).extensions + HelloBuilder.naming(Array("b.com".utf8)).extensions
    },
    BrokenHello("a key before the end", .preSharedKeyNotLast) { $0.extensions = [(41, [0]), (10, [])] },
    BrokenHello("an empty server_name", .serverNameLength) { $0.extensions = [(0, [])] },
    BrokenHello("a byte behind the name list", .serverNameLength) {
        $0.extensions = [(0, vector16([0, 0, 1, 97]) + [0])]
    },
    BrokenHello("a name longer than its list", .serverNameLength) { $0.extensions = [(0, vector16([0, 0, 2, 97]))] },
    BrokenHello("an empty ALPN list", .protocolNamesLength) { $0.extensions = [(16, [0, 0])] },
    BrokenHello("an empty protocol name", .protocolNamesLength) { $0.extensions = [(16, vector16([0]))] },
    BrokenHello("a byte behind the ALPN list", .protocolNamesLength) {
        $0.extensions = [(16, vector16([1, 97]) + [1])]
    },
    BrokenHello("half a version", .supportedVersionsLength) { $0.extensions = [(43, [3, 3, 4, 3])] },
    BrokenHello("no versions", .supportedVersionsLength) { $0.extensions = [(43, [0])] },
    BrokenHello("early data with content", .earlyDataLength) { $0.extensions = [(42, [0])] },
    BrokenHello("half an extension", .helloLength, bytes: HelloBuilder().bytes(rawExtensions: [0, 10, 0, 1])),
    BrokenHello("an empty message", .helloLength, bytes: records(handshakeMessage([]), length: 100)),
    BrokenHello("another message first", .notClientHello, bytes: records(handshakeMessage([], type: 0), length: 4)),
    BrokenHello(
        "a second message in the same record",
        .helloTrailingBytes,
        bytes: records(HelloBuilder().message + [20], length: 9999)
    ),
    BrokenHello("an empty record", .recordEmpty, bytes: [22, 3, 1, 0, 0]),
    BrokenHello("an empty record in the middle", .recordEmpty, bytes: [22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 0]),
    BrokenHello("a record over 2^14", .recordTooLong, bytes: [22, 3, 1, 0x40, 0x01]),
    BrokenHello("application data in the middle", .recordInterleaved, bytes: [22, 3, 1, 0, 1, 1, 23]),
    BrokenHello("a record of no TLS in the middle", .recordInterleaved, bytes: [22, 3, 1, 0, 1, 1, 22, 2]),
    BrokenHello("SSL 2.0", .sslv2Hello, bytes: [0x80, 46, 1, 0, 2, 0, 3]),
    BrokenHello("TLS in SSL 2.0's clothes", .sslv2Hello, bytes: [0x80, 46, 1, 3, 1, 0, 3]),
]

extension HelloBuilder {
    /// The same hello with octets for its extensions that the builder would not make.
    fileprivate func bytes(rawExtensions octets: [UInt8]) -> [UInt8] {
        records(handshakeMessage(body.dropLast(2) + vector16(octets)), length: recordLength)
    }
}

@Suite("The shape of a ClientHello")
struct ClientHelloShapeTests {
    @Test("a hello that is broken is malformed, by kind, as soon as it shows (B05)", arguments: brokenHellos)
    func broken(hello: BrokenHello) {
        #expect(reading(hello.bytes) == .malformed(hello.kind))
        #expect(reading(hello.bytes + [0, 0, 0]) == .malformed(hello.kind))
    }

    @Test("a hello without extensions is a hello (B05)")
    func withoutExtensions() {
        let body = HelloBuilder(legacyVersion: 0x0301).body.dropLast(2)
        let hello = ClientHello(legacyVersion: .tls10)
        #expect(reading(records(handshakeMessage(Array(body)), length: 9999)) == .tls(hello))
    }

    @Test("records behind the hello are not looked at (B05)")
    func recordsBehind() {
        let bytes = HelloBuilder().bytes
        #expect(reading(bytes + [23, 3, 3, 0, 1, 0]).hello == reading(bytes).hello)
        #expect(reading(bytes).hello != nil)
    }

    @Test("GREASE is no version, and an extension like any unknown one (B05)")
    func grease() {
        let builder = HelloBuilder(extensions: [(0x1a1a, [1]), (43, [6, 0xfa, 0xfa, 3, 3, 3, 4]), (0xfafa, [])])
        #expect(reading(builder.bytes).hello?.highestVersion == .tls13)
        let alone = HelloBuilder(extensions: [(43, [2, 0x0a, 0x0a])])
        #expect(reading(alone.bytes).hello?.highestVersion == .tls12)
    }

    @Test("ECH and ESNI are seen (B04)", arguments: [0xfe0d, 0xffce] as [UInt16])
    func encryptedHello(type: UInt16) {
        let builder = HelloBuilder(extensions: [(type, [0, 1, 2])])
        #expect(reading(builder.bytes).hello?.offersEncryptedClientHello == true)
        #expect(reading(HelloBuilder().bytes).hello?.offersEncryptedClientHello == false)
    }

    @Test("an ALPN name that is not printable is shown in hexadecimal")
    func unprintableProtocol() {
        let names = vector16(vector8([0x0a, 0xff]) + vector8(Array("h2".utf8)) + vector8(Array("a b".utf8)))
        let hello = reading(HelloBuilder(extensions: [(16, names)]).bytes).hello
        #expect(hello?.protocolNames == ["0x0aff", "h2", "0x612062"])
    }

    @Test("the record's minor version is not looked at", arguments: [0, 1, 3, 4, 0xff] as [UInt8])
    func minorVersion(minor: UInt8) {
        var bytes = HelloBuilder().bytes
        bytes[2] = minor
        #expect(reading(bytes).hello != nil)
    }
}
