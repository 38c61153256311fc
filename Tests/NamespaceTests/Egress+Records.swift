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

    /// What a test that fails should show: the line itself is long.
    var description: String {
        let facts = ["workload.uid", "protocol", "sni", "destination.original", "destination.dialled", "detail"]
        let ending = [
            "outcome", "closed_by", "reason", "rule", "bytes_up", "bytes_down", "dialled", "connect_ms", "detail",
        ]
        let words = facts.compactMap { key in decision[key].map { "\(key)=\($0)" } }
        let last = ending.compactMap { key in end?[key].map { "\(key)=\($0)" } }
        return "[\(verdict) \(words.joined(separator: " ")) | \(end == nil ? "no end" : last.joined(separator: " "))]"
    }
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

// Tests ask these instead of writing closures inside `#expect`: of two closures in one function, one of them in the macro,
// the compiler (6.3.1) runs the wrong one.
extension [EgressConnection] {
    /// What the decisions say under a path, each value once.
    func values(_ path: String) -> Set<String> { Set(map { $0[path] ?? "null" }) }

    /// What the ends say under a path, each value once.
    func endValues(_ path: String) -> Set<String> { Set(map { $0.end?[path] ?? "null" }) }

    /// The verdicts, each once.
    var verdicts: Set<String> { Set(map(\.verdict)) }
}
