/// A value of a YAML text with what it takes to edit the text in place.
///
/// It holds whatever YAML can say, typed or not: who reads it decides what a scalar means.
package struct LayoutNode: Hashable, Sendable {
    package var location: SourceLocation
    /// The bytes of the text that it stands in.
    ///
    /// A list or a mapping of lines ends where its last value does: comments and empty lines behind it are not in it.
    package var range: Range<Int>
    package var content: Content
    /// The name of the anchor in front, where there is one.
    package var anchor: String?
    /// The name, where an alias stands here; the content is then that of the anchor, with its places.
    package var alias: String?
    /// The tag in front, where there is one.
    package var tag: String?

    package init(_ content: Content, at location: SourceLocation, range: Range<Int>) {
        self.content = content
        self.location = location
        self.range = range
    }

    /// What stands there.
    package indirect enum Content: Hashable, Sendable {
        case scalar(String, ScalarStyle)
        case sequence([LayoutNode], CollectionStyle)
        /// In the order of the text. Keys are unique, merge keys stand among them.
        case mapping([Entry], CollectionStyle)
    }

    /// How a scalar is written.
    package enum ScalarStyle: Hashable, Sendable {
        case plain
        case quoted
        /// Literal or folded: lines of their own, up to the end of the last.
        case block
    }

    /// How a list or a mapping is written.
    package enum CollectionStyle: Hashable, Sendable {
        /// One item or entry a line, held together by indentation.
        case block
        /// In brackets, as JSON is.
        case flow
    }

    /// One key of a mapping with its value.
    package struct Entry: Hashable, Sendable {
        package var key: String
        package var keyLocation: SourceLocation
        package var keyRange: Range<Int>
        /// True of the plain key `<<`, which stands for the keys of other mappings.
        package var isMerge: Bool
        /// True of a key behind a `?`, which its colon need not follow.
        package var isExplicit: Bool
        package var value: LayoutNode

        package init(
            key: String,
            keyLocation: SourceLocation,
            keyRange: Range<Int>,
            isMerge: Bool,
            isExplicit: Bool,
            value: LayoutNode
        ) {
            self.key = key
            self.keyLocation = keyLocation
            self.keyRange = keyRange
            self.isMerge = isMerge
            self.isExplicit = isExplicit
            self.value = value
        }
    }
}
