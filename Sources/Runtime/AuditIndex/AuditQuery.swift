import NetworkTypes

/// What is looked for in the index; everything that is said has to hold.
package struct AuditQuery: Hashable, Sendable {
    /// A decision.
    package enum Verdict: Hashable, Sendable {
        /// What was denied, or, in audit mode, would have been.
        case denied
        /// What was allowed, and in audit mode would have been as well.
        case allowed
    }

    /// The parts of the index that are asked, as an update names them.
    package var segments: Set<Int64>
    package var host: HostPattern?
    package var address: IPAddress?
    /// The earliest time, in microseconds since 1970-01-01T00:00:00Z.
    package var since: Int64?
    /// The time before which it was.
    package var until: Int64?
    package var verdict: Verdict?
    package var rule: String?
    package var uid: UInt32?
    package var kind: String?
    /// Each of these words occurs in host, path, rule, reason or detail.
    ///
    /// Case does not count, and an asterisk at the end of a word stands for any ending.
    package var words: [String] = []
    /// The most rows: the last ones in time; nil is all.
    package var limit: Int?

    package init(segments: Set<Int64>) {
        self.segments = segments
    }

    /// Whether there is anything in a word that could be found: a letter or a digit.
    package static func isSearchable(_ word: String) -> Bool {
        word.unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
                .letterNumber, .otherNumber:
                true
            default: false
            }
        }
    }
}
