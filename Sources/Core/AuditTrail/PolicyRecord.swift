/// What became of a policy that was read.
package enum PolicyEvent: String, CaseIterable, Sendable {
    /// It is in force now.
    case loaded
    /// It does not load; what was in force before still is.
    case refused
}

/// A policy was loaded or refused.
package struct PolicyRecord: Hashable, Sendable {
    package var event: PolicyEvent
    /// In force before, as `sha256:` and 64 digits; nil is none.
    package var hashBefore: String?
    /// In force now; the same as before where the new one was refused.
    package var hashAfter: String?
    /// Counts the policies that this daemon has loaded.
    package var generation: UInt64?
    /// What was wrong or doubtful, one entry each, with file, line and column.
    package var problems: [String]
    /// What it changes of the policy before; nil where there was none, or where it was refused.
    package var changes: PolicyChanges?

    package init(
        event: PolicyEvent,
        hashBefore: String?,
        hashAfter: String?,
        generation: UInt64? = nil,
        problems: [String] = [],
        changes: PolicyChanges? = nil
    ) {
        self.event = event
        self.hashBefore = hashBefore
        self.hashAfter = hashAfter
        self.generation = generation
        self.problems = problems
        self.changes = changes
    }
}

extension PolicyRecord: RecordBody {
    package static var kind: RecordKind { .policy }

    /// Writes the members, the event first.
    package func write(into members: inout JSONMembers) {
        members.text("event", event.rawValue)
        members.text("policy_hash_before", orNull: hashBefore)
        members.text("policy_hash", orNull: hashAfter)
        if let generation { members.number("policy_generation", generation) }
        members.texts("problems", problems)
        if let changes { members.object("changes") { changes.write(into: &$0) } }
    }
}
