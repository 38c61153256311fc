import NetworkTypes

/// What a request and a reply of SOCKS 5 look like: version, code, reserved, address, port (RFC 1928, sections 4 to 6).
struct SOCKS5Frame {
    /// The command, or the reply.
    var code: UInt8
    var addressType: SOCKS5AddressType
    /// Where the address stands, or the name without its length.
    var address: Range<Int>
    var port: UInt16

    /// Behind the port.
    var end: Int { address.upperBound + 2 }

    /// The longest there is: a name of 255 octets.
    static let longest = 4 + 1 + 255 + 2

    /// Reads the whole of it; `nil` while its end has not come.
    static func read(_ bytes: Span<UInt8>) throws(SOCKS5Violation) -> SOCKS5Frame? {
        if bytes.count > 0, bytes[0] != 5 { throw .version }
        if bytes.count > 2, bytes[2] != 0 { throw .reservedOctet }
        guard bytes.count > 3 else { return nil }
        guard let type = SOCKS5AddressType(rawValue: bytes[3]) else { throw .addressType }
        guard bytes.count > 4 else { return nil }
        let address =
            switch type {
            case .ipv4: 4..<8
            case .name: 5..<5 + Int(bytes[4])
            case .ipv6: 4..<20
            }
        guard bytes.count >= address.upperBound + 2 else { return nil }
        let port = UInt16(bytes[address.upperBound]) << 8 | UInt16(bytes[address.upperBound + 1])
        return SOCKS5Frame(code: bytes[1], addressType: type, address: address, port: port)
    }
}

/// How an address is written (RFC 1928, section 5).
enum SOCKS5AddressType: UInt8 {
    case ipv4 = 1
    case name = 3
    case ipv6 = 4
}

extension [UInt8] {
    /// Appends type, address and port.
    mutating func append(socks5 destination: ProxyDestination) {
        switch destination.host {
        case .address(let address):
            append(address.family == .ipv4 ? SOCKS5AddressType.ipv4.rawValue : SOCKS5AddressType.ipv6.rawValue)
            append(contentsOf: address.octets)
        case .name(let name):
            append(SOCKS5AddressType.name.rawValue)
            // A host name has at most 253 octets.
            append(UInt8(clamping: name.text.utf8.count))
            append(contentsOf: name.text.utf8)
        }
        append(UInt8(destination.port >> 8))
        append(UInt8(destination.port & 0xff))
    }
}
