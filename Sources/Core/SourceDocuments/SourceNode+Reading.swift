extension SourceNode {
    /// What stands here, for a message: `a string`, `a list`.
    package var kindName: String {
        switch content {
        case .null: "empty"
        case .boolean: "a boolean"
        case .integer: "an integer"
        case .string: "a string"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The problem of a value that is of another type than it should be.
    ///
    /// - Parameters:
    ///   - subject: the value, as the message begins: "`ports`".
    ///   - expected: a phrase as in "expected a list of integers".
    /// - Returns: the problem, at this place.
    package func mistyped(_ subject: String, expected: String) -> SourceProblem {
        SourceProblem(
            "\(subject) is \(kindName), expected \(expected)",
            at: location,
            remedy: content == .null ? "give it a value, or remove the key" : nil
        )
    }

    /// Reads text that is not empty.
    package func string(_ subject: String, expected: String = "a string") throws(SourceProblem) -> String {
        guard case .string(let text) = content else {
            var problem = mistyped(subject, expected: expected)
            switch content {
            case .boolean, .integer: problem.remedy = "write it in quotes if it is text"
            case .null, .string, .sequence, .mapping: break
            }
            throw problem
        }
        guard !text.isEmpty else { throw SourceProblem("\(subject) is empty, expected \(expected)", at: location) }
        return text
    }

    /// Reads an integer within bounds.
    package func integer(
        _ subject: String,
        in bounds: ClosedRange<Int> = Int.min...Int.max
    ) throws(SourceProblem) -> Int {
        guard case .integer(let number) = content else { throw mistyped(subject, expected: "an integer") }
        guard bounds.contains(number) else {
            throw SourceProblem(
                "\(subject) is \(number), expected \(bounds.lowerBound) to \(bounds.upperBound)",
                at: location
            )
        }
        return number
    }

    /// Reads `true` or `false`.
    package func boolean(_ subject: String) throws(SourceProblem) -> Bool {
        guard case .boolean(let value) = content else { throw mistyped(subject, expected: "true or false") }
        return value
    }

    /// Reads a word from a closed list: the raw value of a case.
    ///
    /// - Parameters:
    ///   - subject: the value, as the message begins.
    ///   - type: the words.
    ///   - synonyms: what others call them, for the remedy.
    /// - Returns: the case.
    /// - Throws: where it is another word, or none.
    package func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ subject: String,
        of type: Choice.Type,
        synonyms: [String: String] = [:]
    ) throws(SourceProblem) -> Choice {
        // Nearly every word is right: what to say of one that is not is put together only then.
        if case .string(let text) = content, let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let expected = words.joined(separator: ", ")
        let text = try string(subject, expected: words.count == 1 ? expected : "one of \(expected)")
        throw SourceProblem(
            "\(subject) is `\(text)`, expected \(words.count == 1 ? expected : "one of \(expected)")",
            at: location,
            remedy: (synonyms[text] ?? nearest(to: text, among: words)).map { "did you mean `\($0)`?" }
        )
    }

    /// Reads the items of a list.
    package func items(_ subject: String, of expected: String) throws(SourceProblem) -> [SourceNode] {
        guard case .sequence(let items) = content else {
            var problem = mistyped(subject, expected: "a list of \(expected)")
            switch content {
            case .integer, .string: problem.remedy = "put it in brackets, as a list of one"
            case .null, .boolean, .sequence, .mapping: break
            }
            throw problem
        }
        return items
    }
}
