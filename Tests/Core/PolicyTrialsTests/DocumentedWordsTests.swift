import AuditTrail
import Foundation
import PolicyEngine
import TestSupport
import Testing

@Suite("What docs/audit.md explains")
struct DocumentedWordsTests {
    private let text: String

    init() throws {
        text = try documentation("audit.md")
    }

    /// The words that the first cells of a section's table name.
    private func table(_ heading: String) throws -> [String] {
        let section = try #require(text.components(separatedBy: "\n### \(heading)\n").last)
        let rows = (section.components(separatedBy: "\n#").first ?? "").split(separator: "\n")
        // The first is the head of the table.
        let cells = rows.filter { $0.hasPrefix("| `") }.dropFirst().map { $0.split(separator: "|").first ?? "" }
        return cells.flatMap { cell in
            cell.split(separator: "`").map(String.init).filter { !$0.allSatisfy { " ,".contains($0) } }
        }
    }

    @Test("every reason, each once")
    func reasons() throws {
        let words = try table("Reasons")
        #expect(Set(words) == Set(Reason.allCases.map(\.rawValue) + ["abandoned"]))
        #expect(words.count == Set(words).count)
    }

    @Test("every outcome, each once")
    func outcomes() throws {
        let words = try table("Outcomes")
        #expect(Set(words) == Set(ConnectionOutcome.allCases.map(\.rawValue)))
        #expect(words.count == Set(words).count)
    }
}
