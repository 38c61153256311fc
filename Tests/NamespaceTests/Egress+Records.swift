import Foundation

/// One line of the audit file, parsed by Foundation's parser and not by ours.
struct EgressRecord: CustomStringConvertible {
    let members: [String: Any]
    let line: String

    /// Parses a line; throws where it is no JSON object.
    init(_ line: some StringProtocol) throws {
        self.line = String(line)
        guard let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
            throw EgressWorld.Failed(what: "no JSON object: \(line)")
        }
        self.members = members
    }

    /// A member by its path, such as `destination.original`: a string as it is, a number in decimal; `nil` for null or absent.
    subscript(path: String) -> String? {
        var value: Any? = members
        for key in path.split(separator: ".") { value = (value as? [String: Any])?[String(key)] }
        switch value {
        case let text as String: return text
        case let number as NSNumber: return number.stringValue
        default: return nil
        }
    }

    /// The words of `binding`.
    var binding: [String] { members["binding"] as? [String] ?? [] }

    var description: String { line }
}

/// What the audit says of one connection: its decision, and its end where it was allowed.
struct EgressConnection: CustomStringConvertible {
    let decision: EgressRecord
    let end: EgressRecord?

    subscript(path: String) -> String? { decision[path] }

    /// `allow rule_allow RULE`, `deny default_deny -`: what was decided, why, and by which rule.
    var verdict: String {
        "\(decision["decision"] ?? "?") \(decision["reason"] ?? "?") \(decision["rule"] ?? "-")"
    }

    var description: String { "\(decision)\n\(end?.line ?? "(no end)")" }
}

extension [EgressRecord] {
    /// The connections among the records, in the order of their decisions.
    ///
    /// - Throws: Where one has two decisions or two ends, an end without being allowed, or where an end came first.
    func connections() throws -> [EgressConnection] {
        var decisions: [EgressRecord] = []
        var ends: [String: EgressRecord] = [:]
        for record in self {
            let id = record["id"] ?? ""
            let decision = decisions.first { $0["id"] == id }
            switch record["kind"] {
            case "connection" where decision == nil: decisions.append(record)
            case "connection_end" where decision?["decision"] == "allow" && ends[id] == nil: ends[id] = record
            case "connection", "connection_end": throw EgressWorld.Failed(what: "out of place: \(record)")
            default: break
            }
        }
        return decisions.map { EgressConnection(decision: $0, end: ends[$0["id"] ?? ""]) }
    }
}
