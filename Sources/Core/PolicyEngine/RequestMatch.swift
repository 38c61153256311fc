/// What a rule asks of a plain HTTP request: every key that is there must hold, and any item of its list may.
///
/// An empty list holds for nothing.
package struct RequestMatch: Hashable, Sendable {
    package var methods: [RequestMethod]?
    package var paths: [PathPattern]?
    package var fields: [FieldMatch]?

    package init(methods: [RequestMethod]? = nil, paths: [PathPattern]? = nil, fields: [FieldMatch]? = nil) {
        self.methods = methods
        self.paths = paths
        self.fields = fields
    }
}

/// An item of `paths`.
package enum PathPattern: Hashable, Sendable {
    case exact(CanonicalPath)
    /// `/v1/*`: that path with its last slash, and everything below it.
    case below(CanonicalPath)

    /// True where the path is the one, or lies below it.
    package func matches(_ path: CanonicalPath) -> Bool {
        switch self {
        case .exact(let exact): path.text == exact.text
        case .below(let parent): path.text.hasPrefix(parent.text)
        }
    }
}

/// One name of `headers` with the values that hold.
package struct FieldMatch: Hashable, Sendable {
    /// In lower case.
    package let name: String
    package let values: [[UInt8]]

    package init(name: String, values: [[UInt8]]) {
        self.name = name
        self.values = values
    }
}
