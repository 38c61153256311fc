import SourceDocuments

/// Reads an item of `paths`: `/v1/messages`, `/v1/*`, `/v1/*/files`, `/**/raw`.
func readPathPattern(_ node: SourceNode, _ subject: String) throws(SourceProblem) -> PathPattern {
    let text = try node.string(subject, expected: "a path such as /v1/messages or /v1/*")
    do throws(PathAmbiguity) {
        if let pattern = try PathPattern(text) { return pattern }
    } catch {
        throw SourceProblem("\(subject) \(error.explanation)", at: node.location, remedy: error.remedy)
    }
    throw SourceProblem(
        "\(subject) has asterisks that mean nothing together",
        at: node.location,
        remedy:
            "write `*` for a part of a segment and `**` for any number of segments, at most \(PathGlob.limit) of them; "
            + "an asterisk that is meant is %2A"
    )
}

extension PathPattern {
    /// Takes the text of a policy; `nil` where its asterisks are no pattern.
    package init?(_ text: String) throws(PathAmbiguity) {
        let ending = ["/**", "/*"].first { text.hasSuffix($0) }
        let body = ending.map { text.dropLast($0.count) + "/" } ?? text[...]
        if !body.contains("*") {
            let path = try CanonicalPath(body)
            guard !path.hasEmptySegment else { throw .emptySegment }
            self = ending == nil ? .exact(path) : .below(path)
            return
        }
        guard let glob = try PathGlob(text, isOpenEnded: ending != nil) else { return nil }
        self = .glob(glob)
    }
}

extension PathGlob {
    /// How many asterisks a path may have; the work of a comparison grows with it.
    package static let limit = 16

    /// Takes the text of a policy; `nil` where its asterisks are no pattern.
    ///
    /// - Parameters:
    ///   - text: the path; every part between asterisks is read as a path is.
    ///   - isOpenEnded: whether the last segment, an asterisk or two, stands for everything below.
    /// - Throws: what is ambiguous about the path without its asterisks.
    init?(_ text: String, isOpenEnded: Bool) throws(PathAmbiguity) {
        guard text.hasPrefix("/") else { throw .noLeadingSlash }
        guard text.utf8.count(where: { $0 == UInt8(ascii: "*") }) <= Self.limit else { return nil }
        var segments: [Segment] = []
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            if part.isEmpty, !isLast { throw .emptySegment }
            if isLast, isOpenEnded {
                // `/a/**` asks for the slash: it is not `/a`.
                segments += [.pieces([[], []]), .any]
            } else if part == "**" {
                segments.append(.any)
            } else if part.contains("**") {
                return nil
            } else {
                segments.append(.pieces(try Self.pieces(part)))
            }
        }
        self.init(segments)
    }

    private static func pieces(_ segment: Substring) throws(PathAmbiguity) -> [[UInt8]] {
        let parts = segment.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return [Array(try CanonicalPath("/" + segment).text.utf8.dropFirst())] }
        var pieces: [[UInt8]] = []
        for part in parts {
            // A letter in front: a dot beside an asterisk is no dot segment.
            pieces.append(Array(try CanonicalPath("/x" + part).text.utf8.dropFirst(2)))
        }
        return pieces
    }
}
