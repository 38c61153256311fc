import NetworkTypes

/// True where a block holds or touches the address of a metadata service, plainly or as IPv4 embedded in IPv6.
func isMetadata(_ block: CIDR) -> Bool {
    block.base.isMetadata || metadataBlocks.contains(where: block.overlaps)
}

/// The addresses of `IPAddress.isMetadata` (a test compares the two lists), and the IPv6 blocks through which a translator or
/// a relay would reach the IPv4 ones.
let metadataBlocks: [CIDR] = metadataAddresses.map { CIDR(single: $0) } + metadataAddresses.flatMap(embeddings)

let metadataAddresses: [IPAddress] = [
    .v4(IPv4Address(169, 254, 169, 254)), .v4(IPv4Address(169, 254, 170, 2)), .v4(IPv4Address(169, 254, 170, 23)),
    .v4(IPv4Address(100, 100, 100, 200)), .v4(IPv4Address(168, 63, 129, 16)), .v4(IPv4Address(192, 0, 0, 192)),
    .v6(IPv6Address(high: 0xfd00_0ec2_0000_0000, low: 0x254)), .v6(IPv6Address(high: 0xfd00_0ec2_0000_0000, low: 0x23)),
    .v6(IPv6Address(high: 0xfd20_00ce_0000_0000, low: 0x254)),
]

/// NAT64 with the well-known prefix (RFC 6052) and with the local-use one (RFC 8215), and 6to4 (RFC 3056).
private func embeddings(_ address: IPAddress) -> [CIDR] {
    guard case .v4(let address) = address else { return [] }
    let bits = UInt64(address.bits)
    return [
        CIDR(.v6(IPv6Address(high: 0x0064_ff9b_0000_0000, low: bits)), prefixLength: 128),
        CIDR(.v6(IPv6Address(high: 0x0064_ff9b_0001_0000, low: 0)), prefixLength: 48),
        CIDR(.v6(IPv6Address(high: 0x2002 << 48 | bits << 16, low: 0)), prefixLength: 48),
    ].compactMap { $0 }
}
