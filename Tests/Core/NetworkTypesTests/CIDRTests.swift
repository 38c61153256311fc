import NetworkTypes
import Testing

@Suite("Blocks of addresses")
struct CIDRTests {
    @Test(
        "a block holds its first and last address, and not the ones beside them",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"),
            ("203.0.113.128/25", "203.0.113.128", "203.0.113.255", "203.0.113.127", "203.0.114.0"),
            ("192.0.2.1/32", "192.0.2.1", "192.0.2.1", "192.0.2.0", "192.0.2.2"),
            ("128.0.0.0/1", "128.0.0.0", "255.255.255.255", "127.255.255.255", "::8000:0"),
            ("2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db9::"),
            ("fe80::/64", "fe80::", "fe80::ffff:ffff:ffff:ffff", "fe7f:ffff::", "fe80:0:0:1::"),
            ("fe80::/65", "fe80::", "fe80::7fff:ffff:ffff:ffff", "fe7f::", "fe80::8000:0:0:0"),
            ("::1/128", "::1", "::1", "::", "::2"),
        ]
    )
    func edges(text: String, first: String, last: String, before: String, after: String) throws {
        let block = try CIDR(text)
        #expect(block.description == text)
        #expect(block.contains(try #require(IPAddress(first))))
        #expect(block.contains(try #require(IPAddress(last))))
        #expect(!block.contains(try #require(IPAddress(before))))
        #expect(!block.contains(try #require(IPAddress(after))))
    }

    @Test("a block of everything holds its own family only (C03)")
    func families() throws {
        let four = try CIDR("0.0.0.0/0")
        let six = try CIDR("::/0")
        let mapped = try #require(IPAddress("::ffff:10.0.0.1"))
        let plain = try #require(IPAddress("10.0.0.1"))
        #expect(four.contains(plain) && !four.contains(mapped))
        #expect(six.contains(mapped) && !six.contains(plain))
        #expect(!four.overlaps(six))
    }

    @Test(
        "what is no block is refused with its reason (C02)",
        arguments: [
            ("", .notAnAddress), ("/8", .notAnAddress), ("10.0/8", .notAnAddress), ("010.0.0.0/8", .notAnAddress),
            ("fe80::%1/10", .notAnAddress), ("10.0.0.0/", .badPrefixLength), ("10.0.0.0/33", .badPrefixLength),
            ("10.0.0.0/-1", .badPrefixLength), ("10.0.0.0/08", .badPrefixLength), ("10.0.0.0/8/8", .badPrefixLength),
            ("10.0.0.0/255.0.0.0", .badPrefixLength), ("::/129", .badPrefixLength), ("::/65536", .badPrefixLength),
        ] as [(String, CIDR.TextError)]
    )
    func refused(text: String, reason: CIDR.TextError) {
        #expect(throws: reason) { try CIDR(text) }
    }

    @Test(
        "bits after the prefix are refused, and the block that was meant is named",
        arguments: [
            ("10.0.0.1/8", "10.0.0.0/8"), ("10.0.0.1/0", "0.0.0.0/0"), ("2001:db8::1/64", "2001:db8::/64"),
            ("ffff::1/0", "::/0"), ("fe80::ffff:0:0:0/65", "fe80::8000:0:0:0/65"),
        ]
    )
    func hostBits(text: String, block: String) throws {
        #expect(throws: CIDR.TextError.hostBitsSet(base: try CIDR(block))) { try CIDR(text) }
    }

    @Test("blocks overlap where one holds the other")
    func overlaps() throws {
        let wide = try CIDR("10.0.0.0/8")
        let narrow = try CIDR("10.1.0.0/16")
        let other = try CIDR("11.0.0.0/16")
        #expect(wide.overlaps(narrow) && narrow.overlaps(wide) && wide.overlaps(wide))
        #expect(!wide.overlaps(other) && !other.overlaps(narrow))
        #expect(try CIDR("192.0.2.1") == CIDR("192.0.2.1/32"))
        #expect(try CIDR("::1").prefixLength == 128)
    }
}
