/// Texts that are looked for, all at once, and what finding them takes.
///
/// Immutable. The search is that of Wu and Manber: the last two octets of a window say how far it may move without missing
/// anything, so most octets of most texts are never looked at.
package final class Needles: Sendable {
    private let texts: [[UInt8]]
    /// For each text and each of its octets: how long a beginning of the text also ends there (Knuth, Morris, Pratt).
    private let borders: [[Int32]]
    /// The length of the shortest text.
    private let window: Int
    /// By the hash of the last two octets of the window; 0 where a text may stand here.
    private let shifts: [UInt8]
    /// The length of the longest text; 0 where there is none.
    package let longest: Int

    /// Texts of at least two octets.
    package init(_ texts: [[UInt8]]) {
        let texts = texts.filter { $0.count >= 2 }
        self.texts = texts
        borders = texts.map(bordersOf)
        window = texts.map(\.count).min() ?? 0
        longest = texts.map(\.count).max() ?? 0
        var shifts = [UInt8](repeating: UInt8(clamping: max(1, window - 1)), count: texts.isEmpty ? 0 : 4096)
        for text in texts {
            for end in 1..<window {
                let place = hashOf(text[end - 1], text[end])
                shifts[place] = min(shifts[place], UInt8(clamping: window - 1 - end))
            }
        }
        self.shifts = shifts
    }

    package var isEmpty: Bool { texts.isEmpty }

    /// Where texts stand, in the order of their beginnings; those that overlap are all there.
    package func places(in bytes: borrowing Span<UInt8>) -> [Range<Int>] {
        var places: [Range<Int>] = []
        guard window > 0, bytes.count >= window else { return places }
        // A local of its own: a span of what an object holds would outlive the access to it.
        let table = shifts
        let shifts = table.span
        var last = window - 1
        while last < bytes.count {
            let shift = Int(shifts[hashOf(bytes[last - 1], bytes[last])])
            guard shift == 0 else {
                last += shift
                continue
            }
            let start = last - window + 1
            for text in texts where stands(text, in: bytes, at: start) { places.append(start..<start + text.count) }
            last += 1
        }
        return places
    }

    /// How many octets at the end may be the beginning of a text that is not whole: the most there are.
    package func openCount(atEndOf bytes: borrowing Span<UInt8>) -> Int {
        var most = 0
        for index in texts.indices {
            most = max(most, openCount(of: texts[index], borders[index], atEndOf: bytes))
        }
        return most
    }

    private func openCount(
        of text: [UInt8],
        _ borders: [Int32],
        atEndOf bytes: borrowing Span<UInt8>
    ) -> Int {
        var matched = 0
        // So few octets are looked at that the text cannot be whole.
        for index in max(0, bytes.count - (text.count - 1))..<bytes.count {
            let octet = bytes[index]
            while matched > 0, text[matched] != octet { matched = Int(borders[matched - 1]) }
            if text[matched] == octet { matched += 1 }
        }
        return matched
    }

    private func stands(_ text: [UInt8], in bytes: borrowing Span<UInt8>, at start: Int) -> Bool {
        guard bytes[start] == text[0], start + text.count <= bytes.count else { return false }
        let text = text.span
        for offset in 1..<text.count where bytes[start + offset] != text[offset] { return false }
        return true
    }
}

/// Twelve bits of two octets.
@inline(__always)
private func hashOf(_ one: UInt8, _ two: UInt8) -> Int {
    (Int(one) << 5 ^ Int(two)) & 4095
}

private func bordersOf(_ text: [UInt8]) -> [Int32] {
    var borders = [Int32](repeating: 0, count: text.count)
    var matched = 0
    for index in text.indices.dropFirst() {
        while matched > 0, text[matched] != text[index] { matched = Int(borders[matched - 1]) }
        if text[matched] == text[index] { matched += 1 }
        borders[index] = Int32(truncatingIfNeeded: matched)
    }
    return borders
}
