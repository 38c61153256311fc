extension AuditWriter {
    /// Whether what is let through now will have its record in time.
    package var takesDecisions: Bool {
        switch state {
        case .writable: true
        case .recovering, .stalled, .overBudget, .failed, .finished: false
        }
    }

    /// Whether a connection may be accepted, if only to refuse it: its record is written at once, or waits among at most
    /// `backlog` others; where none is written any more, it waits among them for its refusal.
    package func hasRoom(backlog limit: Int) -> Bool {
        guard backlog.records < limit else { return false }
        switch state {
        case .writable, .stalled, .failed: return true
        case .overBudget(_, _, let takesRefusals): return takesRefusals
        case .recovering, .finished: return false
        }
    }
}
