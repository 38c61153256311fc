extension MappingReader {
    /// Text that is not empty.
    package mutating func string(_ key: String, _ presence: Presence = .optional) -> String? {
        value(key, presence) { node, subject throws(SourceProblem) in try node.string(subject) }
    }

    /// An integer within bounds.
    package mutating func integer(
        _ key: String,
        _ presence: Presence = .optional,
        in bounds: ClosedRange<Int>
    ) -> Int? {
        value(key, presence) { node, subject throws(SourceProblem) in try node.integer(subject, in: bounds) }
    }

    /// `true` or `false`.
    package mutating func boolean(_ key: String, _ presence: Presence = .optional) -> Bool? {
        value(key, presence) { node, subject throws(SourceProblem) in try node.boolean(subject) }
    }

    /// A word from a closed list: the raw value of a case.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        _ presence: Presence = .optional,
        of type: Choice.Type
    ) -> Choice? {
        value(key, presence) { node, subject throws(SourceProblem) in try node.choice(subject, of: type) }
    }

    /// A whole number with its unit: `300ms`, `5s`, `10m`, `24h`.
    package mutating func duration(
        _ key: String,
        _ presence: Presence = .optional,
        in bounds: ClosedRange<Duration>
    ) -> Duration? {
        value(key, presence) { node, subject throws(SourceProblem) in try node.duration(subject, in: bounds) }
    }

    /// A list of text.
    package mutating func strings(_ key: String, _ presence: Presence = .optional) -> [String]? {
        list(key, presence, of: "strings") { node, subject throws(SourceProblem) in try node.string(subject) }
    }

    /// A list of integers within bounds.
    package mutating func integers(
        _ key: String,
        _ presence: Presence = .optional,
        in bounds: ClosedRange<Int>
    ) -> [Int]? {
        list(key, presence, of: "integers") { node, subject throws(SourceProblem) in
            try node.integer(subject, in: bounds)
        }
    }
}
