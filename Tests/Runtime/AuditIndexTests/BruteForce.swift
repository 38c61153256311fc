import AuditTrail
import Foundation
import NetworkTypes

/// A line of the trail as a reader from outside sees it.
struct TrailLine {
    let object: [String: Any]

    init(_ bytes: Data) throws {
        object = try JSONSerialization.jsonObject(with: bytes) as? [String: Any] ?? [:]
    }

    /// Every line of a file.
    static func all(_ content: Data) throws -> [TrailLine] {
        try content.split(separator: UInt8(ascii: "\n")).map { try TrailLine(Data($0)) }
    }

    func text(_ name: String) -> String? { object[name] as? String }

    func number(_ name: String) -> UInt64? { (object[name] as? NSNumber)?.uint64Value }

    private func inner(_ name: String) -> [String: Any] { object[name] as? [String: Any] ?? [:] }

    var sequence: UInt64 { number("sequence") ?? 0 }
    var uid: UInt64? { (inner("workload")["uid"] as? NSNumber)?.uint64Value }
    var isDecision: Bool { text("decision") != nil }
    var denies: Bool { text("decision") == "deny" || text("would") == "deny" }

    var time: Int64 { text("time").flatMap { microseconds(rfc3339: $0) } ?? 0 }

    var address: String? {
        let asked = inner("destination")["original"] as? String ?? text("dialled")
        let name = inner("destination")["name"] as? String
        let text = asked.map { String($0[..<($0.lastIndex(of: ":") ?? $0.endIndex)]) } ?? name
        return text.flatMap { IPAddress($0.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))) }?.description
    }

    var host: String? {
        let said = text("sni") ?? text("authority").map { String($0.split(separator: ":")[0]) }
        return (inner("destination")["name"] as? String ?? said ?? address)?.lowercased()
    }

    /// The words of what is searched: letters and digits, in lower case, each field by itself.
    var words: [[String]] {
        [host, text("path"), text("rule"), text("reason"), text("detail")].map { Self.words(of: $0 ?? "") }
    }

    static func words(of text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
    }

    /// Whether these words stand one behind the other in one field.
    func contains(_ phrase: String) -> Bool {
        let isBeginning = phrase.hasSuffix("*")
        let wanted = Self.words(of: phrase)
        return words.contains { field in
            field.indices.contains { start in
                guard start + wanted.count <= field.count else { return false }
                let found = field[start..<start + wanted.count]
                guard isBeginning, let last = wanted.last else { return Array(found) == wanted }
                return found.dropLast().elementsEqual(wanted.dropLast()) && found.last?.hasPrefix(last) == true
            }
        }
    }
}
