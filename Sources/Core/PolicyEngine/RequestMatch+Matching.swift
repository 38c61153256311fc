extension RequestMatch {
    /// Compares every key with what is known of a request.
    ///
    /// What is not known leaves the answer open, unless another key fails.
    func likelihood(_ request: RequestFacts?, for action: RuleAction) -> Likelihood {
        guard !holdsForNothing else { return .no }
        var isOpen = false
        if let methods {
            if let method = request?.method {
                guard methods.contains(method) else { return .no }
            } else {
                isOpen = true
            }
        }
        if let paths {
            if let path = request?.path {
                guard paths.contains(where: { $0.matches(path) }) else { return .no }
            } else {
                isOpen = true
            }
        }
        for field in fields ?? [] {
            if let known = request?.fields, known.asked.contains(field.name) {
                guard field.holds(known.occurrences, for: action) else { return .no }
            } else {
                isOpen = true
            }
        }
        return isOpen ? .maybe : .yes
    }

    /// True where a list is empty, so that nothing needs to be known.
    var holdsForNothing: Bool {
        (methods?.isEmpty ?? false) || (paths?.isEmpty ?? false)
            || (fields.map { $0.isEmpty || $0.contains { $0.values.isEmpty } } ?? false)
    }
}

extension FieldMatch {
    /// Compares the occurrences of the field: a deny holds where any has one of the values, every other action where all have
    /// one and there is one.
    func holds(_ occurrences: [RequestField], for action: RuleAction) -> Bool {
        switch action {
        case .deny:
            return occurrences.contains { $0.name == name && values.contains($0.value) }
        case .allow, .tunnel:
            var isThere = false
            for occurrence in occurrences where occurrence.name == name {
                guard values.contains(occurrence.value) else { return false }
                isThere = true
            }
            return isThere
        }
    }
}
