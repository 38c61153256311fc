import SourceDocuments

/// Reads every document of a YAML text with its layout, to edit the text in place.
///
/// It is less strict than `readYAML`: scalars are left untyped, and anchors, aliases, tags and merge keys are told rather than
/// refused. Refused are duplicate keys, keys that are no text or have a tag, aliases of what is not complete, and every line break but LF
/// and CR LF.
///
/// - Parameters:
///   - bytes: the text, in UTF-8, without a byte order mark.
///   - file: its name, for messages.
///   - limits: an alias counts as all the values that it stands for.
/// - Returns: the documents, in order.
/// - Throws: everything wrong with the text, up to the first error of syntax.
package func readYAMLLayout(
    _ bytes: [UInt8],
    file: String,
    limits: YAMLLimits
) throws(SourceProblems) -> [LayoutNode] {
    let text = YAMLText(bytes, file: file)
    guard bytes.count <= limits.bytes else {
        throw SourceProblems([
            SourceProblem(
                "the file has \(bytes.count) bytes, more than the limit of \(limits.bytes)",
                at: text.location(ofByte: 0)
            )
        ])
    }
    guard text.bytes.count == bytes.count else {
        throw SourceProblems([SourceProblem("a byte order mark is not allowed here", at: text.location(ofByte: 0))])
    }
    if let problem = text.strangeLineBreak { throw SourceProblems([problem]) }
    var composer = YAMLLayoutComposer(YAMLEvents(text), limits: limits)
    return try composer.documents()
}
