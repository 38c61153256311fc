import AuditTrail
import PolicyEngine

extension PolicyChanges {
    /// What a policy changes of the one before it.
    init(from old: Policy, to new: Policy) {
        let before = Dictionary(old.rules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(new.rules.map(\.name))
        let kept = old.rules.lazy.map(\.name).filter { after.contains($0) }
        self.init(
            added: new.rules.filter { before[$0.name] == nil }.map(\.name.text),
            removed: old.rules.filter { !after.contains($0.name) }.map(\.name.text),
            changed: new.rules.filter { rule in before[rule.name].map { $0 != rule } ?? false }.map(\.name.text),
            isReordered: !kept.elementsEqual(new.rules.lazy.map(\.name).filter { before[$0] != nil }),
            mode: Change(old.mode.rawValue, new.mode.rawValue),
            defaultAction: Change(old.defaultAction.rawValue, new.defaultAction.rawValue),
            egress: Change(old.egress.words, new.egress.words)
        )
    }
}

extension PolicyChanges.Change {
    /// `nil` where it is the same.
    fileprivate init?(_ before: String, _ after: String) {
        guard before != after else { return nil }
        self.init(before: before, after: after)
    }
}

extension EgressList {
    /// As a policy would have them on one line.
    fileprivate var words: String { meant.texts.joined(separator: ", ") }
}
