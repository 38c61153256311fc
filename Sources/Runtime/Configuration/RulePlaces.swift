import PolicyEngine
import SourceDocuments

/// Where each rule of the documents begins; of several of one name, the first.
func rulePlaces(_ documents: [SourceNode]) -> [RuleName: SourceLocation] {
    var places: [RuleName: SourceLocation] = [:]
    for document in documents {
        guard case .sequence(let rules) = document.value(of: "rules")?.content else { continue }
        for rule in rules {
            guard case .string(let text) = rule.value(of: "name")?.content, let name = RuleName(text),
                places[name] == nil
            else { continue }
            places[name] = rule.location
        }
    }
    return places
}

extension SourceNode {
    /// The value of a key; `nil` where this is no mapping or has no such key.
    fileprivate func value(of key: String) -> SourceNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }
}
