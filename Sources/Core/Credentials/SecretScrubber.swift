/// Overwrites texts in octets that come piece by piece, wherever the pieces are cut.
///
/// Each octet that is part of a text becomes an asterisk, so lengths stay. What may be the beginning of a text is held back
/// until it is known: at most the longest text but one octet, and nothing where the last octets begin none.
package struct SecretScrubber: Sendable {
    private let needles: Needles
    /// Octets that are held back, as they came; the beginning of a text.
    private var held: [UInt8] = []
    /// How many of the held octets are part of a text that began before them.
    private var covered = 0
    /// How many times a text was found.
    package private(set) var finds = 0

    package init(_ needles: Needles) {
        self.needles = needles
    }

    /// Takes the next octets, and leaves those that may go on.
    package mutating func pass(_ octets: inout [UInt8]) {
        guard !needles.isEmpty else { return }
        let known = held.count
        if known > 0 { octets = held + octets }
        let places = needles.places(in: octets.span)
        let end = octets.count - needles.openCount(atEndOf: octets.span)
        finds += places.count { $0.upperBound > known }
        held = Array(octets[end...])
        octets.removeLast(octets.count - end)
        // Texts that began before what is held cover a part of it.
        let reach = places.reduce(covered) { $1.lowerBound < end ? max($0, $1.upperBound) : $0 }
        octets.overwrite(0..<covered)
        for place in places { octets.overwrite(place) }
        covered = max(0, reach - end)
    }

    /// What is still held where no more octets come.
    package mutating func finish() -> [UInt8] {
        var octets = held
        held = []
        let places = needles.places(in: octets.span)
        octets.overwrite(0..<covered)
        for place in places { octets.overwrite(place) }
        covered = 0
        return octets
    }
}

extension Needles {
    /// Overwrites texts in octets that are all there, from an index on; says how many there were.
    package func overwrite(_ octets: inout [UInt8], from start: Int = 0) -> Int {
        let places = places(in: octets.span.extracting(start...))
        for place in places { octets.overwrite(place.lowerBound + start..<place.upperBound + start) }
        return places.count
    }
}

extension [UInt8] {
    /// Overwrites those of the range that are there.
    fileprivate mutating func overwrite(_ range: Range<Int>) {
        for index in range.clamped(to: indices) { self[index] = UInt8(ascii: "*") }
    }
}
