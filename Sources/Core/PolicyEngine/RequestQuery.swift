/// The query of a request, as far as policy looks at it.
///
/// Policy compares keys and values after decoding each once. Nothing in it is refused: what servers read in several ways is
/// marked, allows nothing, and cannot be proved not to be what a deny asks for.
package struct RequestQuery: Hashable, Sendable {
    /// In the order of the query; a key may occur several times.
    package let pairs: [Pair]
    /// True where servers may find other keys in it than are here.
    package let isAmbiguous: Bool

    /// One `key=value`; where there is no `=`, the value is empty.
    package struct Pair: Hashable, Sendable {
        package let key: [UInt8]
        /// `nil` where it cannot be decoded in one way.
        package let value: [UInt8]?
    }

    /// Takes the octets behind the first `?` of a target; empty where there is none.
    package init(_ octets: some Sequence<UInt8>) {
        let octets = Array(octets)
        var pairs: [Pair] = []
        // Some servers part pairs at semicolons, too.
        var isAmbiguous = octets.contains(UInt8(ascii: ";"))
        for piece in octets.split(separator: UInt8(ascii: "&")) {
            let halves = piece.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = halves.count == 2 ? decodeForm(halves[1]) : []
            if let first = halves.first, let key = decodeForm(first), !key.contains(UInt8(ascii: "%")) {
                pairs.append(Pair(key: key, value: value))
            } else {
                isAmbiguous = true
            }
        }
        self.pairs = pairs
        self.isAmbiguous = isAmbiguous
    }

    package init(_ text: some StringProtocol) {
        self.init(text.utf8)
    }
}

/// What a form's field means, decoded once: `+` is a space (the URL Standard, section 5.1).
///
/// `nil` for a percent sign without two digits, and for what is no UTF-8.
private func decodeForm(_ piece: ArraySlice<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(piece.count)
    var index = piece.startIndex
    while index < piece.endIndex {
        switch piece[index] {
        case UInt8(ascii: "%"):
            guard let octet = hexadecimalOctet(piece.span, at: index - piece.startIndex + 1) else { return nil }
            decoded.append(octet)
            index += 3
        case UInt8(ascii: "+"):
            decoded.append(UInt8(ascii: " "))
            index += 1
        default:
            decoded.append(piece[index])
            index += 1
        }
    }
    return (try? UTF8Span(validating: decoded.span)) == nil ? nil : decoded
}
