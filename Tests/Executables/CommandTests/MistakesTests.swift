import Foundation
import Testing

@Suite("What is said of mistakes in policies")
struct MistakesTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "Golden/mistakes.txt"
    )

    /// A policy with a mistake, and what ought to be said of it.
    private struct Mistake {
        var title: String
        var policy: String
        var said: String

        var text: String { "\n===== \(title)\n\(policy)-----\n\(said)" }

        /// Reads what stands behind `=====`.
        init?(_ section: String) {
            guard let end = section.firstIndex(of: "\n"), let split = section.range(of: "-----\n") else { return nil }
            title = String(section[..<end])
            policy = String(section[section.index(after: end)..<split.lowerBound])
            said = String(section[split.upperBound...])
        }
    }

    @Test("each of at least 40 mistakes is told of as the golden file has it")
    func golden() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let sections = text.components(separatedBy: "\n===== ")
        var mistakes = sections.dropFirst().compactMap(Mistake.init)
        #expect(mistakes.count == sections.count - 1)
        #expect(mistakes.count >= 40)
        let isWriting = ProcessInfo.processInfo.environment["PENSTOCK_WRITE_GOLDEN"] != nil
        for index in mistakes.indices {
            let folder = try Folder(["policy.yaml": mistakes[index].policy])
            let said = try penstock("policy", "check", "policy.yaml", in: folder)
            // The hash is another with every letter.
            let lines = said.output.replacing(/sha256:[0-9a-f]{64}/, with: "sha256:…")
            // A section ends before the empty line in front of the next.
            let expected = mistakes[index].said.hasSuffix("\n") ? mistakes[index].said : mistakes[index].said + "\n"
            if isWriting {
                mistakes[index].said = lines
            } else {
                #expect(lines == expected, "\(mistakes[index].title)\n\(lines)")
            }
        }
        guard isWriting else { return }
        try Data((sections[0] + mistakes.map(\.text).joined()).utf8).write(to: Self.file)
    }
}
