import AuditTrail

/// The record that an accepted connection owes: exactly one decision, and exactly one end if it was allowed.
///
/// It is born when a connection is accepted. Whoever lets it go without a decision has refused the connection, and whoever
/// lets it go without an end has abandoned it; both are then recorded as `abandoned`.
package struct AuditEntry: ~Copyable {
    private enum State {
        case undecided
        case allowed
        case over
    }

    /// What is known so far.
    ///
    /// The journey fills it in; it is what is told if nobody decides.
    package var facts: ConnectionRecord
    private let writer: AuditWriter
    private var state = State.undecided

    /// Opens the entry with what is known when the connection is accepted, its identifier among it.
    package init(_ facts: ConnectionRecord, writer: AuditWriter) {
        self.facts = facts
        self.writer = writer
    }

    /// What ties the connection's records together.
    package var id: RecordIdentifier { facts.id }

    /// Records the decision and returns its ticket: nothing goes upstream before that ticket is written.
    ///
    /// It is called once; the record gets this entry's identifier.
    package mutating func judged(_ record: consuming ConnectionRecord) -> UInt64 {
        precondition(state == .undecided, "a connection is judged once")
        record.id = id
        state = record.decision == .allow ? .allowed : .over
        return writer.submit(record)
    }

    /// Records how an allowed connection ended; of a refused one there is no more to tell.
    package consuming func finish(_ end: ConnectionEndRecord) {
        guard state == .allowed else { return }
        state = .over
        var end = end
        end.id = id
        // If the daemon dies before it is written, the next start writes `lost` in its place.
        writer.submit(end, pressing: false)
    }

    deinit {
        switch state {
        case .undecided:
            var record = facts
            record.decision = .deny
            record.would = nil
            record.treatment = .refuse
            record.rule = nil
            record.reason = "abandoned"
            writer.submit(record)
        case .allowed:
            writer.submit(ConnectionEndRecord(id: id, outcome: .abandoned))
        case .over:
            break
        }
    }
}
