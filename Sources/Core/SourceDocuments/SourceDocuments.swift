/// Where in a file something stands.
///
/// Lines and columns count from 1; columns count characters.
package struct SourceLocation: Hashable, Sendable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension SourceLocation: CustomStringConvertible {
    /// `FILE:LINE:COLUMN`.
    package var description: String { "\(file):\(line):\(column)" }
}

/// One thing wrong with a document: where, what, and what to do about it.
package struct SourceProblem: Error, Hashable, Sendable {
    package var location: SourceLocation
    /// What is wrong, with what: lower case, no full stop.
    package var message: String
    /// What to write instead.
    package var remedy: String?

    package init(_ message: String, at location: SourceLocation, remedy: String? = nil) {
        self.location = location
        self.message = message
        self.remedy = remedy
    }
}

extension SourceProblem: CustomStringConvertible {
    /// `FILE:LINE:COLUMN: message; remedy`.
    package var description: String {
        "\(location): \(message)" + (remedy.map { "; \($0)" } ?? "")
    }
}

/// Everything wrong with a document, in the order of the text.
///
/// Never empty.
package struct SourceProblems: Error, Hashable, Sendable {
    package var problems: [SourceProblem]

    package init(_ problems: [SourceProblem]) {
        self.problems = problems
    }
}

extension SourceProblems: CustomStringConvertible {
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// A value of a YAML document with the place where it stands.
package struct SourceNode: Hashable, Sendable {
    package var location: SourceLocation
    package var content: Content

    package init(_ content: Content, at location: SourceLocation) {
        self.content = content
        self.location = location
    }

    /// What stands there.
    ///
    /// Scalars are typed by the reader (YAML 1.2 core schema): a quoted scalar is always a string.
    package indirect enum Content: Hashable, Sendable {
        case null
        case boolean(Bool)
        case integer(Int)
        case string(String)
        case sequence([SourceNode])
        /// In the order of the text. Keys are unique: the reader refuses duplicates.
        case mapping([Entry])
    }

    /// One key of a mapping with its value.
    package struct Entry: Hashable, Sendable {
        package var key: String
        package var keyLocation: SourceLocation
        package var value: SourceNode

        package init(key: String, keyLocation: SourceLocation, value: SourceNode) {
            self.key = key
            self.keyLocation = keyLocation
            self.value = value
        }
    }
}
