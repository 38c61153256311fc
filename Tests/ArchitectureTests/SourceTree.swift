import Foundation
import Testing

/// One Swift file under Sources, with what the laws ask about it.
struct SourceFile: Sendable {
    /// The path below Sources: `Core/PolicyEngine/Permit.swift`.
    let path: String
    /// The text as it stands.
    let text: String
    /// The text without comments and without what stands in string literals; line for line the same.
    let code: String

    init(path: String, text: String) {
        self.path = path
        self.text = text
        code = strippedOfCommentsAndStrings(text)
    }

    /// The folder below Sources, such as `Core`.
    var shelf: String { part(0) }
    /// The folder below that, such as `PolicyEngine`.
    var module: String { part(1) }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var codeLines: [Substring] { code.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The modules that the file imports.
    var imports: [String] {
        codeLines.compactMap { line in
            line.firstMatch(
                of: /^\s*(?:@\S+ )*(?:\w+ )?import (?:(?:struct|class|enum|protocol|func|var|let|typealias) )?(\w+)/
            )
            .map { String($0.1) }
        }
    }

    /// The lines of code in which one of `words` stands as a whole word: `path:line: text`.
    func places(ofAny words: [String]) -> [String] {
        let wanted = Set(words)
        return zip(1..., codeLines).compactMap { number, line in
            let found = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }
            return found.contains { wanted.contains(String($0)) } ? "\(path):\(number): \(line.trimmed)" : nil
        }
    }

    private func part(_ index: Int) -> String {
        let parts = path.split(separator: "/")
        return index < parts.count ? String(parts[index]) : ""
    }
}

extension SourceFile: CustomTestStringConvertible {
    var testDescription: String { path }
}

/// A piece of source that a rule is tried on, and what the rule should find in it.
struct Sample<Finding: Sendable>: Sendable, CustomTestStringConvertible {
    let text: String
    let finding: Finding

    init(_ text: String, _ finding: Finding) {
        self.text = text
        self.finding = finding
    }

    var file: SourceFile { SourceFile(path: "Core/Sample/Sample.swift", text: text) }
    var testDescription: String { text.replacing("\n", with: "⏎") }
}

/// The package as it stands on disk.
enum SourceTree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every Swift file under Sources.
    static let files: [SourceFile] = {
        let sources = root.appending(path: "Sources")
        let found = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
        return (found?.compactMap { $0 as? URL } ?? [])
            .filter { $0.pathExtension == "swift" }
            .compactMap { url in
                guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
                return SourceFile(path: String(url.path.dropFirst(sources.path.count + 1)), text: text)
            }
            .sorted { $0.path < $1.path }
    }()

    static func files(in module: String) -> [SourceFile] { files.filter { $0.module == module } }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}

extension StringProtocol {
    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}

/// Blanks comments and string literals, so that a word in prose breaks no law.
///
/// Newlines stay where they are. What is interpolated into a string counts as string.
func strippedOfCommentsAndStrings(_ text: String) -> String {
    var stripped = ""
    var rest = Substring(text)
    while let character = rest.first {
        if rest.hasPrefix("//") {
            rest = rest.drop { !$0.isNewline }
        } else if rest.hasPrefix("/*") {
            stripped += newlines(in: &rest, upTo: "*/", from: 2, escapes: false)
        } else if let opening = rest.prefixMatch(of: /(#*)("""|")/) {
            let closing = "\(opening.2)\(opening.1)"
            stripped += "\"\""
            stripped += newlines(in: &rest, upTo: closing, from: opening.0.count, escapes: opening.1.isEmpty)
        } else {
            stripped.append(character)
            rest.removeFirst()
        }
    }
    return stripped
}

/// Skips `from` characters and then all up to and with `closing`; returns the newlines in between.
private func newlines(in rest: inout Substring, upTo closing: String, from: Int, escapes: Bool) -> String {
    var kept = ""
    rest = rest.dropFirst(from)
    while let character = rest.first, !rest.hasPrefix(closing) {
        if escapes, character == "\\" { rest.removeFirst() }
        guard let next = rest.first else { break }
        if next.isNewline { kept.append(next) }
        rest.removeFirst()
    }
    rest = rest.dropFirst(closing.count)
    return kept
}
