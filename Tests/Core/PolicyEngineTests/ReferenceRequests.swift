import PolicyEngine

/// A request of which everything is known.
struct ReferenceRequest {
    var method: String
    var path: String
    /// The occurrences of each field, by its name; one that is not here is absent.
    var fields: [String: [[UInt8]]]

    func satisfies(_ match: RequestMatch, isDeny: Bool) -> Bool {
        var conditions: [Bool] = []
        if let methods = match.methods { conditions.append(methods.map(\.text).contains(method)) }
        if let paths = match.paths {
            conditions.append(
                paths.contains { pattern in
                    switch pattern {
                    case .exact(let exact): exact.text == path
                    case .below(let parent): path.utf8.starts(with: parent.text.utf8)
                    }
                }
            )
        }
        for field in match.fields ?? [] {
            let values = Set(fields[field.name] ?? [])
            let wanted = Set(field.values)
            conditions.append(
                isDeny ? !values.isDisjoint(with: wanted) : !values.isEmpty && values.isSubset(of: wanted)
            )
        }
        return !conditions.contains(false)
    }
}

/// Every value that the unknown parts of a request could have, so that each rule could hold and could fail.
struct ReferenceRequests {
    var methods: [RequestMethod]
    var paths: [CanonicalPath]
    var fieldName: String
    var fieldValues: [[UInt8]]

    /// The requests that what was told could be; parts that no rule asks for are not varied.
    func all(_ told: RequestFacts?, _ policy: Policy) -> [ReferenceRequest] {
        let asked = policy.rules.compactMap(\.match.http)
        let methods = told?.method.map { [$0] } ?? some(of: methods, where: asked.contains { $0.methods != nil })
        let paths = told?.path.map { [$0] } ?? some(of: paths, where: asked.contains { $0.paths != nil })
        let fields = occurrences(told?.fields, where: asked.contains { $0.fields != nil })
        return methods.flatMap { method in
            paths.flatMap { path in
                fields.map { ReferenceRequest(method: method.text, path: path.text, fields: [fieldName: $0]) }
            }
        }
    }

    private func some<Value>(of values: [Value], where isAsked: Bool) -> [Value] {
        isAsked ? values : Array(values.prefix(1))
    }

    private func occurrences(_ told: RequestFields?, where isAsked: Bool) -> [[[UInt8]]] {
        if let told, told.asked.contains(fieldName) {
            return [told.occurrences.filter { $0.name == fieldName }.map(\.value)]
        }
        let single = fieldValues.map { [$0] }
        let double = fieldValues.flatMap { one in fieldValues.map { [one, $0] } }
        return isAsked ? [[]] + single + double : [[]]
    }
}
