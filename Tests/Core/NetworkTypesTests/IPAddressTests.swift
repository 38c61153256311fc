import NetworkTypes
import Testing

@Suite("Addresses as text")
struct IPAddressTests {
    @Test(
        "an address is written in one form only, whatever form it was read in (C02)",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("203.0.113.7", "203.0.113.7"),
            ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0:0:0:0:0:0:0:0", "::"),
            ("2001:DB8::0:1", "2001:db8::1"), ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("::ffff:c000:201", "::ffff:192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ]
    )
    func canonicalText(read: String, written: String) throws {
        let address = try #require(IPAddress(read))
        #expect(address.description == written)
        #expect(IPAddress(written) == address)
    }

    @Test(
        "other forms are no address, never a reinterpreted one (C02)",
        arguments: [
            "", " ", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01",
            "00.0.0.0",
            "1.2.3.4.", ".1.2.3.4", "1..2.3", "1.2.3.256", "1.2.3.4.5", "1.2.3.-4", "1.2.3.+4", "1.2.3.4 ", "1.2.3.4\0",
            "1.2.3.4/32", "1.2.3.99999999999999999999", "１.2.3.4", "[::1]", "::1%eth0", "fe80::1%1", ":", ":::", "1:",
            ":1",
            "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::",
            "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", "::+1", "::ffff:0x7f.0.0.1", "::1\n",
        ]
    )
    func refusedText(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("octets and text tell the same address")
    func octets() throws {
        let four = try #require(IPAddress("203.0.113.7"))
        #expect(four.octets == [203, 0, 113, 7])
        #expect(four.family == .ipv4)
        let six = try #require(IPv6Address("2001:db8:1:2:3:4:5:6"))
        #expect(six.octets == [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6])
        #expect(IPv6Address(octets: six.octets) == six)
        #expect(IPv6Address(octets: six.octets.dropLast()) == nil)
        #expect(IPAddress.v6(six).family == .ipv6)
    }

    @Test("every pattern of zero groups comes back from its text")
    func roundTrip() {
        for pattern in 0..<256 {
            let octets = (0..<8).flatMap { pattern >> $0 & 1 == 0 ? [0, 0] : [0xab, UInt8($0)] as [UInt8] }
            let address = IPv6Address(octets: octets)
            let text = address?.description ?? ""
            #expect(IPv6Address(text) == address, "\(text)")
        }
    }

    @Test("an address and a port are read as they are written, and in no other form (C02)")
    func socketAddresses() {
        for text in ["203.0.113.7:443", "[2001:db8::7]:443", "[::]:0", "[::ffff:192.0.2.1]:65535"] {
            #expect(SocketAddress(text)?.description == text)
        }
        let refused = [
            "203.0.113.7", "203.0.113.7:", "203.0.113.7:65536", "203.0.113.7:080", "203.0.113.7:+80",
            "[203.0.113.7]:80",
            "2001:db8::7:443", "[2001:db8::7]", "[2001:db8::7]443", "[::1%lo]:80", "[::1:80", "::1]:80", ":80", "[]:80",
            "[:80",
        ]
        for text in refused { #expect(SocketAddress(text) == nil, "\(text)") }
    }

    @Test("a port is decimal, without sign, zeros or space")
    func ports() {
        #expect(portNumber("0") == 0)
        #expect(portNumber("65535") == 65535)
        for text in ["", "65536", "99999", "100000", "01", "-1", "+1", " 1", "1 ", "0x1", "１"] {
            #expect(portNumber(text) == nil, "\(text)")
        }
    }
}
