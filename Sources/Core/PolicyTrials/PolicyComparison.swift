import PolicyEngine

/// What one policy says and another does not.
package struct PolicyComparison: Hashable, Sendable {
    /// `mode`, `default` and `egress`, where they differ.
    package let settings: [AspectChange]
    /// Removed ones in the order of the old policy, then the others in that of the new one.
    package let rules: [RuleChange]

    package init(old: Policy, new: Policy) {
        settings = [
            AspectChange("mode", [old.mode.rawValue], [new.mode.rawValue]),
            AspectChange("default", [old.defaultAction.rawValue], [new.defaultAction.rawValue]),
            AspectChange("egress", old.egress.meant.texts, new.egress.meant.texts),
        ].compactMap { $0 }
        let before = Dictionary(old.rules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.rules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let moved = movedRules(old.rules.filter { after[$0.name] != nil }, new.rules.filter { before[$0.name] != nil })
        let removed = old.rules.filter { after[$0.name] == nil }.map { RuleChange(rule: $0.name, kind: .removed($0)) }
        rules =
            removed
            + new.rules.compactMap { rule in
                guard let earlier = before[rule.name] else { return RuleChange(rule: rule.name, kind: .added(rule)) }
                let aspects = changes(from: earlier.aspects, to: rule.aspects)
                if !aspects.isEmpty { return RuleChange(rule: rule.name, kind: .changed(aspects)) }
                return moved.contains(rule.name) ? RuleChange(rule: rule.name, kind: .moved) : nil
            }
    }

    /// True where both say the same, in the same order where order counts.
    package var isEmpty: Bool { settings.isEmpty && rules.isEmpty }
}

/// What became of a rule; rules are known by their names.
package struct RuleChange: Hashable, Sendable {
    package let rule: RuleName
    package let kind: Kind

    /// What was done to it.
    package enum Kind: Hashable, Sendable {
        case added(Rule)
        case removed(Rule)
        case changed([AspectChange])
        /// It says the same, and stands before or behind others than it did.
        case moved
    }
}

/// A key that says something else.
package struct AspectChange: Hashable, Sendable {
    package let key: String
    /// `nil` where the key was not there.
    package let before: [String]?
    /// `nil` where it is there no more.
    package let after: [String]?

    init?(_ key: String, _ before: [String]?, _ after: [String]?) {
        // Ways are tried in their order; of everything else it says nothing.
        let isSame = key == "egress" ? before == after : before.map(Set.init) == after.map(Set.init)
        guard !isSame else { return nil }
        self.key = key
        self.before = before
        self.after = after
    }

    /// True of a key of `match`, without which a rule asks for nothing there.
    package var isOfMatch: Bool {
        let first = key.prefix { $0 != "." }
        return ["hosts", "cidrs", "ports", "protocols", "sni", "workload", "time", "http", "mcp"].contains(first)
    }

    /// Items that came, in their order.
    package var added: [String] { (after ?? []).filter { !(before ?? []).contains($0) } }
    /// Items that went.
    package var removed: [String] { (before ?? []).filter { !(after ?? []).contains($0) } }
}

private func changes(from old: [RuleAspect], to new: [RuleAspect]) -> [AspectChange] {
    let keys = old.map(\.key) + new.map(\.key).filter { key in !old.contains { $0.key == key } }
    return keys.compactMap { key in
        AspectChange(key, old.first { $0.key == key }?.items, new.first { $0.key == key }?.items)
    }
}

/// The rules that do not stand in the order that most of them kept; a deny wins wherever it stands and never moves.
private func movedRules(_ old: [Rule], _ new: [Rule]) -> Set<RuleName> {
    let before = old.filter { $0.action != .deny }.map(\.name)
    let after = new.filter { $0.action != .deny }.map(\.name)
    let places = Dictionary(before.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let kept = longestRise(after.map { places[$0] ?? -1 })
    return Set(after.enumerated().filter { !kept.contains($0.offset) && places[$0.element] != nil }.map(\.element))
}

/// The indices of a longest strictly rising subsequence.
private func longestRise(_ numbers: [Int]) -> Set<Int> {
    /// For each length: the index at which the rise of that length ends lowest.
    var ends: [Int] = []
    var before = [Int?](repeating: nil, count: numbers.count)
    for index in numbers.indices {
        var low = 0
        var high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if numbers[ends[middle]] < numbers[index] { low = middle + 1 } else { high = middle }
        }
        before[index] = low > 0 ? ends[low - 1] : nil
        if low == ends.count { ends.append(index) } else { ends[low] = index }
    }
    var rise: Set<Int> = []
    var next = ends.last
    while let index = next {
        rise.insert(index)
        next = before[index]
    }
    return rise
}
