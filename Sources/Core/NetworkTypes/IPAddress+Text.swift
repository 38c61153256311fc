extension IPv4Address: CustomStringConvertible {
    /// Reads dotted decimal: four numbers, 0 to 255, without leading zeros.
    ///
    /// Octal, hexadecimal, short and zoned forms
    /// are no address here (RFC 6943, section 3.1.1): a name that looks like one is refused, never reinterpreted.
    package init?(_ text: some StringProtocol) {
        var bits: UInt32 = 0
        var parts = 0
        var digits = 0
        var value: UInt32 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "."):
                guard digits > 0, parts < 3 else { return nil }
                bits = bits << 8 | value
                parts += 1
                digits = 0
                value = 0
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits == 0 || value > 0 else { return nil }
                value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                guard value <= 255 else { return nil }
            default:
                return nil
            }
        }
        guard parts == 3, digits > 0 else { return nil }
        self.init(bits: bits << 8 | value)
    }

    package var description: String {
        var text = DottedText()
        text.append(self)
        return text.string
    }
}

/// The text of an IPv4 address, with room for a port.
///
/// Every record has four of them: interpolating takes ten times as long, and an array would have to be allocated.
struct DottedText {
    private var octets = InlineArray<21, UInt8>(repeating: 0)
    private var count = 0

    var string: String {
        let written = octets.span.extracting(0..<count)
        // Digits, dots and a colon are UTF-8.
        guard let text = try? UTF8Span(validating: written) else { return "" }
        return String(copying: text)
    }

    mutating func append(_ octet: UInt8) {
        octets[count] = octet
        count += 1
    }

    /// Appends an address in dotted decimal.
    mutating func append(_ address: IPv4Address) {
        for shift: UInt32 in [24, 16, 8] {
            append(decimal: UInt16(truncatingIfNeeded: address.bits >> shift & 255))
            append(UInt8(ascii: "."))
        }
        append(decimal: UInt16(truncatingIfNeeded: address.bits & 255))
    }

    /// Appends a number without leading zeros.
    mutating func append(decimal value: UInt16) {
        if value >= 10 { append(decimal: value / 10) }
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }
}

extension IPv6Address: CustomStringConvertible {
    /// Reads the text forms of RFC 4291, section 2.2, the embedded dotted quad among them.
    ///
    /// No brackets, no zone.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 2, bytes.count <= 45 else { return nil }
        var groups: [UInt16] = []
        var gap: Int?
        var index = 0
        if bytes[0] == UInt8(ascii: ":") {
            guard bytes[1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            index = 2
        }
        while index < bytes.count {
            guard groups.count < 8 else { return nil }
            let end = bytes[index...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            let part = bytes[index..<end]
            if part.contains(UInt8(ascii: ".")) {
                guard end == bytes.count, groups.count <= 6,
                    let quad = IPv4Address(String(decoding: part, as: UTF8.self))
                else { return nil }
                groups.append(UInt16(truncatingIfNeeded: quad.bits >> 16))
                groups.append(UInt16(truncatingIfNeeded: quad.bits))
                index = end
                break
            }
            guard (1...4).contains(part.count), part.allSatisfy(isHexadecimalDigit),
                let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
            else { return nil }
            groups.append(group)
            index = end
            guard index < bytes.count else { break }
            index += 1
            guard index < bytes.count else { return nil }
            if bytes[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups.count
                index += 1
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        self.init(
            high: groups[0..<4].reduce(0) { $0 << 16 | UInt64($1) },
            low: groups[4..<8].reduce(0) { $0 << 16 | UInt64($1) }
        )
    }

    /// The canonical text form of RFC 5952: lower case, the longest run of zero groups shortened, the first of equals;
    /// an IPv4-mapped address ends in its dotted quad.
    package var description: String {
        if high == 0, low >> 32 == 0xffff {
            return "::ffff:\(IPv4Address(bits: UInt32(truncatingIfNeeded: low)))"
        }
        let groups = self.groups
        var best = 0..<0
        var start: Int?
        for index in 0...8 {
            if index < 8, groups[index] == 0 {
                start = start ?? index
            } else if let first = start {
                if index - first > best.count { best = first..<index }
                start = nil
            }
        }
        guard best.count >= 2 else { return Self.text(groups[...]) }
        return Self.text(groups[..<best.lowerBound]) + "::" + Self.text(groups[best.upperBound...])
    }

    private static func text(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
}

extension IPAddress: CustomStringConvertible {
    /// Reads either family, strictly, without brackets or a zone.
    package init?(_ text: some StringProtocol) {
        if let address = IPv4Address(text) {
            self = .v4(address)
        } else if let address = IPv6Address(text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}

private func isHexadecimalDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default: false
    }
}
