/// What the records of connections that are alike have in common, as it is written.
///
/// The same agent asks for the same few hosts again and again: such a record differs from one before it in its identifier and in the
/// client's port.
package struct ConnectionRecordText: Sendable {
    private let isAllowed: Bool
    private var frame: RecordFrame
    /// What a record has of its own, as it is written.
    private var own: JSONMembers

    /// What a record has in common with others; `nil` of one that names no generation of its policy.
    package init?(of record: ConnectionRecord, limits: RecordLimits) {
        guard record.policyGeneration != nil else { return nil }
        own = JSONMembers(reserving: 64, limits: limits)
        isAllowed = record.decision == .allow
        frame = RecordFrame(
            limits,
            front: { members in
                members.identifier("id", record.id)
                record.writeBeforeClient(into: &members)
            },
            back: { record.writeBehindClient(into: &$0) }
        )
    }

    /// Encodes the record that differs from the one that this was made of in nothing but its identifier and its client.
    ///
    /// `client` is the address and port of the agent's socket, `time` in microseconds since 1970-01-01T00:00:00Z.
    package mutating func record(_ id: RecordIdentifier, client: String?, at time: Int64) -> AuditRecord {
        own.startOver()
        own.text("client", orNull: client)
        return AuditRecord(
            ConnectionRecord.self,
            turn: isAllowed ? .opens(.connection(id)) : .neither,
            body: frame.body(id, own.written),
            at: time
        )
    }
}

/// What the ends of connections that are alike have in common, as it is written.
package struct ConnectionEndText: Sendable {
    private var frame: RecordFrame
    /// What a record has of its own, as it is written.
    private var own: JSONMembers

    /// What a record has in common with others.
    package init(of record: ConnectionEndRecord, limits: RecordLimits) {
        own = JSONMembers(reserving: 128, limits: limits)
        frame = RecordFrame(
            limits,
            front: { members in
                members.identifier("id", record.id)
                record.writeBeforeFigures(into: &members)
            },
            back: { record.writeBehindFigures(into: &$0) }
        )
    }

    /// Encodes the record that differs from the one that this was made of in nothing but its identifier and its figures.
    ///
    /// `time` is in microseconds since 1970-01-01T00:00:00Z.
    package mutating func record(_ id: RecordIdentifier, _ figures: ConnectionFigures, at time: Int64) -> AuditRecord {
        own.startOver()
        figures.write(into: &own)
        return AuditRecord(
            ConnectionEndRecord.self,
            turn: .closes(.connection(id)),
            body: frame.body(id, own.written),
            at: time
        )
    }
}

/// How much went over a connection, and how long that took; nil is what nobody knows.
package struct ConnectionFigures: Hashable, Sendable {
    /// From the agent.
    package var bytesUp: UInt64?
    /// To the agent.
    package var bytesDown: UInt64?
    package var durationMilliseconds: UInt64?
    /// From the first attempt to dial to the upstream's answer.
    package var connectMilliseconds: UInt64?

    package init(
        bytesUp: UInt64? = nil,
        bytesDown: UInt64? = nil,
        durationMilliseconds: UInt64? = nil,
        connectMilliseconds: UInt64? = nil
    ) {
        self.bytesUp = bytesUp
        self.bytesDown = bytesDown
        self.durationMilliseconds = durationMilliseconds
        self.connectMilliseconds = connectMilliseconds
    }

    func write(into members: inout JSONMembers) {
        members.number("bytes_up", orNull: bytesUp)
        members.number("bytes_down", orNull: bytesDown)
        members.number("duration_ms", orNull: durationMilliseconds)
        members.number("connect_ms", orNull: connectMilliseconds)
    }
}
