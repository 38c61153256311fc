extension SourceProblems {
    /// Puts problems in the order of the text: by file, line and column; those of one place stay in the order given.
    package init(inOrder problems: [SourceProblem]) {
        let sorted = problems.enumerated().sorted { first, second in
            let one = first.element.location
            let two = second.element.location
            return (one.file, one.line, one.column, first.offset) < (two.file, two.line, two.column, second.offset)
        }
        self.init(sorted.map(\.element))
    }
}
