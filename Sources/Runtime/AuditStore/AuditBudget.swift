import AuditTrail

extension AuditStoreSettings.Budget {
    /// What is set aside for the end of each connection or request that was let through, in bytes.
    ///
    /// An end's line has at most `RecordLimits.endBytes`; its share of the first lines of the next file comes to that.
    private static let reserveForEnd = RecordLimits.endBytes + RecordIdentifier.length + 3

    /// What is left for new traffic.
    enum Room: Hashable {
        case enough
        /// Nothing new may pass; that it was refused can be told.
        case refusalsOnly
        case nothing
    }

    /// What is left where the files take `used` bytes, `waiting` are on their way, and so many records of an end are owed.
    func room(used: Int, waiting: Int, owed: Int) -> Room {
        let left = bytes - used - waiting - owed * Self.reserveForEnd
        if left > margin { return .enough }
        return left > margin / 2 ? .refusalsOnly : .nothing
    }
}

extension AuditState {
    /// Why new traffic waits although the disk may have room; nil where it does not.
    init?(_ room: AuditStoreSettings.Budget.Room, used: Int, budget: Int) {
        switch room {
        case .enough: return nil
        case .refusalsOnly: self = .overBudget(used: used, budget: budget, takesRefusals: true)
        case .nothing: self = .overBudget(used: used, budget: budget, takesRefusals: false)
        }
    }
}
