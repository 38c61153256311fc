import PolicyEngine

/// What a request could be: the values that each of its parts could have, so that each rule could hold and could fail.
struct ReferenceRequests {
    var methods: [RequestMethod]
    var paths: [CanonicalPath]
    var fieldName: String
    var fieldValues: [[UInt8]]
    var queryKey: [UInt8]
    var queryValues: [[UInt8]]

    /// Whether a rule's `http` holds: for each part that it asks for, an answer for every value that the part could have.
    func answers(_ match: RequestMatch, _ told: RequestFacts?, isDeny: Bool) -> [[Bool]] {
        var answers: [[Bool]] = []
        if let wanted = match.methods {
            answers.append((told?.method.map { [$0] } ?? methods).map { wanted.map(\.text).contains($0.text) })
        }
        if let wanted = match.paths {
            answers.append(
                (told?.path.map { [$0] } ?? paths).map { path in wanted.contains { covers($0, path.text) } }
            )
        }
        for field in match.fields ?? [] {
            let possible = occurrences(told?.fields)
            answers.append(possible.map { holds($0, field.values, isDeny: isDeny) })
        }
        for wanted in match.query ?? [] { answers.append(queryAnswers(wanted, told?.query, isDeny: isDeny)) }
        return answers
    }

    private func holds(_ found: [[UInt8]], _ wanted: [[UInt8]]?, isDeny: Bool) -> Bool {
        guard let wanted else { return !found.isEmpty }
        let isWanted = found.map { wanted.contains($0) }
        return isDeny ? isWanted.contains(true) : !found.isEmpty && !isWanted.contains(false)
    }

    private func covers(_ pattern: PathPattern, _ path: String) -> Bool {
        switch pattern {
        case .exact(let exact): exact.text == path
        case .below(let parent): path.utf8.starts(with: parent.text.utf8)
        case .glob(let glob):
            path.first == "/"
                && covers(
                    glob.text.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { Array($0) },
                    path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { Array($0) }
                )
        }
    }

    /// By trying everything out.
    private func covers(_ pattern: [[Character]], _ path: [[Character]]) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        let rest = Array(pattern.dropFirst())
        if first == ["*", "*"] { return (0...path.count).contains { covers(rest, Array(path.dropFirst($0))) } }
        guard let segment = path.first else { return false }
        return fits(first, segment) && covers(rest, Array(path.dropFirst()))
    }

    private func fits(_ pattern: [Character], _ text: [Character]) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = Array(pattern.dropFirst())
        if first == "*" { return (0...text.count).contains { fits(rest, Array(text.dropFirst($0))) } }
        return text.first == first && fits(rest, Array(text.dropFirst()))
    }

    private func occurrences(_ told: RequestFields?) -> [[[UInt8]]] {
        if let told, told.asked.contains(fieldName) {
            return [told.occurrences.filter { $0.name == fieldName }.map(\.value)]
        }
        return lists(fieldValues)
    }

    /// What an ambiguous query could be is anything, beside what it says; it never allows.
    private func queryAnswers(_ wanted: QueryMatch, _ told: RequestQuery?, isDeny: Bool) -> [Bool] {
        guard let told else { return lists(queryValues).map { holds($0, wanted.values, isDeny: isDeny) } }
        let mine = told.pairs.filter { $0.key == wanted.key }
        let isUnclear = told.isAmbiguous || (wanted.values != nil && mine.contains { $0.value == nil })
        if isUnclear, !isDeny { return [false] }
        let known = mine.compactMap(\.value)
        guard isUnclear else {
            return [wanted.values == nil ? !mine.isEmpty : holds(known, wanted.values, isDeny: isDeny)]
        }
        if wanted.values == nil, !mine.isEmpty { return [true] }
        return ([[]] + lists(queryValues)).map { holds(known + $0, wanted.values, isDeny: true) }
    }

    private func lists(_ values: [[UInt8]]) -> [[[UInt8]]] {
        [[]] + values.map { [$0] } + values.flatMap { one in values.map { [one, $0] } }
    }
}
