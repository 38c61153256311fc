/// What a rule asks of a request: every key that is there must hold, and any item of its list may.
///
/// An empty list holds for nothing.
package struct RequestMatch: Hashable, Sendable {
    package var methods: [RequestMethod]?
    package var paths: [PathPattern]?
    package var fields: [FieldMatch]?
    package var query: [QueryMatch]?

    package init(
        methods: [RequestMethod]? = nil,
        paths: [PathPattern]? = nil,
        fields: [FieldMatch]? = nil,
        query: [QueryMatch]? = nil
    ) {
        self.methods = methods
        self.paths = paths
        self.fields = fields
        self.query = query
    }
}

/// An item of `paths`.
package enum PathPattern: Hashable, Sendable {
    case exact(CanonicalPath)
    /// `/v1/*`: that path with its last slash, and everything below it.
    case below(CanonicalPath)
    /// Asterisks elsewhere.
    case glob(PathGlob)

    /// True where the path is the one, lies below it, or is one of those that the asterisks stand for.
    package func matches(_ path: CanonicalPath) -> Bool {
        switch self {
        case .exact(let exact): path.text == exact.text
        case .below(let parent): path.text.hasPrefix(parent.text)
        case .glob(let glob): glob.matches(path)
        }
    }
}

/// One name of `headers` with the values that hold.
package struct FieldMatch: Hashable, Sendable {
    /// In lower case.
    package let name: String
    /// `nil` for `present`: any value.
    package let values: [[UInt8]]?

    package init(name: String, values: [[UInt8]]?) {
        self.name = name
        self.values = values
    }
}

/// One key of `query` with the values that hold.
package struct QueryMatch: Hashable, Sendable {
    /// As the agent's query has it when decoded; case counts.
    package let key: [UInt8]
    /// `nil` for `present`: any value.
    package let values: [[UInt8]]?

    package init(key: [UInt8], values: [[UInt8]]?) {
        self.key = key
        self.values = values
    }
}
