/// How far octets that pass may go.
package enum Passage: Hashable, Sendable {
    /// All that was seen but the last so many octets, as they came.
    case open(held: Int)
    case denied(Denial)
}

/// Something that looks at one direction of an exchange and says how far it may go.
///
/// Lives on one loop.
package protocol PassageInspection: AnyObject {
    /// What is so before anything came: whether a head may go on ahead of its body.
    var holdsHead: Bool { get }

    /// Sees the next octets as they are sent, without the framing of chunks.
    func see(_ octets: borrowing Span<UInt8>) -> Passage

    /// Sees that there are no more.
    func seeEnd() -> Passage
}

/// Where the decoded octets stand among those that came.
struct PassageMap {
    /// Octets that came.
    private(set) var came: UInt64 = 0
    /// Those among them that may have gone.
    private(set) var released: UInt64 = 0
    /// Pieces that were not released: where each ended, as it came and decoded.
    private var pieces: [(came: UInt64, decoded: UInt64)] = []
    let isPlain: Bool

    /// Where nothing is decoded, each octet stands for itself.
    init(isPlain: Bool) {
        self.isPlain = isPlain
    }

    var held: Int { Int(clamping: came - released) }

    /// So many octets came; all so far made `decoded`.
    mutating func add(_ count: Int, decoded: UInt64) {
        guard count > 0 else { return }
        came += UInt64(count)
        guard !isPlain else { return }
        // What made nothing goes with what comes before it, and needs no place of its own.
        if let last = pieces.indices.last, pieces[last].decoded == decoded {
            pieces[last].came = came
        } else {
            pieces.append((came, decoded))
        }
    }

    /// All octets may go that make no more than the first `decoded`.
    mutating func release(upTo decoded: UInt64) {
        // What makes nothing yet is the beginning of what will.
        guard decoded > 0 else { return }
        guard !isPlain else {
            released = max(released, min(decoded, came))
            return
        }
        let count = pieces.prefix { $0.decoded <= decoded }.count
        guard count > 0 else { return }
        released = pieces[count - 1].came
        pieces.removeSubrange(..<count)
    }

    mutating func releaseAll() {
        released = came
        pieces = []
    }
}
