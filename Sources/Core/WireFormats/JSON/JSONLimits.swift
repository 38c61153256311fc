/// How much JSON is read before it is refused.
package struct JSONLimits: Hashable, Sendable {
    /// The most bytes of the whole text; never more than 2³² − 1, whatever stands here.
    package var bytes: Int
    /// The most arrays and objects inside of each other.
    package var depth: Int
    /// The most values; the name of a member counts as one.
    package var values: Int

    package init(bytes: Int, depth: Int, values: Int) {
        self.bytes = bytes
        self.depth = depth
        self.values = values
    }
}
