import SourceDocuments

/// A document of a policy, and how it came to be read.
package struct PolicyDocument: Hashable, Sendable {
    package var node: SourceNode
    /// True where another document extends it: its rules come first, and its name is not the policy's.
    package var isExtended: Bool

    package init(_ node: SourceNode, isExtended: Bool = false) {
        self.node = node
        self.isExtended = isExtended
    }
}

/// A file that a document extends.
package struct ExtendedFile: Hashable, Sendable {
    /// As the document writes it.
    package let path: String
    /// Where it does.
    package let location: SourceLocation
}

/// The files that a document extends, in the order of the text: `extends: base.yaml`, or a list.
///
/// Whoever reads policies puts their documents in front of this one. What is wrongly written is left out, and is an error when
/// the document is loaded.
package func extendedFiles(of document: SourceNode) -> [ExtendedFile] {
    guard case .mapping(let entries) = document.content else { return [] }
    guard let node = entries.first(where: { $0.key == "extends" })?.value else { return [] }
    return (try? readExtended(node, "`extends`")) ?? []
}

/// Reads an `extends`.
func readExtended(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> [ExtendedFile] {
    let expected = "the path of a policy file, or a list of them"
    var files: [ExtendedFile] = []
    switch node.content {
    case .sequence(let items):
        for (index, item) in items.enumerated() {
            let path = try item.string("item \(index + 1) of \(subject)", expected: "the path of a policy file")
            files.append(ExtendedFile(path: path, location: item.location))
        }
    case .string, .null, .boolean, .integer, .mapping:
        files.append(ExtendedFile(path: try node.string(subject, expected: expected), location: node.location))
    }
    return files
}
