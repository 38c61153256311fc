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
        var isUnprovable = false
        for wanted in query ?? [] {
            switch request?.query.map({ wanted.holds($0, for: action) }) {
            case nil: isOpen = true
            case .no?: return .no
            case .unprovable?, .maybe?, .body?: isUnprovable = true
            case .yes?: continue
            }
        }
        if isOpen { return .maybe }
        return isUnprovable ? .unprovable : .yes
    }

    /// True where a list is empty, so that nothing needs to be known.
    var holdsForNothing: Bool {
        (methods?.isEmpty ?? false) || (paths?.isEmpty ?? false)
            || (fields.map { $0.isEmpty || $0.contains { $0.values?.isEmpty ?? false } } ?? false)
            || (query.map { $0.isEmpty || $0.contains { $0.values?.isEmpty ?? false } } ?? false)
    }
}

extension FieldMatch {
    /// Compares the occurrences of the field: a deny holds where any has one of the values, every other action where all have
    /// one and there is one.
    func holds(_ occurrences: [RequestField], for action: RuleAction) -> Bool {
        let mine = occurrences.lazy.filter { $0.name == name }
        guard let values else { return !mine.isEmpty }
        switch action {
        case .deny: return mine.contains { values.contains($0.value) }
        case .allow, .tunnel, .inspect: return !mine.isEmpty && mine.allSatisfy { values.contains($0.value) }
        }
    }
}

extension QueryMatch {
    /// Compares the values of the key as `FieldMatch` compares occurrences; what may be read in several ways never allows, and
    /// cannot be proved not to be what a deny asks for.
    func holds(_ query: RequestQuery, for action: RuleAction) -> Likelihood {
        let mine = query.pairs.filter { $0.key == key }
        let isUnclear = query.isAmbiguous || (values != nil && mine.contains { $0.value == nil })
        let wanted = mine.filter { pair in values.map { pair.value.map($0.contains) ?? false } ?? true }
        switch action {
        case .deny: return !wanted.isEmpty ? .yes : isUnclear ? .unprovable : .no
        case .allow, .tunnel, .inspect:
            return !isUnclear && !mine.isEmpty && wanted.count == mine.count ? .yes : .no
        }
    }
}
