/// What ties a connection's records together: 128 bits that sort by time, written in 26 characters as a ULID.
///
/// The upper 48 bits are milliseconds since 1970-01-01T00:00:00Z.
package struct RecordIdentifier: Hashable, Sendable {
    /// The characters of its text.
    package static let length = 26

    package let value: UInt128

    package init(value: UInt128) {
        self.value = value
    }

    /// Reads what `text` writes, in upper case only.
    package init?(_ text: borrowing Span<UInt8>) {
        // 26 characters carry 130 bits: the first one may only use three of its five.
        guard text.count == Self.length, text[0] <= UInt8(ascii: "7") else { return nil }
        var value: UInt128 = 0
        for index in text.indices {
            guard let digit = crockfordValue(text[index]) else { return nil }
            value = value << 5 | UInt128(digit)
        }
        self.value = value
    }
}

extension RecordIdentifier: Comparable, CustomStringConvertible {
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    /// 26 characters of Crockford's base 32.
    package var description: String {
        var bytes: [UInt8] = []
        bytes.append(identifier: self)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends the 26 characters.
    mutating func append(identifier: RecordIdentifier) {
        var shift = 125
        while shift >= 0 {
            append(crockfordDigit(UInt8(truncatingIfNeeded: identifier.value >> shift) & 31))
            shift -= 5
        }
    }
}

/// Makes identifiers for one loop, each greater than the one before, even where the clock goes back.
package struct IdentifierSequence<Random: RandomNumberGenerator> {
    private var random: Random
    private var last: UInt128 = 0

    package init(random: Random) {
        self.random = random
    }

    /// The next one, at a time in microseconds since 1970-01-01T00:00:00Z.
    package mutating func next(at microseconds: Int64) -> RecordIdentifier {
        let milliseconds = UInt128(UInt64(clamping: microseconds) / 1000) & 0xFFFF_FFFF_FFFF
        if milliseconds > last >> 80 {
            // 80 random bits, so that no two loops and no two starts give the same.
            let upper = UInt128(random.next() as UInt16)
            last = milliseconds << 80 | upper << 64 | UInt128(random.next() as UInt64)
        } else {
            last &+= 1
        }
        return RecordIdentifier(value: last)
    }
}

extension IdentifierSequence: Sendable where Random: Sendable {}

/// The digits and then the letters in order, without I, L, O and U.
func crockfordDigit(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<10: UInt8(ascii: "0") + value
    case 10..<18: UInt8(ascii: "A") + value - 10
    case 18..<20: UInt8(ascii: "J") + value - 18
    case 20..<22: UInt8(ascii: "M") + value - 20
    case 22..<27: UInt8(ascii: "P") + value - 22
    default: UInt8(ascii: "V") + value - 27
    }
}

private func crockfordValue(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "H"): character - UInt8(ascii: "A") + 10
    case UInt8(ascii: "J")...UInt8(ascii: "K"): character - UInt8(ascii: "J") + 18
    case UInt8(ascii: "M")...UInt8(ascii: "N"): character - UInt8(ascii: "M") + 20
    case UInt8(ascii: "P")...UInt8(ascii: "T"): character - UInt8(ascii: "P") + 22
    case UInt8(ascii: "V")...UInt8(ascii: "Z"): character - UInt8(ascii: "V") + 27
    default: nil
    }
}
