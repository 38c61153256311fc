/// A block by which the metadata service of a cloud can be reached.
package struct MetadataBlock: Hashable, Sendable {
    package let block: CIDR
    package let service: IPAddress

    /// The addresses of the services, and then the IPv6 blocks through which a translator or a relay reaches the IPv4 ones.
    package static let all: [MetadataBlock] =
        IPAddress.metadataServices.map { MetadataBlock(block: CIDR(single: $0), service: $0) }
        + IPAddress.metadataServices.flatMap { service in
            embeddings(service).map { MetadataBlock(block: $0, service: service) }
        }

    /// NAT64 with the well-known prefix (RFC 6052) and with the local-use one (RFC 8215), and 6to4 (RFC 3056).
    private static func embeddings(_ service: IPAddress) -> [CIDR] {
        guard case .v4(let address) = service else { return [] }
        let bits = UInt64(address.bits)
        return [
            CIDR(.v6(IPv6Address(high: 0x0064_ff9b_0000_0000, low: bits)), prefixLength: 128),
            CIDR(.v6(IPv6Address(high: 0x0064_ff9b_0001_0000, low: 0)), prefixLength: 48),
            CIDR(.v6(IPv6Address(high: 0x2002 << 48 | bits << 16, low: 0)), prefixLength: 48),
        ].compactMap { $0 }
    }
}

extension CIDR {
    /// The IPv4 block of one that holds nothing but IPv4 addresses in the clothes of IPv6; `nil` for any other block.
    package var unmapped: CIDR? {
        guard prefixLength >= 96, base.isMappedIPv4 else { return nil }
        return CIDR(base.unmapped, prefixLength: prefixLength - 96)
    }
}
