import SourceDocuments

/// How much YAML is read before the reader gives up.
package struct YAMLLimits: Hashable, Sendable {
    /// The longest file, in bytes.
    package var bytes: Int
    /// The deepest nesting of lists and mappings; the document's own mapping is the first level.
    package var depth: Int
    /// The most values, counting every list and mapping as one.
    package var nodes: Int

    /// The defaults hold every policy and configuration that people write, and bound the work on what they do not.
    package init(bytes: Int = 1 << 20, depth: Int = 32, nodes: Int = 100_000) {
        self.bytes = bytes
        self.depth = depth
        self.nodes = nodes
    }

    func check(nodes count: Int, at location: SourceLocation) throws(SourceProblem) {
        guard count > nodes else { return }
        throw SourceProblem("the file has more than \(nodes) values", at: location)
    }

    func check(depth level: Int, at location: SourceLocation) throws(SourceProblem) {
        guard level > depth else { return }
        throw SourceProblem("lists and mappings are nested more than \(depth) deep", at: location)
    }
}
