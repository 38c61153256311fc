/// Overwrites texts in octets that come piece by piece, wherever the pieces are cut.
///
/// Each octet that is part of a spelling of a text becomes an asterisk, so lengths stay. What may be the beginning of a text
/// is held back until it is known: less than the longest spelling of the longest text, and nothing where the last octets begin
/// none.
package struct SecretScrubber: Sendable {
    private var search: NeedleSearch
    private let searches: Bool
    /// Octets that are held back; what is known to be part of a text is overwritten.
    private var held: [UInt8] = []
    /// How many times a text was found.
    package private(set) var finds = 0

    package init(_ needles: Needles) {
        search = NeedleSearch(needles)
        searches = !needles.isEmpty
    }

    /// Takes the next octets, and leaves those that may go on.
    package mutating func pass(_ octets: inout [UInt8]) {
        guard searches else { return }
        // The position in the answer of what is held, or of the next octet.
        let origin = search.position - held.count
        let places = search.advance(over: octets.span)
        finds += places.count
        if held.isEmpty { swap(&held, &octets) } else { held += octets }
        for place in places { held.overwrite(place.lowerBound - origin..<place.upperBound - origin) }
        let ready = search.firstOpen - origin
        guard ready > 0 else {
            octets = []
            return
        }
        octets = held
        held = Array(octets[ready...])
        octets.removeLast(held.count)
    }

    /// How many octets of a text are no chance at the end of an answer.
    private static let tellingPart = 8

    /// What is still held where no more octets come: a beginning of a text, if it is no chance, is overwritten and counted.
    package mutating func finish() -> [UInt8] {
        defer { held = [] }
        if let start = search.firstOpen(atLeast: Self.tellingPart) {
            finds += 1
            held.overwrite(start - (search.position - held.count)..<held.count)
        }
        return held
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
    fileprivate mutating func overwrite(_ range: Range<Int>) {
        for index in range { self[index] = UInt8(ascii: "*") }
    }
}
