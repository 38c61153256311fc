/// What a policy changes of the one that it replaces.
package struct PolicyChanges: Hashable, Sendable {
    /// A value before and after.
    package struct Change: Hashable, Sendable {
        package var before: String
        package var after: String

        package init(before: String, after: String) {
            self.before = before
            self.after = after
        }
    }

    /// Rules by name, in the order of the new policy; those that are gone, of the old one.
    package var added: [String]
    package var removed: [String]
    /// They have the same name and say something else.
    package var changed: [String]
    /// Rules that are in both stand in another order.
    package var isReordered: Bool
    package var mode: Change?
    package var defaultAction: Change?
    /// The ways out of the policy as a whole.
    package var egress: Change?

    package init(
        added: [String] = [],
        removed: [String] = [],
        changed: [String] = [],
        isReordered: Bool = false,
        mode: Change? = nil,
        defaultAction: Change? = nil,
        egress: Change? = nil
    ) {
        self.added = added
        self.removed = removed
        self.changed = changed
        self.isReordered = isReordered
        self.mode = mode
        self.defaultAction = defaultAction
        self.egress = egress
    }

    func write(into members: inout JSONMembers) {
        for (kind, names) in [("added", added), ("removed", removed), ("changed", changed)] {
            members.number("\(kind)_rules", UInt64(names.count))
            members.texts(kind, names)
        }
        if isReordered { members.flag("reordered") }
        for (name, change) in [("mode", mode), ("default", defaultAction), ("egress", egress)] {
            guard let change else { continue }
            members.object(name) { members in
                members.text("before", change.before)
                members.text("after", change.after)
            }
        }
    }
}

extension PolicyChanges: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        var parts = [("added", added), ("removed", removed), ("changed", changed)].compactMap { kind, names in
            names.isEmpty ? nil : "\(kind) \(Self.list(names))"
        }
        if isReordered { parts.append("rules reordered") }
        if let mode { parts.append("mode \(mode.before) -> \(mode.after)") }
        if let defaultAction { parts.append("default \(defaultAction.before) -> \(defaultAction.after)") }
        if let egress { parts.append("egress \(egress.before) -> \(egress.after)") }
        return parts.isEmpty ? "no rule is another" : parts.joined(separator: "; ")
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(8).joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }
}
