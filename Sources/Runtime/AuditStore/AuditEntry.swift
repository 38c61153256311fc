import AuditTrail

/// What is known of a connection when it is accepted.
package struct ConnectionBeginning: Sendable {
    package let capture: CaptureMode
    /// Address and port of the agent's socket.
    package let client: String
    /// What it has in common with others.
    private let circumstances: ConnectionCircumstances

    package init(_ capture: CaptureMode, client: String, _ circumstances: ConnectionCircumstances) {
        self.capture = capture
        self.client = client
        self.circumstances = circumstances
    }

    /// What is told of a connection that nobody has judged: a defect of ours.
    fileprivate func abandoned(_ id: RecordIdentifier) -> ConnectionRecord {
        ConnectionRecord(
            id: id,
            decision: .deny,
            treatment: .refuse,
            reason: "abandoned",
            policyHash: circumstances.policy.hash,
            mode: circumstances.policy.mode,
            workload: circumstances.workload,
            capture: capture,
            client: client
        )
    }
}

/// What the connections have in common that come while one policy is in force.
package final class ConnectionCircumstances: Sendable {
    fileprivate let policy: RecordedPolicy
    fileprivate let workload: WorkloadIdentity

    package init(_ policy: RecordedPolicy, _ workload: WorkloadIdentity) {
        self.policy = policy
        self.workload = workload
    }
}

/// The records that an accepted connection owes: exactly one decision, and exactly one end if it was allowed.
///
/// It is born when the connection is accepted. Whoever lets it go without a decision has refused, and whoever lets it go without an
/// end has abandoned what was allowed; both are then recorded as `abandoned`.
package struct AuditEntry: ~Copyable {
    private enum State {
        case undecided
        case allowed
        case over
    }

    /// What ties the records together.
    package let id: RecordIdentifier
    /// What is told if nobody decides.
    package let beginning: ConnectionBeginning
    private let writer: AuditWriter
    private var state = State.undecided

    /// Opens the entry with what is known at the beginning.
    package init(_ id: RecordIdentifier, _ beginning: ConnectionBeginning, writer: AuditWriter) {
        self.id = id
        self.beginning = beginning
        self.writer = writer
    }

    /// Records the decision and returns its ticket: nothing goes upstream before that ticket is written.
    ///
    /// It is called once, with the record of a connection that has this entry's identifier.
    package mutating func judged(_ record: AuditRecord) -> UInt64 {
        precondition(state == .undecided, "a connection is judged once")
        precondition(record.kind == .connection, "a connection is judged by its own kind of record")
        switch record.turn {
        case .opens(let owed):
            precondition(owed == .connection(id), "a connection is judged by its own record")
            state = .allowed
        case .closes, .neither: state = .over
        }
        // Whoever waits for it stands at the gate, which wakes the writer when the loop's turn is over.
        return writer.submit(record, pressing: false)
    }

    /// Records how something allowed ended, by a record that `encode` makes for this identifier; of what was refused there is no
    /// more to tell.
    package consuming func finish(encodedBy encode: (RecordIdentifier) -> AuditRecord) {
        guard state == .allowed else { return }
        state = .over
        // If the daemon dies before it is written, the next start writes `lost` in its place.
        writer.submit(encode(id), pressing: false)
    }

    deinit {
        switch state {
        case .undecided: writer.submit(beginning.abandoned(id))
        case .allowed: writer.submit(ConnectionEndRecord(id: id, outcome: .abandoned))
        case .over: break
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
