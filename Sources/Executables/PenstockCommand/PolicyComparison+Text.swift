import AuditTrail
import PolicyEngine
import PolicyTrials
import Telemetry

extension PolicyComparison {
    /// One line for each difference, those of a rule that changed below it.
    var lines: [String] {
        guard !isEmpty else { return ["no difference"] }
        let changes = settings.map { "~ \($0.key): \(short($0.before ?? [])) -> \(short($0.after ?? []))" }
        return changes + rules.flatMap(\.lines)
    }

    /// One object for each difference.
    var json: [String] {
        settings.map { $0.json(kind: "setting", rule: nil) } + rules.flatMap(\.json)
    }
}

extension RuleChange {
    fileprivate var lines: [String] {
        switch kind {
        case .added(let rule): ["+ rule \(rule.summary)"]
        case .removed(let rule): ["- rule \(rule.summary)"]
        case .moved: ["~ rule \(rule): moved before or behind others"]
        case .changed(let aspects): ["~ rule \(rule)"] + aspects.map { "    \($0.text)" }
        }
    }

    fileprivate var json: [String] {
        switch kind {
        case .added(let rule): [rule.json(change: "added")]
        case .removed(let rule): [rule.json(change: "removed")]
        case .moved:
            [
                jsonObject { members in
                    members.text("kind", "rule")
                    members.text("rule", self.rule.text)
                    members.text("change", "moved")
                }
            ]
        case .changed(let aspects): aspects.map { $0.json(kind: "rule", rule: rule) }
        }
    }
}

extension AspectChange {
    /// `ports: 443 -> any`, or what came and what went where only some items did.
    fileprivate var text: String {
        guard let before, let after else {
            return "\(key): \(before.map(short) ?? nothingSaid) -> \(after.map(short) ?? nothingSaid)"
        }
        // The same items in another order.
        let isReordered = added.isEmpty && removed.isEmpty
        guard before.count + after.count > 2, !isReordered else { return "\(key): \(short(before)) -> \(short(after))" }
        let parts = [("+", added), ("-", removed)].filter { !$0.1.isEmpty }.map { "\($0.0)\(short($0.1))" }
        return "\(key): \(parts.joined(separator: "  "))"
    }

    /// What it is not to have the key: a match without it takes anything, and what is beside the action does nothing.
    private var nothingSaid: String { isOfMatch ? "any" : "nothing" }

    fileprivate func json(kind: String, rule: RuleName?) -> String {
        jsonObject { members in
            members.text("kind", kind)
            if let rule { members.text("rule", rule.text) }
            members.text("change", "changed")
            members.text("key", key)
            if let before { members.texts("before", before) } else { members.null("before") }
            if let after { members.texts("after", after) } else { members.null("after") }
        }
    }
}

extension Rule {
    /// `NAME: deny, hosts a.example, ports 443`.
    fileprivate var summary: String {
        "\(name): "
            + aspects.map { $0.key == "action" ? short($0.items) : "\($0.key) \(short($0.items))" }.joined(
                separator: ", "
            )
    }

    fileprivate func json(change: String) -> String {
        jsonObject { members in
            members.text("kind", "rule")
            members.text("rule", name.text)
            members.text("change", change)
            members.objects("says", aspects) { aspect, members in
                members.text("key", aspect.key)
                members.texts("items", aspect.items)
            }
        }
    }
}
