/// What is known of the kernel's rules.
package enum RulesetState: String, CaseIterable, Sendable {
    /// Somebody compared them with the plan a moment ago, and they were as planned.
    case verified
    /// They are not as planned.
    case drifted
    /// Nobody watches them.
    case unwatched
}

/// What is known of the kernel's rules is another than before; also written at the start.
package struct RulesetRecord: Hashable, Sendable {
    package var state: RulesetState
    /// Nil at the start.
    package var before: RulesetState?
    /// The name of the table; nil where nobody watches.
    package var table: String?
    /// How the rules differ from the plan.
    package var differences: [String]
    /// Who reported it, or why nobody does.
    package var detail: String

    package init(
        state: RulesetState,
        before: RulesetState?,
        table: String? = nil,
        differences: [String] = [],
        detail: String
    ) {
        self.state = state
        self.before = before
        self.table = table
        self.differences = differences
        self.detail = detail
    }
}

extension RulesetRecord: RecordBody {
    package static var kind: RecordKind { .ruleset }

    /// Writes the members, the event first.
    package func write(into members: inout JSONMembers) {
        members.text("event", state.rawValue)
        members.text("before", orNull: before?.rawValue)
        members.text("table", orNull: table)
        members.texts("differences", differences)
        members.text("detail", detail)
    }
}
