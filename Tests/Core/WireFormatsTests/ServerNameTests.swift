import NetworkTypes
import Testing
import WireFormats

@Suite("The name in a ClientHello")
struct ServerNameTests {
    private static let longest = [63, 63, 63, 61].map { String(repeating: "a", count: $0) }.joined(separator: ".")

    @Test(
        "a name is taken in its canonical form (B03)",
        arguments: [
            ("example.com", "example.com"), ("EXAMPLE.Com", "example.com"), ("example.com.", "example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"), ("a", "a"), ("1password.com", "1password.com"),
            (longest, longest), (longest + ".", longest),
        ]
    )
    func canonical(sent: String, name: String) throws {
        let expected = try HostName(name)
        #expect(reading(HelloBuilder.naming(Array(sent.utf8)).bytes).hello?.serverName == .name(expected))
        #expect(expected.text == name)
    }

    @Test(
        "what is no host name is refused by kind, not repaired (B03)",
        arguments: [
            ("", .empty), (".", .empty), ("a..b", .badLabel), (".a", .badLabel), ("a.com..", .badLabel),
            ("-a.com", .badLabel), ("a-.com", .badLabel),
            ("attacker\0.google.com", .controlOctet), ("google.com\0", .controlOctet), ("a\tb.com", .controlOctet),
            ("a.com\r\n", .controlOctet), ("a\u{7f}.com", .controlOctet),
            ("my_host.com", .notLDH), ("a%2ecom", .notLDH), ("bücher.example", .notLDH), ("*.example.com", .notLDH),
            ("user@a.com", .notLDH), ("a.com/", .notLDH), ("a b.com", .notLDH),
            ("192.0.2.1", .addressLiteral), ("192.0.2.1.", .addressLiteral), ("127.1", .addressLiteral),
            ("2130706433", .addressLiteral), ("0x7f000001", .addressLiteral), ("0177.0.0.1", .addressLiteral),
            ("::1", .addressLiteral), ("[::1]", .addressLiteral), ("2001:db8::1", .addressLiteral),
            ("a.com:443", .addressLiteral),
            (longest + "a", .tooLong), (String(repeating: "a", count: 300), .tooLong),
            (String(repeating: "a", count: 64) + ".com", .badLabel),
        ] as [(String, HostName.Malformed)]
    )
    func malformed(sent: String, kind: HostName.Malformed) {
        let octets = Array(sent.utf8)
        let name = reading(HelloBuilder.naming(octets).bytes).hello?.serverName
        #expect(name == .malformed(kind, octets: octets.count))
    }

    @Test("several entries, none, and another type of entry are told apart (B03)")
    func entries() {
        let two = HelloBuilder.naming(Array("a.com".utf8), Array("b.com".utf8))
        #expect(reading(two.bytes).hello?.serverName == .several(count: 2))
        let same = HelloBuilder.naming(Array("a.com".utf8), Array("a.com".utf8))
        #expect(reading(same.bytes).hello?.serverName == .several(count: 2))
        #expect(reading(HelloBuilder.naming().bytes).hello?.serverName == .emptyList)
        let other = HelloBuilder(extensions: [(0, vector16([1] + vector16([97])))])
        #expect(reading(other.bytes).hello?.serverName == .otherType(1))
        #expect(reading(HelloBuilder().bytes).hello?.serverName == .absent)
    }
}
