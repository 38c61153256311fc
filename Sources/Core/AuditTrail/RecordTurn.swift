/// What a record changes in the account of what is open.
package enum RecordTurn: Hashable, Sendable {
    /// Something was let through: a record of its end is owed.
    case opens(StoredLine.OwedEnd)
    /// The end of what was let through.
    case closes(StoredLine.OwedEnd)
    /// Nothing.
    case neither
}

extension RecordBody {
    /// Nothing is opened or closed, unless a kind says so.
    package var turn: RecordTurn { .neither }
}

extension ConnectionRecord {
    /// An allowed connection owes an end.
    package var turn: RecordTurn { decision == .allow ? .opens(.connection(id)) : .neither }
}

extension ConnectionEndRecord {
    /// It is the end that was owed.
    package var turn: RecordTurn { .closes(.connection(id)) }
}

extension RequestRecord {
    /// An allowed request owes an end.
    package var turn: RecordTurn { decision == .allow ? .opens(.request(id)) : .neither }
}

extension RequestEndRecord {
    /// It is the end that was owed.
    package var turn: RecordTurn { .closes(.request(id)) }
}
