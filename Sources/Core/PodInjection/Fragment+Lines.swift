/// How far a document indents.
package struct Indentation: Hashable, Sendable {
    /// From a key to the keys below it, in columns.
    package var step: Int
    /// From a key to the dashes below it, in columns.
    package var dash: Int

    package init(step: Int = 2, dash: Int = 0) {
        self.step = step
        self.dash = dash
    }
}

extension Fragment.Entry {
    /// The entry as lines, its key in this column (counted from 0).
    func lines(column: Int, _ indentation: Indentation) -> [String] {
        let start = padding(column) + Fragment.written(key, isQuoted: false) + ":"
        switch value {
        case .text, .word: return ["\(start) \(value.onOneLine(isQuoted: false))"]
        case .list(let items):
            guard !value.isShort else { return ["\(start) \(value.onOneLine(isQuoted: false))"] }
            return [start] + items.flatMap { $0.itemLines(column: column + indentation.dash, indentation) }
        case .map(let entries):
            guard !entries.isEmpty else { return ["\(start) {}"] }
            return [start] + entries.flatMap { $0.lines(column: column + indentation.step, indentation) }
        }
    }
}

extension Fragment {
    /// The item of a list as lines, its dash in this column.
    func itemLines(column: Int, _ indentation: Indentation) -> [String] {
        guard case .map(let entries) = self, !entries.isEmpty else {
            return [padding(column) + "- " + onOneLine(isQuoted: false)]
        }
        let lines = entries.flatMap { $0.lines(column: column + 2, indentation) }
        return [padding(column) + "- " + lines[0].dropFirst(column + 2)] + lines.dropFirst()
    }

    /// True of a list that is easier read in brackets.
    fileprivate var isShort: Bool {
        guard case .list(let items) = self else { return false }
        guard items.count == 1 else { return items.isEmpty }
        if case .text(let text) = items[0] { return text.utf8.count < 16 && !text.hasPrefix("-") }
        return false
    }

    /// All of it in brackets, on one line.
    func onOneLine(isQuoted: Bool) -> String {
        switch self {
        case .text(let text): Self.written(text, isQuoted: isQuoted)
        case .word(let word): word.isEmpty ? "null" : word
        case .list(let items): "[" + items.map { $0.onOneLine(isQuoted: isQuoted) }.joined(separator: ", ") + "]"
        case .map(let entries): "{" + entries.map { $0.onOneLine(isQuoted: isQuoted) }.joined(separator: ", ") + "}"
        }
    }

    /// All of it in brackets, an item or an entry a line.
    ///
    /// The column is where the line begins that the text is put into; the lines inside it are one step further in.
    func onLines(column: Int, step: Int, isQuoted: Bool, lineBreak: String) -> String {
        let inner = lineBreak + padding(column + step)
        let parts: [String]
        let brackets: (String, String)
        switch self {
        case .text, .word: return onOneLine(isQuoted: isQuoted)
        case .list(let items):
            brackets = ("[", "]")
            parts = items.map {
                $0.onLines(column: column + step, step: step, isQuoted: isQuoted, lineBreak: lineBreak)
            }
        case .map(let entries):
            brackets = ("{", "}")
            parts = entries.map {
                $0.onLines(column: column + step, step: step, isQuoted: isQuoted, lineBreak: lineBreak)
            }
        }
        guard !parts.isEmpty else { return brackets.0 + brackets.1 }
        return brackets.0 + inner + parts.joined(separator: "," + inner) + lineBreak + padding(column) + brackets.1
    }
}

extension Fragment.Entry {
    /// The entry inside of brackets.
    func onOneLine(isQuoted: Bool) -> String {
        Fragment.written(key, isQuoted: isQuoted) + ": " + value.onOneLine(isQuoted: isQuoted)
    }

    /// The entry inside of brackets, its value on lines of its own.
    func onLines(column: Int, step: Int, isQuoted: Bool, lineBreak: String) -> String {
        Fragment.written(key, isQuoted: isQuoted) + ": "
            + value.onLines(column: column, step: step, isQuoted: isQuoted, lineBreak: lineBreak)
    }
}

/// Spaces up to a column.
func padding(_ column: Int) -> String { String(repeating: " ", count: max(0, column)) }
