extension SourceProblems {
    /// Takes problems in any order, at least one, and puts them in the order of the text.
    package init(inOrder problems: [SourceProblem]) {
        self.init(problems.inOrderOfText)
    }
}

extension [SourceProblem] {
    /// By file, line and column; those of one place stay in the order given.
    package var inOrderOfText: [SourceProblem] {
        enumerated().sorted { first, second in
            let one = first.element.location
            let two = second.element.location
            return (one.file, one.line, one.column, first.offset) < (two.file, two.line, two.column, second.offset)
        }.map(\.element)
    }
}
