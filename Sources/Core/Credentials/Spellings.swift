import WireFormats

/// The length of the longest spelling of an octet: `\u002B`.
let longestSpelling = 6

/// How far a spelling of more than one octet has come.
enum OpenSpelling: Equatable, Sendable {
    /// `%`
    case percent
    /// `\`
    case backslash
    /// `\u`, and so many zeros.
    case unicode(zeros: Int)
    /// All but the low digit.
    case highDigit(UInt8)

    /// The spelling that an octet begins.
    init?(beginningWith octet: UInt8) {
        switch octet {
        case UInt8(ascii: "%"): self = .percent
        case UInt8(ascii: "\\"): self = .backslash
        default: return nil
        }
    }

    /// What the next octet makes of it.
    func continued(by octet: UInt8) -> ContinuedSpelling {
        switch self {
        case .backslash where octet == UInt8(ascii: "u"): .open(.unicode(zeros: 0))
        case .backslash: isEscapedShort(octet) ? .whole(octet) : .broken
        case .unicode(let zeros) where zeros < 2:
            octet == UInt8(ascii: "0") ? .open(.unicode(zeros: zeros + 1)) : .broken
        case .percent, .unicode: hexadecimalValue(octet).map { .open(.highDigit($0)) } ?? .broken
        case .highDigit(let high): hexadecimalValue(octet).map { .whole(high << 4 | $0) } ?? .broken
        }
    }
}

/// What an octet has made of an open spelling.
enum ContinuedSpelling: Equatable, Sendable {
    /// No spelling.
    case broken
    case open(OpenSpelling)
    /// The spelling of this octet.
    case whole(UInt8)
}

/// The octets with which spellings of an octet begin.
func firstOctets(ofSpellingsOf octet: UInt8) -> [UInt8] {
    [octet, UInt8(ascii: "%"), UInt8(ascii: "\\")] + (octet == UInt8(ascii: " ") ? [UInt8(ascii: "+")] : [])
}

/// All octets that stand side by side in spellings of a text; some more than once.
func neighboursInSpellings(of text: [UInt8]) -> [(UInt8, UInt8)] {
    var pairs: [(UInt8, UInt8)] = [(UInt8(ascii: "\\"), UInt8(ascii: "u")), (UInt8(ascii: "u"), UInt8(ascii: "0"))]
    pairs.append((UInt8(ascii: "0"), UInt8(ascii: "0")))
    for index in text.indices {
        let octet = text[index]
        for high in digits(octet >> 4) {
            pairs += [(UInt8(ascii: "%"), high), (UInt8(ascii: "0"), high)] + digits(octet & 15).map { (high, $0) }
        }
        if isEscapedShort(octet) { pairs.append((UInt8(ascii: "\\"), octet)) }
        guard index + 1 < text.count else { continue }
        let lasts = [octet] + digits(octet & 15) + (octet == UInt8(ascii: " ") ? [UInt8(ascii: "+")] : [])
        for last in lasts {
            pairs += firstOctets(ofSpellingsOf: text[index + 1]).map { (last, $0) }
        }
    }
    return pairs
}

/// Those that JSON escapes by themselves (RFC 8259, section 7); what it names by letters is in no secret.
private func isEscapedShort(_ octet: UInt8) -> Bool {
    octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "\\") || octet == UInt8(ascii: "/")
}

/// The hexadecimal digit of a value, in both cases where it is a letter.
private func digits(_ value: UInt8) -> [UInt8] {
    value < 10 ? [UInt8(ascii: "0") + value] : [UInt8(ascii: "A") + value - 10, UInt8(ascii: "a") + value - 10]
}
