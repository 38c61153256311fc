import AuditTrail
import NetworkTypes
import PolicyEngine

/// What was decided and written of connections that were like the one in hand: agents go to the same few hosts again and again.
///
/// Lives on one loop. Nothing in it is more than a copy of what would come of it once more: a decision is the policy's answer to
/// facts, and the text of a record follows from what it is made of. All of that is compared each time.
final class ConnectionMemory {
    private let limits: RecordLimits
    private var decisions = [Decided?](repeating: nil, count: 32)
    private var records = [Recorded?](repeating: nil, count: 16)
    private var ends = [Ended?](repeating: nil, count: 16)

    init(limits: RecordLimits) {
        self.limits = limits
    }

    // One reference each: what is looked at is not copied.

    private final class Decided {
        let generation: UInt64
        let facts: Facts
        let decision: Decision

        init(_ generation: UInt64, _ facts: Facts, _ decision: Decision) {
            self.generation = generation
            self.facts = facts
            self.decision = decision
        }
    }

    /// What a record was made of, and what is written of all that are made of the same.
    private final class Recorded {
        let facts: Facts
        let subject: RecordedConnection
        var text: ConnectionRecordText

        init(_ facts: Facts, _ subject: RecordedConnection, _ text: ConnectionRecordText) {
            self.facts = facts
            self.subject = subject
            self.text = text
        }
    }

    /// The same of the record of an end.
    private final class Ended {
        let subject: RecordedEnd
        var text: ConnectionEndText

        init(_ subject: RecordedEnd, _ text: ConnectionEndText) {
            self.subject = subject
            self.text = text
        }
    }

    /// What the policy, which is the one of this generation, decides of the facts.
    func decision(of facts: Facts, by policy: Policy, _ generation: UInt64) -> Decision {
        let slot = (facts.place &* 2 &+ (facts.addresses == nil ? 0 : 1)) & 31
        if let known = decisions[slot], known.generation == generation, known.facts == facts { return known.decision }
        let decision = policy.decide(facts)
        // Changed as a copy, which is rare: the compiler sees that nobody else touches the list, where each look at it would else be
        // checked as it runs. So are the other two.
        var all = decisions
        all[slot] = Decided(generation, facts, decision)
        decisions = all
        return decision
    }

    /// Encodes the record of a connection's decision; `time` is in microseconds since 1970-01-01T00:00:00Z.
    func encode(
        _ subject: RecordedConnection,
        _ facts: Facts,
        _ id: RecordIdentifier,
        client: String?,
        _ workload: WorkloadIdentity,
        at time: Int64
    ) -> AuditRecord {
        let slot = facts.place & 15
        if let known = records[slot], known.facts == facts, known.subject == subject {
            return known.text.record(id, client: client, at: time)
        }
        var record = subject.record(facts, id, workload)
        record.client = client
        guard let text = ConnectionRecordText(of: record, limits: limits) else {
            return AuditRecord(record, at: time, limits: limits)
        }
        let new = Recorded(facts, subject, text)
        var all = records
        all[slot] = new
        records = all
        return new.text.record(id, client: client, at: time)
    }

    /// Encodes the record of how a connection ended; `time` is in microseconds since 1970-01-01T00:00:00Z.
    func encode(
        _ end: RecordedEnd,
        _ id: RecordIdentifier,
        _ figures: ConnectionFigures,
        at time: Int64
    ) -> AuditRecord {
        let slot = end.place & 15
        if let known = ends[slot], known.subject == end { return known.text.record(id, figures, at: time) }
        let new = Ended(end, ConnectionEndText(of: end.record(id), limits: limits))
        var all = ends
        all[slot] = new
        ends = all
        return new.text.record(id, figures, at: time)
    }
}

extension Facts {
    /// Where what is like it is looked for: nothing is decided by it.
    fileprivate var place: Int {
        var hash = UInt(port)
        guard let name = recordedName else { return Int(truncatingIfNeeded: hash) }
        let octets = name.text.utf8.span
        for index in octets.indices { hash = hash &* 31 &+ UInt(octets[index]) }
        return Int(truncatingIfNeeded: hash ^ hash >> 7)
    }
}

extension RecordedEnd {
    /// Where what is like it is looked for.
    fileprivate var place: Int {
        let side =
            switch ending.closedBy {
            case .client: 0
            case .upstream: 1
            case .ours, nil: 2
            }
        guard case .v4(let address)? = dialled?.socket.address else { return side }
        return Int(address.bits) &* 3 &+ side
    }
}
