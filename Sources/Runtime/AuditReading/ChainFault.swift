/// The first thing that is wrong with a chain.
package struct ChainFault: Hashable, Sendable {
    /// What kind of thing it is; its raw value is the word for it.
    package enum Kind: String, CaseIterable, Sendable {
        /// A line is not what it was when the next one was written.
        case changed
        /// Lines are missing in the middle.
        case removed
        /// Lines stand in another order than they were written in.
        case reordered
        /// A line stands where none was written.
        case inserted
        /// A line stands there a second time.
        case replayed
        /// The beginning is missing.
        case missingHead = "missing_head"
        /// The end is missing.
        case missingTail = "missing_tail"
        /// The last line was cut off, as a crash does: no decision is lost, and the daemon's next start repairs it.
        case tornTail = "torn_tail"
        /// Another chain stands in the place of the one that was known.
        case rewritten
        /// A signature is not that of the key that it names.
        case badSignature = "bad_signature"
        /// A key signs that nobody named or published.
        case unknownKey = "unknown_key"
        /// No key that was named vouches for anything.
        case unsigned
        /// A line has another version of the schema.
        case unsupportedVersion = "unsupported_version"
        /// The chain breaks at a line, and the files cannot be read once more to say of which class that is.
        case unclassed
    }

    package let kind: Kind
    /// Where it shows; nil where it is not a matter of one line.
    package let place: LinePlace?
    /// The number of the record there, or of the one that should be there, where it is known.
    package let sequence: UInt64?
    /// One sentence for people, without the place.
    package let explanation: String
}

/// A line of a file.
package struct LinePlace: Hashable, Sendable {
    package let path: String
    /// From 1.
    package let line: Int

    package init(path: String, line: Int) {
        self.path = path
        self.line = line
    }
}

extension LinePlace: CustomStringConvertible {
    /// `FILE:LINE`.
    package var description: String { "\(path):\(line)" }
}
