import NetworkTypes

/// How ICMP's "destination unreachable" looks that quotes a reset of this machine's: without options, as the kernel writes them.
struct QuotedReset {
    let family: AddressFamily
    let transport: Match.Transport
    /// Octets of the ICMP message that must have these values.
    let octets: [Octet]

    /// One octet, counted from the beginning of the ICMP header: `octet & mask == value`.
    struct Octet {
        var offset: UInt32
        var mask: UInt8 = 0xff
        var value: UInt8
    }

    init(_ family: AddressFamily) {
        self.family = family
        let reset = Match.TCPFlags.rst.rawValue
        switch family {
        case .ipv4:
            transport = .icmp
            // Its type; then, quoted behind eight octets: version and length, protocol, and the flags of TCP.
            octets = [
                Octet(offset: 0, value: 3), Octet(offset: 8, value: 0x45), Octet(offset: 8 + 9, value: 6),
                Octet(offset: 8 + 20 + 13, mask: reset, value: reset),
            ]
        case .ipv6:
            transport = .icmpv6
            octets = [
                Octet(offset: 0, value: 1), Octet(offset: 8 + 6, value: 6),
                Octet(offset: 8 + 40 + 13, mask: reset, value: reset),
            ]
        }
    }

    /// As nft(8) writes it.
    var text: String {
        let matches = octets.map { octet in
            let place = "@th,\(octet.offset * 8),8"
            return octet.mask == 0xff ? "\(place) \(octet.value)" : "\(place) & \(octet.mask) == \(octet.value)"
        }
        let kind = family == .ipv4 ? "meta nfproto ipv4 meta l4proto icmp" : "meta nfproto ipv6 meta l4proto ipv6-icmp"
        return ([kind] + matches).joined(separator: " ")
    }
}
