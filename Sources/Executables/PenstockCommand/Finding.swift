import AuditTrail
import Configuration
import SourceDocuments
import Telemetry

/// One thing to say about a policy.
struct Finding: Hashable {
    var severity: Severity
    /// `nil` where a file could not be read.
    var location: SourceLocation?
    var file: String
    var message: String
    var remedy: String?

    enum Severity: String {
        case error
        case warning
    }

    init(_ severity: Severity, _ problem: SourceProblem) {
        self.severity = severity
        location = problem.location
        file = problem.location.file
        message = problem.message
        remedy = problem.remedy
    }

    init(_ problem: FileProblem) {
        severity = .error
        file = problem.path
        message = problem.message
        remedy = problem.remedy
    }

    /// `FILE:LINE:COLUMN: error: message`, the line with a caret below the column, and the remedy.
    func lines(_ texts: inout SourceTexts) -> [String] {
        let place = location.map(\.description) ?? file
        let excerpt = location.flatMap { texts.excerpt($0) } ?? []
        let help = remedy.map { ["  help: \($0)"] } ?? []
        return (["\(place): \(severity.rawValue): \(message)"] + excerpt + help).map { printable($0) }
    }

    /// The object of `--json`.
    var json: String {
        jsonObject { members in
            members.text("kind", "problem")
            members.text("severity", severity.rawValue)
            members.text("file", file)
            members.number("line", orNull: location.map { UInt64(clamping: $0.line) })
            members.number("column", orNull: location.map { UInt64(clamping: $0.column) })
            members.text("message", message)
            members.text("remedy", orNull: remedy)
        }
    }
}

/// A compact JSON object on one line.
func jsonObject(_ body: (inout JSONMembers) -> Void) -> String {
    var members = JSONMembers(reserving: 256, limits: .standard)
    body(&members)
    return "{" + String(decoding: members.finish(), as: UTF8.self) + "}"
}
