/// A search for needles in octets that come piece by piece.
///
/// No octet is looked at twice. What is open is a set of beginnings of texts, each there once, so an octet costs no more than
/// there are beginnings, twice: those that end before it, and those that wait for the end of a spelling. Of most texts
/// one or two are open at a time.
///
/// `%` and `\` may be an octet of a text or the first of a spelling, so both are followed. Which spelling is open is said by
/// the octets before, whatever the text: all beginnings that wait, wait for the end of the same.
package struct NeedleSearch: Sendable {
    private let needles: Needles
    /// The beginnings that end here; like all lists of them, against the order of the tree.
    private var plain: [Opening] = []
    /// The beginnings that end where the open spelling begins.
    private var waiting: [Opening] = []
    private var spelling: OpenSpelling?
    /// How many octets there were.
    private(set) var position = 0

    package init(_ needles: Needles) {
        self.needles = needles
    }

    /// How many beginnings are open; what the next octet costs is in proportion.
    package var openings: Int { plain.count + waiting.count }

    /// Where the first text begins that may still become whole; the position where there is none.
    var firstOpen: Int {
        waiting.reduce(plain.reduce(position) { min($0, $1.start) }) { min($0, $1.start) }
    }

    /// Where the first text begins of which so many octets are there, at least, and not all; `nil` where there is none.
    func firstOpen(atLeast octets: Int) -> Int? {
        (plain + waiting).filter { needles.length($0.node) >= octets }.map(\.start).min()
    }

    /// Takes the next octets; says where the texts stand that end in them, counted from the first octet of all.
    package mutating func advance(over bytes: borrowing Span<UInt8>) -> [Range<Int>] {
        var places: [Range<Int>] = []
        guard !needles.isEmpty else { return places }
        let origin = position
        var index = 0
        while index < bytes.count {
            if plain.isEmpty, waiting.isEmpty {
                index = needles.nextBeginning(in: bytes, from: index)
                guard index < bytes.count else { break }
            }
            position = origin + index
            take(bytes[index])
            note(&places)
            index += 1
        }
        position = origin + bytes.count
        return places
    }

    private mutating func take(_ octet: UInt8) {
        // A text may begin with any octet.
        let nothing = Opening(node: 0, start: position)
        var others: [Opening] = []
        if spelling != nil { others = followSpelling(octet) }
        if octet == UInt8(ascii: "+") { others = extended(plain + [nothing], by: UInt8(ascii: " ")) }
        if let begun = OpenSpelling(beginningWith: octet) {
            // No open spelling has this octet within.
            spelling = begun
            waiting = plain
            waiting.append(nothing)
        }
        extendPlain(by: octet)
        if let first = needles.child(of: nothing.node, behind: octet) {
            plain.append(Opening(node: first, start: nothing.start))
        }
        if !others.isEmpty { plain = merged(plain, others) }
    }

    /// Follows the spelling that was open before the octet; returns what is made of those that waited for its end.
    private mutating func followSpelling(_ octet: UInt8) -> [Opening] {
        var whole: [Opening] = []
        switch spelling?.continued(by: octet) ?? .broken {
        case .broken: waiting.removeAll(keepingCapacity: true)
        case .open(let longer):
            spelling = longer
            if case .highDigit(let digit) = longer { waiting.removeAll { !needles.mayGoOn($0.node, withHigh: digit) } }
        case .whole(let spelled):
            whole = extended(waiting, by: spelled)
            waiting.removeAll(keepingCapacity: true)
        }
        if waiting.isEmpty { spelling = nil }
        return whole
    }

    private mutating func extendPlain(by octet: UInt8) {
        var kept = 0
        for index in plain.indices {
            guard let node = needles.child(of: plain[index].node, behind: octet) else { continue }
            plain[kept] = Opening(node: node, start: plain[index].start)
            kept += 1
        }
        while plain.count > kept { plain.removeLast() }
    }

    private func extended(_ openings: [Opening], by octet: UInt8) -> [Opening] {
        openings.compactMap { opening in
            needles.child(of: opening.node, behind: octet).map { Opening(node: $0, start: opening.start) }
        }
    }

    /// Notes the texts that are whole with the octet at the position, and closes those that are no beginnings of others.
    private mutating func note(_ places: inout [Range<Int>]) {
        let known = places.count
        for opening in plain where needles.isWhole(opening.node) { places.append(opening.start..<position + 1) }
        if places.count > known { plain.removeAll { !needles.goesOn($0.node) } }
    }
}

/// A beginning of texts, and where it began.
private struct Opening {
    var node: Int32
    var start: Int
}

/// The beginnings of both, each once: what began first counts.
private func merged(_ one: [Opening], _ other: [Opening]) -> [Opening] {
    var result: [Opening] = []
    var (left, right) = (one[...], other[...])
    while let first = left.first, let second = right.first {
        if first.node >= second.node { left.removeFirst() }
        if second.node >= first.node { right.removeFirst() }
        if first.node == second.node {
            result.append(Opening(node: first.node, start: min(first.start, second.start)))
        } else {
            result.append(first.node > second.node ? first : second)
        }
    }
    return result + left + right
}
