import AuditTrail

/// What an accepted connection owes.
package typealias ConnectionEntry = AuditEntry<ConnectionRecord>
/// What an HTTP request owes that was read, or could not be.
package typealias RequestEntry = AuditEntry<RequestRecord>

/// The records that something owes: exactly one decision, and exactly one end if it was allowed.
///
/// It is born when a connection is accepted, or a request begins. Whoever lets it go without a decision has refused, and
/// whoever lets it go without an end has abandoned what was allowed; both are then recorded as `abandoned`.
package struct AuditEntry<Subject: DecisionRecord>: ~Copyable {
    private enum State {
        case undecided
        case allowed
        case over
    }

    private indirect enum Known {
        case nothing
        case facts(Subject)
    }

    /// What ties the records together.
    package let id: RecordIdentifier
    /// What is known so far; `nil` once it is judged.
    ///
    /// The journey fills it in; it is what is told if nobody decides.
    package var facts: Subject? {
        get {
            switch known {
            case .nothing: nil
            case .facts(let subject): subject
            }
        }
        set { known = newValue.map(Known.facts) ?? .nothing }
    }
    /// Apart from the entry: one that is judged lasts as long as its connection, and takes no room for what it was.
    private var known = Known.nothing
    private let writer: AuditWriter
    private var state = State.undecided

    /// Opens the entry with what is known at the beginning, its identifier among it.
    package init(_ facts: Subject, writer: AuditWriter) {
        id = facts.id
        known = .facts(facts)
        self.writer = writer
    }

    /// Records the decision and returns its ticket: nothing goes upstream before that ticket is written.
    ///
    /// It is called once; the record gets this entry's identifier.
    package mutating func judged(_ record: consuming Subject) -> UInt64 {
        precondition(state == .undecided, "a connection or a request is judged once")
        record.id = id
        state = record.decision == .allow ? .allowed : .over
        facts = nil
        // Whoever waits for it stands at the gate, which wakes the writer when the loop's turn is over.
        return writer.submit(record, pressing: false)
    }

    /// Records how something allowed ended; of what was refused there is no more to tell.
    package consuming func finish(_ end: consuming Subject.End) {
        guard state == .allowed else { return }
        state = .over
        end.id = id
        // If the daemon dies before it is written, the next start writes `lost` in its place.
        writer.submit(end, pressing: false)
    }

    deinit {
        switch state {
        case .undecided:
            guard var record = facts else { return }
            record.becomeAbandoned()
            writer.submit(record)
        case .allowed:
            writer.submit(Subject.End(id: id, outcome: .abandoned))
        case .over:
            break
        }
    }
}

/// What a request owes that was judged as it began, and whose decision is submitted: exactly one end if it was allowed.
///
/// Whoever lets it go without one has abandoned what was allowed. It is for one kind of record alone: what serves every kind asks
/// the runtime for its types with each request.
package struct JudgedRequestEntry: ~Copyable {
    private let id: RecordIdentifier
    private let writer: AuditWriter
    private var owesEnd: Bool

    /// Opens the entry of the request whose decision is this record.
    package init(judged id: RecordIdentifier, isAllowed: Bool, writer: AuditWriter) {
        self.id = id
        self.writer = writer
        owesEnd = isAllowed
    }

    /// Submits the record of how the request ended, which `encode` makes; of what was refused there is no more to tell.
    package consuming func finish(encodedBy encode: (RecordIdentifier) -> AuditRecord) {
        guard owesEnd else { return }
        owesEnd = false
        // If the daemon dies before it is written, the next start writes `lost` in its place.
        writer.submit(encode(id), pressing: false)
    }

    deinit {
        if owesEnd { writer.submit(RequestEndRecord(id: id, outcome: .abandoned)) }
    }
}
