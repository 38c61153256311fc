/// When a record counts as written.
package enum AuditDurability: String, Sendable {
    /// The kernel has it: it survives the daemon, not a loss of power.
    case written
    /// The disk has it.
    case synced
}

/// How the writer is doing.
package enum AuditState: Hashable, Sendable {
    /// The file is being read back; records wait.
    case recovering
    /// Records are written as they come.
    case writable
    /// Writing fails and is tried again; records wait. `since` is in microseconds since 1970-01-01T00:00:00Z.
    case stalled(reason: String, since: Int64)
    /// The files take what they may, in bytes; what is set aside is for the ends of what was let through.
    ///
    /// `takesRefusals`: there is room to tell of refusals still.
    case overBudget(used: Int, budget: Int, takesRefusals: Bool)
    /// Nothing will be written any more: only another start can help.
    case failed(AuditError)
    /// It was told to finish, and has.
    case finished
}

/// What was submitted and is not yet written.
package struct AuditBacklog: Hashable, Sendable {
    package let records: Int
    /// Of their bodies.
    package let bytes: Int

    package init(records: Int, bytes: Int) {
        self.records = records
        self.bytes = bytes
    }
}
