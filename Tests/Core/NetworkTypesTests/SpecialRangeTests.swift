import NetworkTypes
import Testing

@Suite("Special addresses")
struct SpecialRangeTests {
    @Test(
        "metadata services are known by address (C01)",
        arguments: [
            "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
            "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
        ]
    )
    func metadata(text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.specialRange == .metadata)
        #expect(address.isMetadata)
    }

    @Test(
        "IPv4 inside IPv6 is special, whatever it holds (C03)",
        arguments: [
            "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "::2", "::127.0.0.1", "::ffff:0:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b::169.254.169.254", "64:ff9b:1::1", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:7f00:1::",
            "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
            "2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:127.0.0.1",
        ]
    )
    func embedded(text: String) throws {
        #expect(try #require(IPAddress(text)).specialRange == .embeddedIPv4)
    }

    @Test(
        "a special range is known by its first and last address (C04)",
        arguments: [
            ("0.0.0.0", "0.0.0.0", .unspecified), ("0.0.0.1", "0.255.255.255", .reserved),
            ("10.0.0.0", "10.255.255.255", .privateUse), ("100.64.0.0", "100.127.255.255", .sharedSpace),
            ("127.0.0.0", "127.255.255.255", .loopback), ("169.254.0.0", "169.254.255.255", .linkLocal),
            ("172.16.0.0", "172.31.255.255", .privateUse), ("192.0.0.0", "192.0.0.255", .reserved),
            ("192.88.99.0", "192.88.99.255", .reserved), ("192.168.0.0", "192.168.255.255", .privateUse),
            ("198.18.0.0", "198.19.255.255", .reserved), ("224.0.0.0", "239.255.255.255", .multicast),
            ("240.0.0.0", "255.255.255.255", .reserved),
            ("::", "::", .unspecified), ("::1", "::1", .loopback),
            ("::1:0:0:0", "::ffff:ffff:ffff:ffff", .reserved), ("0:0:0:1::", "64:ff9a:ffff::", .reserved),
            ("64:ff9c::", "1fff:ffff::", .reserved), ("2001:1::", "2001:1ff:ffff::", .reserved),
            ("4000::", "fbff:ffff::", .reserved), ("fc00::", "fdff:ffff::", .uniqueLocal),
            ("fe00::", "fe7f:ffff::", .reserved), ("fe80::", "febf:ffff::", .linkLocal),
            ("fec0::", "feff:ffff::", .reserved), ("ff00::", "ffff::", .multicast),
        ] as [(String, String, SpecialRange)]
    )
    func ranges(first: String, last: String, range: SpecialRange) throws {
        #expect(try #require(IPAddress(first)).specialRange == range)
        #expect(try #require(IPAddress(last)).specialRange == range)
    }

    @Test(
        "the addresses beside the special ranges are public, and so are the documentation ranges (C04)",
        arguments: [
            "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
            "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
            "192.88.98.255",
            "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
            "168.63.129.15", "192.0.2.1", "198.51.100.1", "203.0.113.1", "8.8.8.8",
            "2000::", "2001:200::", "2001:db8::1", "2003::", "2606:4700:4700::1111", "3fff::1", "3fff:ffff::",
        ]
    )
    func publicAddresses(text: String) throws {
        #expect(try #require(IPAddress(text)).specialRange == nil)
    }

    @Test(
        "only a mapped IPv4 address stands for another one (C03)",
        arguments: [
            ("::ffff:127.0.0.1", "127.0.0.1"), ("::ffff:0.0.0.0", "0.0.0.0"),
            ("::ffff:255.255.255.255", "255.255.255.255"), ("127.0.0.1", "127.0.0.1"), ("::127.0.0.1", "::127.0.0.1"),
            ("::ffff:0:127.0.0.1", "::ffff:0:127.0.0.1"), ("1::ffff:127.0.0.1", "1::ffff:127.0.0.1"), ("::1", "::1"),
        ]
    )
    func unmapped(text: String, other: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.unmapped == IPAddress(other))
        #expect(address.isMappedIPv4 == (text != other))
    }
}
