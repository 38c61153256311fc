import Foundation
import Testing

/// Runs the examples of docs/policy.md as they stand there.
///
/// A block of `yaml` is `policy.yaml`, or the file that a comment in its first line names; one that begins with `rules:` gets a head.
/// A block of `console` has commands behind `$ `, and below each what it says: its first line, and others in their order.
@Suite("The examples of docs/policy.md")
struct PolicyExamplesTests {
    private static let page = URL(filePath: #filePath).appending(path: "../../../../docs/policy.md").standardized
    private static let head = "apiVersion: penstock/v1\nkind: EgressPolicy\nname: test\n"

    /// A fenced block of the page.
    private struct Block {
        var language: String
        var lines: [String]
    }

    /// A command, what it says, and the files that were there.
    struct Example: CustomTestStringConvertible {
        var command: String
        var expected: [String]
        var files: [String: String]

        var testDescription: String { command }
    }

    static let examples: [Example] = {
        var files: [String: String] = [:]
        var examples: [Example] = []
        for block in blocks() {
            switch block.language {
            case "yaml":
                let text = block.lines.map { $0 + "\n" }.joined()
                let name = block.lines.first?.wholeMatch(of: /# (\w+\.yaml)/).map { String($0.1) } ?? "policy.yaml"
                files[name] = block.lines.first == "rules:" ? head + text : text
            case "console":
                for line in block.lines {
                    if line.hasPrefix("$ ") {
                        examples.append(Example(command: String(line.dropFirst(2)), expected: [], files: files))
                    } else if let last = examples.indices.last {
                        examples[last].expected.append(line)
                    }
                }
            default: continue
            }
        }
        return examples
    }()

    private static func blocks() -> [Block] {
        let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
        var blocks: [Block] = []
        var open: Block?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("```") {
                if let block = open { blocks.append(block) }
                open = open == nil ? Block(language: String(line.dropFirst(3)), lines: []) : nil
            } else {
                open?.lines.append(line)
            }
        }
        return blocks
    }

    @Test("each says what the page says that it says", arguments: examples)
    func example(example: Example) throws {
        let said = try run(words(example.command), in: try Folder(example.files))
        let first = try #require(said.lines.first, "\(said)")
        #expect(first.hasPrefix(try #require(example.expected.first)), "\(said)")
        var rest = said.lines[...]
        for line in example.expected {
            let place = rest.firstIndex { $0.hasPrefix(line) }
            #expect(place != nil, "\(line) is not said, or not in this place\n\(said)")
            rest = place.map { rest[($0 + 1)...] } ?? rest
        }
        #expect(said.errors.isEmpty, "\(said)")
    }

    @Test("there is an example for each key of a match, each action, mode, rate, budget and extends")
    func completeness() {
        let keys = [
            "hosts", "cidrs", "ports", "protocols", "sni", "uids", "namespaces", "time", "methods", "paths", "headers",
            "query", "mcp", "tools",
            "rate", "budget", "extends", "action: allow", "action: deny", "action: tunnel", "action: inspect",
            "mode: audit",
            "default: deny",
        ]
        for key in keys {
            let isThere = Self.examples.contains { $0.files.values.contains { $0.contains(key) } }
            #expect(isThere, "\(key)")
        }
        #expect(Self.examples.count >= 35)
    }

    /// The words of a command line; single quotes keep words together.
    private func words(_ command: String) -> [String] {
        var words: [String] = []
        for (index, part) in command.components(separatedBy: "'").enumerated() {
            if index % 2 == 1 { words.append(part) } else { words += part.split(separator: " ").map(String.init) }
        }
        return Array(words.dropFirst())
    }
}
