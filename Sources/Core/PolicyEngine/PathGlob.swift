/// A path with asterisks: `*` stands for any octets within one segment, `**` for any number of segments.
package struct PathGlob: Hashable, Sendable {
    /// The pattern in the one form that paths are compared in; an asterisk that is meant is `%2A`.
    ///
    /// Here `**` stands for no segment, too: `/a/*/b/**` of a policy, which asks for the last slash, is `/a/*/b/*/**`.
    package let text: String
    let segments: [Segment]

    /// What one segment of a path must be.
    enum Segment: Hashable, Sendable {
        /// `**`
        case any
        /// The pieces between asterisks; one piece where there is none.
        case pieces([[UInt8]])
    }

    init(_ segments: [Segment]) {
        self.segments = segments
        text = segments.map { "/" + $0.text }.joined()
    }

    /// True where the whole path is one that the pattern stands for.
    ///
    /// It takes at most as many steps as the path has segments times those of the pattern: what `**` passed over is never
    /// tried again for an earlier one.
    package func matches(_ path: CanonicalPath) -> Bool {
        let octets = Array(path.text.utf8)
        guard octets.first == UInt8(ascii: "/") else { return false }
        let parts = octets.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return wildcardMatch(segments.count, parts.count, isAny: { segments[$0] == .any }) { segment, part in
            segments[segment].matches(parts[part])
        }
    }
}

extension PathGlob.Segment {
    var text: String {
        switch self {
        case .any: "**"
        case .pieces(let pieces): pieces.map { escapeAsterisks($0) }.joined(separator: "*")
        }
    }

    func matches(_ part: ArraySlice<UInt8>) -> Bool {
        switch self {
        case .any: true
        case .pieces(let pieces): piecesMatch(pieces, part)
        }
    }
}

private func escapeAsterisks(_ piece: [UInt8]) -> String {
    String(decoding: piece, as: UTF8.self).split(separator: "*", omittingEmptySubsequences: false)
        .joined(separator: "%2A")
}

/// Compares a list with a pattern of which some items stand for any number of the list's, going back to the last such item only.
private func wildcardMatch(
    _ patterns: Int,
    _ count: Int,
    isAny: (Int) -> Bool,
    _ holds: (_ pattern: Int, _ item: Int) -> Bool
) -> Bool {
    var pattern = 0
    var item = 0
    var lastAny: Int?
    var resumption = 0
    while item < count {
        if pattern < patterns, isAny(pattern) {
            lastAny = pattern
            resumption = item
            pattern += 1
        } else if pattern < patterns, holds(pattern, item) {
            pattern += 1
            item += 1
        } else if let lastAny {
            pattern = lastAny + 1
            resumption += 1
            item = resumption
        } else {
            return false
        }
    }
    while pattern < patterns, isAny(pattern) { pattern += 1 }
    return pattern == patterns
}

/// The first piece begins the text, the last ends it, and those between follow one another, each at its first place.
func piecesMatch(_ pieces: [[UInt8]], _ text: ArraySlice<UInt8>) -> Bool {
    guard let first = pieces.first, let last = pieces.last else { return false }
    guard pieces.count > 1 else { return text.elementsEqual(first) }
    guard text.count >= first.count + last.count, text.starts(with: first) else { return false }
    guard text.suffix(last.count).elementsEqual(last) else { return false }
    var rest = text.dropFirst(first.count).dropLast(last.count)
    for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
        guard let start = firstPlace(of: piece, in: rest) else { return false }
        rest = rest[(start + piece.count)...]
    }
    return true
}

private func firstPlace(of piece: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
    guard text.count >= piece.count else { return nil }
    for start in text.startIndex...(text.endIndex - piece.count)
    where text[start..<(start + piece.count)].elementsEqual(piece) {
        return start
    }
    return nil
}
