import SourceDocuments

/// Reads every document of a YAML file, strictly.
///
/// The part of YAML that is read is what two people reading the file would agree on:
/// - Plain scalars have the types of the YAML 1.2 core schema: `true`, `false`, `null`, `~` and decimal integers.
///   `yes`, `no`, `on` and `off` are text. What YAML versions read differently (`0777`, `0x1f`, `1_000`) and floating-point
///   numbers are refused. A quoted scalar is always text.
/// - Duplicate keys, anchors, aliases, tags, merge keys and directives are refused, as is every line break but LF and
///   CR LF: an editor would show the text behind another one as part of a comment.
/// - A file without a document gives an empty list.
///
/// - Throws: everything wrong with the file, up to the first error of syntax.
package func readYAML(
    _ bytes: [UInt8],
    file: String,
    limits: YAMLLimits = YAMLLimits()
) throws(SourceProblems) -> [SourceNode] {
    let read = readYAMLWithProblems(bytes, file: file, limits: limits)
    guard read.problems.isEmpty else { throw SourceProblems(inOrder: read.problems) }
    return read.documents
}

/// What a YAML file says as far as it can be read, and everything that is wrong with it.
///
/// Where there are problems the documents are good for one thing: to find what else is wrong. What is refused has something
/// else in its place, such as the text of a number, at the place of the problem.
package struct YAMLDocuments: Hashable, Sendable {
    package var documents: [SourceNode]
    /// In no order.
    package var problems: [SourceProblem]
}

/// Reads a YAML file as `readYAML` does, and goes on behind what is refused.
package func readYAMLWithProblems(
    _ bytes: [UInt8],
    file: String,
    limits: YAMLLimits = YAMLLimits()
) -> YAMLDocuments {
    let start = SourceLocation(file: file, line: 1, column: 1)
    guard bytes.count <= limits.bytes else {
        let size = SourceProblem("the file has \(bytes.count) bytes, more than the limit of \(limits.bytes)", at: start)
        return YAMLDocuments(documents: [], problems: [size])
    }
    let text = YAMLText(bytes, file: file)
    if let problem = text.strangeLineBreak { return YAMLDocuments(documents: [], problems: [problem]) }
    var composer = YAMLComposer(YAMLEvents(text), limits: limits)
    return composer.documents()
}

/// Reads a YAML file that holds exactly one document.
///
/// - Throws: what `readYAML` throws, and a problem where the file holds no document, or more than one.
package func readYAMLDocument(
    _ bytes: [UInt8],
    file: String,
    limits: YAMLLimits = YAMLLimits()
) throws(SourceProblems) -> SourceNode {
    guard let document = try readYAMLDocumentIfAny(bytes, file: file, limits: limits) else {
        let start = SourceLocation(file: file, line: 1, column: 1)
        throw SourceProblems([SourceProblem("the file is empty, expected a document", at: start)])
    }
    return document
}

/// Reads a YAML file that holds one document, or none: then it gives `nil`.
///
/// - Throws: what `readYAML` throws, and a problem where the file holds more than one document.
package func readYAMLDocumentIfAny(
    _ bytes: [UInt8],
    file: String,
    limits: YAMLLimits = YAMLLimits()
) throws(SourceProblems) -> SourceNode? {
    let documents = try readYAML(bytes, file: file, limits: limits)
    guard documents.count < 2 else {
        throw SourceProblems([
            SourceProblem(
                "a second document begins here, expected one",
                at: documents[1].location,
                remedy: "move it to a file of its own"
            )
        ])
    }
    return documents.first
}
