import NetworkTypes
import Testing

@Suite("Host names and patterns")
struct HostNameTests {
    @Test(
        "a name has one form (B03, C02)",
        arguments: [
            ("example.com", "example.com"), ("EXAMPLE.COM.", "example.com"), ("A", "a"), ("a--b.c", "a--b.c"),
            ("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"), ("3com.com", "3com.com"),
            ("1.2.3.4.example", "1.2.3.4.example"),
            ("0xff.example", "0xff.example"), ("127.0.0.1x", "127.0.0.1x"), ("abc.0xg", "abc.0xg"), ("face", "face"),
        ]
    )
    func canonical(text: String, name: String) throws {
        let host = try HostName(text)
        #expect(host.text == name)
        #expect(try HostName(host.text) == host)
    }

    @Test(
        "an address in any form that some resolver takes is no name (C02)",
        arguments: [
            "127.0.0.1", "127.0.0.1.", "127.1", "0", "1.", "2130706433", "0x7f000001", "0X7F.1", "0x", "0177.0.0.1",
            "017700000001", "example.1", "a.0x1", "99999999999", "::1", "[::1]", "::", "fe80::1%eth0",
            "::ffff:127.0.0.1",
        ]
    )
    func addressLiterals(text: String) {
        #expect(throws: HostName.Malformed.addressLiteral) { try HostName(text) }
    }

    @Test("octets that are no text are refused, too (B03)")
    func rawOctets() {
        #expect(throws: HostName.Malformed.notLDH) { try HostName(octets: [0x61, 0xff, 0x62]) }
        #expect(throws: HostName.Malformed.controlOctet) { try HostName(octets: [0x61, 0xff, 0x00]) }
        #expect(throws: HostName.Malformed.notLDH) { try HostName(octets: "a\u{3002}com".utf8) }
        #expect(throws: HostName.Malformed.controlOctet) { try HostName(octets: Array("a.com\0".utf8)[...]) }
    }

    @Test("labels end at 63 octets and names at 253 (B03)")
    func lengths() throws {
        let label = String(repeating: "a", count: 63)
        let name = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(try HostName(name).text.utf8.count == 253)
        #expect(try HostName(name + ".").text == name)
        #expect(throws: HostName.Malformed.tooLong) { try HostName(name + "b") }
        #expect(try HostName(label).text == label)
        #expect(throws: HostName.Malformed.badLabel) { try HostName(label + "a") }
    }

    @Test(
        "a pattern is a name, or everything below one and never its apex (B03)",
        arguments: [
            ("example.com", "example.com", true), ("example.com", "a.example.com", false),
            ("EXAMPLE.com.", "example.com", true), ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true), ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false), ("*.example.com", "example.com.evil.net", false),
            ("*.com", "example.com", true), ("*.com", "com", false),
        ]
    )
    func patterns(pattern: String, name: String, matches: Bool) throws {
        let pattern = try HostPattern(pattern)
        #expect(pattern.matches(try HostName(name)) == matches)
        #expect(try HostPattern(pattern.description) == pattern)
    }

    @Test(
        "a star stands alone, once, and at the front",
        arguments: [
            ("*", .notLDH), ("*.", .empty), ("*.*.com", .notLDH), ("a*.com", .notLDH), ("a.*.com", .notLDH),
            ("**.com", .notLDH), ("*.1.2.3.4", .addressLiteral), ("", .empty), ("*..com", .badLabel),
        ] as [(String, HostName.Malformed)]
    )
    func badPatterns(pattern: String, kind: HostName.Malformed) {
        #expect(throws: kind) { try HostPattern(pattern) }
    }
}
