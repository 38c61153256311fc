/// Texts that are looked for, all at once, however their octets are spelled.
///
/// An octet is spelled as it is, as `%2B` or `\u002B` with digits of either case, by a short escape of JSON (`\"`, `\\`,
/// `\/`), and a space by `+`, too. Each octet of a text has any of its spellings, whatever those of the others are.
///
/// Immutable. The texts are kept as a tree, so that those with the same beginning are followed together; ``NeedleSearch``
/// follows it. Where no text is open, most octets are not looked at: two octets that stand side by side in no spelling
/// of any text say that none reaches over them.
package final class Needles: Sendable {
    /// The beginnings of texts, the shorter ones first; the first is empty.
    private let nodes: [Node]
    /// By octet: whether a spelling of a text begins with it.
    private let beginsOne: [Bool]
    /// A bit for every two octets: whether they stand side by side in a spelling of a text.
    private let neighbours: [UInt64]
    /// The length of the shortest text.
    private let shortest: Int
    /// The length of the longest spelling of the longest text; 0 where there is none.
    package let longest: Int

    /// Texts of at least two octets.
    package init(_ texts: [[UInt8]]) {
        let texts = Set(texts.filter { $0.count >= 2 }).sorted { $0.lexicographicallyPrecedes($1) }
        nodes = treeOf(texts)
        shortest = texts.map(\.count).min() ?? 0
        longest = longestSpelling * (texts.map(\.count).max() ?? 0)
        var beginsOne = [Bool](repeating: false, count: 256)
        var neighbours = [UInt64](repeating: 0, count: texts.isEmpty ? 0 : 1024)
        for text in texts {
            for octet in firstOctets(ofSpellingsOf: text[0]) { beginsOne[Int(octet)] = true }
            for (one, two) in neighboursInSpellings(of: text) {
                neighbours[pairIndex(one, two) >> 6] |= 1 << UInt64(pairIndex(one, two) & 63)
            }
        }
        self.beginsOne = beginsOne
        self.neighbours = neighbours
    }

    package var isEmpty: Bool { shortest == 0 }

    /// Where texts stand, in the order of their ends; those that overlap are all there.
    ///
    /// Of spellings of the same text that end in the same place, the longest.
    package func places(in bytes: borrowing Span<UInt8>) -> [Range<Int>] {
        var search = NeedleSearch(self)
        return search.advance(over: bytes)
    }

    // MARK: What a search asks

    /// The beginning that is this one and an octet behind it.
    @inline(__always)
    func child(of node: Int32, behind octet: UInt8) -> Int32? {
        let parent = nodes[Int(node)]
        var index = parent.firstChild
        while index < parent.endOfChildren {
            if nodes[Int(index)].octet == octet { return index }
            index += 1
        }
        return nil
    }

    /// Whether a text may go on with an octet whose high digit this is.
    func mayGoOn(_ node: Int32, withHigh digit: UInt8) -> Bool {
        nodes[Int(node)].highDigits & 1 << UInt16(digit) != 0
    }

    /// How many octets of a text it is.
    func length(_ node: Int32) -> Int { nodes[Int(node)].length }

    func isWhole(_ node: Int32) -> Bool { nodes[Int(node)].isWhole }

    /// Whether a longer text has this beginning.
    func goesOn(_ node: Int32) -> Bool {
        nodes[Int(node)].firstChild < nodes[Int(node)].endOfChildren
    }

    /// The next octet with which a text may begin, from an index on; the end where there is none.
    ///
    /// A text is at least as long as the shortest one. So of two octets side by side it has, wherever it begins before
    /// the second, both or ends behind them: where no spelling has them, the search goes on with the second.
    func nextBeginning(in bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        var index = start
        let step = shortest - 1
        while index + step < bytes.count {
            let end = index + step
            guard areNeighbours(bytes[end - 1], bytes[end]) else {
                index = end
                continue
            }
            while index < end {
                if mayBegin(in: bytes, at: index) { return index }
                index += 1
            }
        }
        while index < bytes.count, !mayBegin(in: bytes, at: index) { index += 1 }
        return index
    }

    /// Whether a text may begin here, by what is there of its first octets.
    private func mayBegin(in bytes: borrowing Span<UInt8>, at index: Int) -> Bool {
        guard beginsOne[Int(bytes[index])] else { return false }
        for next in index + 1..<min(index + min(shortest, 4), bytes.count) {
            guard areNeighbours(bytes[next - 1], bytes[next]) else { return false }
        }
        return true
    }

    @inline(__always)
    private func areNeighbours(_ one: UInt8, _ two: UInt8) -> Bool {
        neighbours[pairIndex(one, two) >> 6] & 1 << UInt64(pairIndex(one, two) & 63) != 0
    }
}

/// A beginning of one text or more.
private struct Node {
    /// Its last octet.
    var octet: UInt8
    var length = 0
    /// Whether it is a text.
    var isWhole = false
    /// A bit for each high digit of the octets that may follow.
    var highDigits: UInt16 = 0
    /// The beginnings that are longer by an octet stand side by side.
    var firstChild: Int32 = 0
    var endOfChildren: Int32 = 0
}

/// The beginnings of texts that are sorted, by their lengths and then as the texts are.
///
/// So of two beginnings what is made of the first by one octet stands before what is made of the second.
private func treeOf(_ texts: [[UInt8]]) -> [Node] {
    var nodes = [Node(octet: 0)]
    // The texts with each beginning, and its length.
    var shares = [(texts: texts.indices, length: 0)]
    var index = 0
    while index < nodes.count {
        let (share, length) = shares[index]
        var start = share.lowerBound
        nodes[index].firstChild = Int32(nodes.count)
        if start < share.upperBound, texts[start].count == length {
            nodes[index].isWhole = true
            start += 1
        }
        while start < share.upperBound {
            let octet = texts[start][length]
            let end = texts[start..<share.upperBound].firstIndex { $0[length] != octet } ?? share.upperBound
            nodes[index].highDigits |= 1 << UInt16(octet >> 4)
            nodes.append(Node(octet: octet, length: length + 1))
            shares.append((start..<end, length + 1))
            start = end
        }
        nodes[index].endOfChildren = Int32(nodes.count)
        index += 1
    }
    return nodes
}

@inline(__always)
private func pairIndex(_ one: UInt8, _ two: UInt8) -> Int { Int(one) << 8 | Int(two) }
