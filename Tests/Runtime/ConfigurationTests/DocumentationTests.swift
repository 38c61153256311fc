import Configuration
import Foundation
import SourceDocuments
import TestSupport
import Testing

@Suite("What the documentation says of the configuration")
struct DocumentationTests {
    private let text: String

    init() throws {
        text = try documentation("operations.md")
    }

    @Test("the file of defaults says what the defaults are")
    func defaults() throws {
        let example = try #require(text.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```").first)
        var configuration = try DaemonConfiguration.read(Array(example.utf8), file: "docs/operations.md")
        configuration.listen.isAdminNeeded = false
        #expect(configuration == DaemonConfiguration())
    }

    @Test("every key of the table is a key of the file")
    func keys() throws {
        // Other tables of the page are about other things.
        let section = try #require(text.components(separatedBy: "\n## Configuration\n").last)
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let names = rows.flatMap { row -> [String] in
            let cell = row.split(separator: "|", maxSplits: 1).first ?? ""
            let words = cell.split(separator: "`").map(String.init).filter { !$0.allSatisfy { " ,".contains($0) } }
            let parent = words.first?.split(separator: ".").dropLast().joined(separator: ".") ?? ""
            return words.map { $0.hasPrefix(".") ? parent + $0 : $0 }
        }
        #expect(names.count >= 30)
        for name in names {
            let parts = name.split(separator: ".")
            let open = parts.map { "\($0): " }.joined(separator: "{ ")
            // No key takes a list of lists: the value is refused, the key is not.
            let document = open + "[[]]" + String(repeating: " }", count: parts.count - 1)
            do throws(SourceProblems) {
                _ = try DaemonConfiguration.read(Array(document.utf8), file: "f")
                Issue.record("\(name) took a list of lists")
            } catch {
                #expect(!error.description.contains("unknown key"), "\(name)")
            }
        }
    }
}
