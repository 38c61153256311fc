/// The kinds of address that are no place on the public internet, and are dialled only where a rule's `cidrs` names them.
///
/// Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890) and the metadata addresses of the clouds.
/// The documentation ranges (RFC 5737, RFC 3849, RFC 9637) count as public, by decision: examples and tests use them.
package enum SpecialRange: String, Hashable, Sendable, CaseIterable {
    case unspecified
    case loopback
    case privateUse = "private"
    case linkLocal = "link_local"
    case uniqueLocal = "unique_local"
    case sharedSpace = "cgnat"
    case multicast
    case reserved
    case metadata
    /// IPv4 inside IPv6: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
    case embeddedIPv4 = "embedded_ipv4"
}

extension IPAddress {
    /// The special range that this address lies in; `nil` for a public address.
    package var specialRange: SpecialRange? {
        switch self {
        case .v4(let address): address.specialRange
        case .v6(let address): address.specialRange
        }
    }

    /// An IPv4 address in the clothes of IPv6 (RFC 4291, section 2.5.5.2): the kernel connects to the IPv4 address itself.
    ///
    /// Blocks of addresses do not see through it, so it is never dialled.
    package var isMappedIPv4: Bool { unmapped != self }

    /// Where the kernel connects to: for a mapped IPv4 address the IPv4 address itself, for any other address that one.
    package var unmapped: IPAddress {
        guard case .v6(let address) = self, address.high == 0, address.low >> 32 == 0xffff else { return self }
        return .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: address.low)))
    }

    /// True of what one machine may have: no wildcard, no group's address, and no IPv4 address in the clothes of IPv6.
    ///
    /// Nor 240.0.0.0/4 (RFC 1112, section 4), whose last address is everybody's on the link.
    package var isOneMachines: Bool {
        if case .v4(let address) = self, address.bits >> 28 == 0xf { return false }
        return specialRange != .unspecified && specialRange != .multicast && !isMappedIPv4
    }

    /// An instance metadata or pod identity service of a cloud, by address.
    package var isMetadata: Bool {
        specialRange == .metadata
    }

    /// The addresses of which `isMetadata` is true, that of most clouds first.
    package static let metadataServices: [IPAddress] =
        IPv4Address.metadata.map { .v4(IPv4Address(bits: $0)) } + IPv6Address.metadata.map { .v6($0) }
}

extension IPv4Address {
    package var specialRange: SpecialRange? {
        if Self.metadata.contains(bits) { return .metadata }
        return switch bits >> 24 {
        case 0: bits == 0 ? .unspecified : .reserved
        case 10: .privateUse
        case 127: .loopback
        case 100 where bits >> 22 == 0x6440_0000 >> 22: .sharedSpace
        case 169 where bits >> 16 == 0xa9fe: .linkLocal
        case 172 where bits >> 20 == 0xac1: .privateUse
        case 192 where bits >> 16 == 0xc0a8: .privateUse
        case 192 where bits >> 8 == 0xc00000: .reserved  // 192.0.0.0/24, IETF protocol assignments
        case 192 where bits >> 8 == 0xc05863: .reserved  // 192.88.99.0/24, the retired 6to4 relays
        case 198 where bits >> 17 == 0xc612_0000 >> 17: .reserved  // 198.18.0.0/15, benchmarking
        case 224...239: .multicast
        case 240...255: .reserved
        default: nil
        }
    }

    /// 169.254.169.254 (most clouds), 169.254.170.2 and .23 (ECS, EKS), 100.100.100.200 (Alibaba), 168.63.129.16 (Azure),
    /// 192.0.0.192 (Oracle).
    fileprivate static let metadata: [UInt32] = [
        0xa9fe_a9fe, 0xa9fe_aa02, 0xa9fe_aa17, 0x6464_64c8, 0xa83f_8110, 0xc000_00c0,
    ]
}

extension IPv6Address {
    package var specialRange: SpecialRange? {
        if high == 0 { return lowSpecialRange }
        if high >> 56 == 0xfd, Self.metadata.contains(self) { return .metadata }
        switch high >> 56 {
        case 0xff: return .multicast
        case 0xfc, 0xfd: return .uniqueLocal
        case 0xfe:
            return high >> 54 & 3 == 2 ? .linkLocal : .reserved  // fe80::/10; fec0::/10 is the retired site-local space
        default: break
        }
        if high >> 32 == 0x0064_ff9b { return .embeddedIPv4 }  // NAT64: 64:ff9b::/96 and 64:ff9b:1::/48, and all around
        if high >> 48 == 0x2002 { return .embeddedIPv4 }  // 6to4, RFC 3056
        if high >> 32 == 0x2001_0000 { return .embeddedIPv4 }  // Teredo, RFC 4380
        if low >> 32 & ~0x0300_0000 == 0x5efe { return .embeddedIPv4 }  // ISATAP, RFC 5214: (02)00:5efe:a.b.c.d
        if high >> 41 == 0x2001_0000_0000_0000 >> 41 { return .reserved }  // 2001::/23, IETF protocol assignments
        return high >> 61 == 1 ? nil : .reserved  // only 2000::/3 is global unicast
    }

    /// fd00:ec2::254 (EC2), fd00:ec2::23 (EKS), fd20:ce::254 (Google); all of them are unique local.
    fileprivate static let metadata = [
        IPv6Address(high: 0xfd00_0ec2_0000_0000, low: 0x254), IPv6Address(high: 0xfd00_0ec2_0000_0000, low: 0x23),
        IPv6Address(high: 0xfd20_00ce_0000_0000, low: 0x254),
    ]

    /// `::/64`: the unspecified and loopback addresses, and the old ways to write an IPv4 address.
    private var lowSpecialRange: SpecialRange {
        switch low {
        case 0: .unspecified
        case 1: .loopback
        case 2...0xffff_ffff_ffff: .embeddedIPv4
        // ::ffff:0:a.b.c.d, translated (RFC 2765, section 2.1).
        case let low where low >> 32 == 0xffff_0000: .embeddedIPv4
        default: .reserved
        }
    }
}
