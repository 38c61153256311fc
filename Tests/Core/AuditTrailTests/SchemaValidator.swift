import Foundation

/// As much of JSON Schema as docs/audit.schema.json uses.
///
/// A keyword that it does not know is a fault: none is skipped.
struct SchemaValidator {
    let root: [String: Any]

    init() throws {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let package = tests.deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: package.appending(path: "docs/audit.schema.json"))
        root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// What is wrong with a line, one entry each.
    func faults(of line: [UInt8]) throws -> [String] {
        faults(of: try Sample.parse(line), against: root, at: "")
    }

    private func faults(of value: Any, against schema: [String: Any], at path: String) -> [String] {
        schema.flatMap { keyword, rule -> [String] in
            switch (keyword, rule) {
            case ("description", _), ("title", _), ("$schema", _), ("$id", _), ("$defs", _): []
            case ("$ref", let reference as String): faults(of: value, against: definition(reference), at: path)
            case ("oneOf", let choices as [[String: Any]]): faults(of: value, oneOf: choices, at: path)
            case ("type", _): has(value, type: rule) ? [] : ["\(path): not of type \(rule)"]
            case ("const", _): same(value, rule) ? [] : ["\(path): not \(rule)"]
            case ("enum", let allowed as [Any]):
                allowed.contains { same(value, $0) } ? [] : ["\(path): \(value) is not in the list"]
            case ("minimum", let least as NSNumber):
                (value as? NSNumber).map { $0.doubleValue >= least.doubleValue } ?? true ? [] : ["\(path): too small"]
            case ("pattern", let pattern as String):
                (value as? String)?.range(of: pattern, options: .regularExpression) == nil && value is String
                    ? ["\(path): \(value) does not match"] : []
            case ("items", let item as [String: Any]):
                (value as? [Any] ?? []).flatMap { faults(of: $0, against: item, at: path + "[]") }
            case ("required", let names as [String]):
                names.filter { (value as? [String: Any])?[$0] == nil }.map { "\(path): \($0) is missing" }
            case ("properties", let properties as [String: [String: Any]]):
                faults(of: value as? [String: Any] ?? [:], properties: properties, at: path)
            case ("additionalProperties", _):
                (value as? [String: Any] ?? [:]).keys
                    .filter { (schema["properties"] as? [String: Any])?[$0] == nil }.map { "\(path): \($0) is unknown" }
            default: ["\(path): the schema's \(keyword) is unknown"]
            }
        }
    }

    private func faults(of object: [String: Any], properties: [String: [String: Any]], at path: String) -> [String] {
        object.flatMap { name, value in
            properties[name].map { faults(of: value, against: $0, at: "\(path)/\(name)") } ?? []
        }
    }

    private func faults(of value: Any, oneOf choices: [[String: Any]], at path: String) -> [String] {
        let all = choices.map { faults(of: value, against: $0, at: path) }
        let fitting = all.count { $0.isEmpty }
        return fitting == 1 ? [] : ["\(path): \(fitting) choices fit"] + (all.min { $0.count < $1.count } ?? [])
    }

    private func definition(_ reference: String) -> [String: Any] {
        let name = String(reference.dropFirst("#/$defs/".count))
        return (root["$defs"] as? [String: [String: Any]])?[name] ?? ["missing": name]
    }

    private func has(_ value: Any, type: Any) -> Bool {
        let names = type as? [String] ?? [type as? String ?? ""]
        return names.contains { name in
            switch name {
            case "null": value is NSNull
            case "string": value is String
            case "integer":
                (value as? NSNumber).map { !(value is String) && $0.doubleValue.rounded() == $0.doubleValue } ?? false
            case "array": value is [Any]
            case "object": value is [String: Any]
            default: false
            }
        }
    }

    private func same(_ left: Any, _ right: Any) -> Bool {
        (left as? NSObject)?.isEqual(right) ?? ((left is NSNull) && (right is NSNull))
            || String(describing: left) == String(describing: right) && (left is String) == (right is String)
    }
}
