/// What ties a line into the chain, and where it stands.
struct ChainLink: Hashable, Sendable {
    /// The hash in the first line of all: 64 zeros.
    static let noLine = [UInt8](repeating: UInt8(ascii: "0"), count: 64)

    /// Counts the lines of all files.
    let ordinal: Int
    let place: LinePlace
    /// Nil where the line is none of ours.
    let sequence: UInt64?
    /// The 64 digits that the line has for the one before; empty where it is none of ours.
    let previous: [UInt8]
    /// The 64 digits of the line itself.
    let hash: [UInt8]
}

/// What the next line has to be.
struct ChainExpectation: Hashable, Sendable {
    /// Nil is any number: the chain was entered in the middle.
    var sequence: UInt64?
    /// 64 digits.
    var previous: [UInt8]

    /// The line that it says.
    func fits(_ sequence: UInt64?, _ previous: [UInt8]) -> Bool {
        guard let sequence, previous == self.previous else { return false }
        return self.sequence == nil || self.sequence == sequence
    }
}
