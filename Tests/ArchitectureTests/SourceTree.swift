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
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        codeLines = code.split(separator: "\n", omittingEmptySubsequences: false)
        imports = codeLines.compactMap(importedModule)
    }

    let lines: [Substring]
    let codeLines: [Substring]
    /// The modules that the file imports.
    let imports: [String]

    /// The folder below Sources, such as `Core`.
    var shelf: String { part(0) }
    /// The folder below that, such as `PolicyEngine`.
    var module: String { part(1) }
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

/// The module that a line of code imports, if it does.
private func importedModule(_ line: Substring) -> String? {
    // Nearly no line does, and a regex is slow to say so.
    guard line.utf8.count > 7, line.contains("import ") else { return nil }
    return line.firstMatch(
        of: /^\s*(?:@\S+ )*(?:\w+ )?import (?:(?:struct|class|enum|protocol|func|var|let|typealias) )?(\w+)/
    )
    .map { String($0.1) }
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
    static let files = swiftFiles(below: "Sources")
    /// Every Swift file under Tests; their paths start below it.
    static let tests = swiftFiles(below: "Tests")

    static func files(in module: String) -> [SourceFile] { files.filter { $0.module == module } }

    private static func swiftFiles(below name: String) -> [SourceFile] {
        let folder = root.appending(path: name)
        let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (found?.compactMap { $0 as? URL } ?? [])
            .filter { $0.pathExtension == "swift" }
            .compactMap { url in
                guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
                return SourceFile(path: String(url.path.dropFirst(folder.path.count + 1)), text: text)
            }
            .sorted { $0.path < $1.path }
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}

extension StringProtocol {
    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}

/// Blanks comments and string literals, so that a word in prose breaks no law.
///
/// Newlines stay where they are. What is interpolated into a string counts as string. It goes by octets: characters take a
/// test build twenty times as long.
func strippedOfCommentsAndStrings(_ text: String) -> String {
    var source = Octets(Array(text.utf8))
    var stripped: [UInt8] = []
    while let octet = source.first {
        if source.begins(with: "//") {
            source.skip(upTo: "\n", escapes: false, keeping: &stripped)
            if source.wasFound { stripped.append(UInt8(ascii: "\n")) }
        } else if source.begins(with: "/*") {
            source.drop(2)
            source.skip(upTo: "*/", escapes: false, keeping: &stripped)
        } else if let opening = source.openingQuote() {
            source.drop(opening.utf8.count)
            stripped += Array("\"\"".utf8)
            let isRaw = opening.hasPrefix("#")
            source.skip(upTo: String(opening.reversed()), escapes: !isRaw, keeping: &stripped)
        } else {
            stripped.append(octet)
            source.drop(1)
        }
    }
    return String(decoding: stripped, as: UTF8.self)
}

/// A text that is read from its front.
private struct Octets {
    private let all: [UInt8]
    private var position = 0
    /// False where the last `skip` came to the end of the text instead.
    private(set) var wasFound = false

    init(_ all: [UInt8]) { self.all = all }

    var first: UInt8? { position < all.count ? all[position] : nil }

    func begins(with text: String) -> Bool { first == text.utf8.first && begins(with: Array(text.utf8)) }

    func begins(with wanted: [UInt8]) -> Bool {
        guard first == wanted.first, position + wanted.count <= all.count else { return false }
        for index in wanted.indices where all[position + index] != wanted[index] { return false }
        return true
    }

    mutating func drop(_ count: Int) { position += count }

    /// The quote that opens a string literal here, with the number signs before it.
    func openingQuote() -> String? {
        guard first == UInt8(ascii: "\"") || first == UInt8(ascii: "#") else { return nil }
        var end = position
        while end < all.count, all[end] == UInt8(ascii: "#") { end += 1 }
        guard end < all.count, all[end] == UInt8(ascii: "\"") else { return nil }
        let isLong = end + 2 < all.count && all[end + 1] == UInt8(ascii: "\"") && all[end + 2] == UInt8(ascii: "\"")
        return String(repeating: "#", count: end - position) + (isLong ? "\"\"\"" : "\"")
    }

    /// Skips all up to and with `closing`; the newlines on the way are kept.
    mutating func skip(upTo closing: String, escapes: Bool, keeping kept: inout [UInt8]) {
        let wanted = Array(closing.utf8)
        wasFound = false
        while let octet = first {
            if begins(with: wanted) {
                position += wanted.count
                wasFound = true
                return
            }
            position += 1
            if escapes, octet == UInt8(ascii: "\\"), first != nil, first != UInt8(ascii: "\n") { position += 1 }
            if octet == UInt8(ascii: "\n") { kept.append(octet) }
        }
    }
}
