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

extension AuditState {
    /// Why records are not written as they come, and what an operator can do about it; nil where they are.
    package var problem: String? {
        switch self {
        case .writable: nil
        case .recovering: "reading back what was open when the file was left"
        case .stalled(let reason, _): "\(reason); nothing new passes until it can be written"
        case .overBudget(let used, let budget, _):
            "the files take \(used) bytes of audit.budget_bytes \(budget), and the rest is set aside; nothing new passes until some are taken away"
        case .failed(let error): "\(error)"
        case .finished: "the file is closed"
        }
    }

    /// What stops the traffic, without what changes from one look to the next; nil where nothing does.
    var obstacle: String? {
        switch self {
        case .recovering, .writable, .finished: nil
        case .stalled(let reason, _): reason
        case .overBudget: "budget"
        case .failed: problem
        }
    }
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
