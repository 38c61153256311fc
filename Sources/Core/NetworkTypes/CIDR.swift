/// A block of addresses of one family: a base and the number of its leading bits that count.
package struct CIDR: Hashable, Sendable {
    package let base: IPAddress
    /// 0 to 32 or 0 to 128.
    package let prefixLength: Int

    /// Makes a block; `nil` where the length does not fit the family or bits after the prefix are set.
    package init?(_ base: IPAddress, prefixLength: Int) {
        switch base {
        case .v4(let address):
            guard (0...32).contains(prefixLength), address.bits & ~Self.mask32(prefixLength) == 0 else { return nil }
        case .v6(let address):
            guard (0...128).contains(prefixLength), address.high & ~Self.mask64(min(prefixLength, 64)) == 0,
                address.low & ~Self.mask64(max(prefixLength - 64, 0)) == 0
            else { return nil }
        }
        self.base = base
        self.prefixLength = prefixLength
    }

    /// The block of one address.
    package init(single address: IPAddress) {
        base = address
        prefixLength = address.family == .ipv4 ? 32 : 128
    }

    package func contains(_ address: IPAddress) -> Bool {
        switch (base, address) {
        case (.v4(let base), .v4(let address)):
            (base.bits ^ address.bits) & Self.mask32(prefixLength) == 0
        case (.v6(let base), .v6(let address)):
            (base.high ^ address.high) & Self.mask64(min(prefixLength, 64)) == 0
                && (base.low ^ address.low) & Self.mask64(max(prefixLength - 64, 0)) == 0
        case (.v4, .v6), (.v6, .v4):
            false
        }
    }

    /// True where the two blocks share an address: one holds the other.
    package func overlaps(_ other: CIDR) -> Bool {
        contains(other.base) || other.contains(base)
    }

    private static func mask32(_ length: Int) -> UInt32 { length == 0 ? 0 : ~0 << UInt32(32 - length) }
    private static func mask64(_ length: Int) -> UInt64 { length == 0 ? 0 : ~0 << UInt64(64 - length) }
}

extension CIDR: CustomStringConvertible {
    /// Why a text is no block.
    package enum TextError: Error, Hashable, Sendable {
        case notAnAddress
        case badPrefixLength
        /// Bits after the prefix are set; the block that holds the address is given.
        case hostBitsSet(base: CIDR)
    }

    /// Reads `ADDRESS/LENGTH`, or one address.
    package init(_ text: some StringProtocol) throws(TextError) {
        let slash = text.firstIndex(of: "/")
        guard let address = IPAddress(text[..<(slash ?? text.endIndex)]) else { throw .notAnAddress }
        guard let slash else {
            self.init(single: address)
            return
        }
        let widest = address.family == .ipv4 ? 32 : 128
        guard let number = portNumber(text[text.index(after: slash)...]), Int(number) <= widest else {
            throw .badPrefixLength
        }
        let length = Int(number)
        if let block = CIDR(address, prefixLength: length) {
            self = block
            return
        }
        guard let block = CIDR(address.masked(to: length), prefixLength: length) else { throw .badPrefixLength }
        throw .hostBitsSet(base: block)
    }

    package var description: String { "\(base)/\(prefixLength)" }
}

extension IPAddress {
    /// The address with every bit after the first `length` cleared.
    package func masked(to length: Int) -> IPAddress {
        switch self {
        case .v4(let address):
            let mask: UInt32 = length <= 0 ? 0 : ~0 << UInt32(32 - min(length, 32))
            return .v4(IPv4Address(bits: address.bits & mask))
        case .v6(let address):
            let high: UInt64 = length <= 0 ? 0 : ~0 << UInt64(64 - min(length, 64))
            let low: UInt64 = length <= 64 ? 0 : ~0 << UInt64(128 - min(length, 128))
            return .v6(IPv6Address(high: address.high & high, low: address.low & low))
        }
    }
}
