/// Encodes the records of the requests that come one after the other on a connection.
///
/// Nearly all of their members are the same each time: what was encoded for the record before is taken as it is, and only
/// what a request has of its own is written anew.
package struct RequestRecordEncoding: Sendable {
    private let limits: RecordLimits
    private var judged: Memory<RequestRecord>?
    private var ended: Memory<RequestEndRecord>?

    package init(limits: RecordLimits = .standard) {
        self.limits = limits
    }

    /// Encodes the record of a request, as `AuditRecord` does; `time` is in microseconds since 1970-01-01T00:00:00Z.
    package mutating func encode(_ record: RequestRecord, at time: Int64) -> AuditRecord {
        Self.encode(record, at: time, limits, &judged)
    }

    /// Encodes the record of a request's end, as `AuditRecord` does; `time` is in microseconds since 1970-01-01T00:00:00Z.
    package mutating func encode(_ record: RequestEndRecord, at time: Int64) -> AuditRecord {
        Self.encode(record, at: time, limits, &ended)
    }

    private static func encode<Record: RepeatedRecord>(
        _ record: Record,
        at time: Int64,
        _ limits: RecordLimits,
        _ memory: inout Memory<Record>?
    ) -> AuditRecord {
        let own = JSONMembers.encoded(reserving: 96, limits: limits, record.writeOwn)
        if let body = memory?.body(of: record, own) { return AuditRecord(record, body: body, at: time) }
        var new = Memory(record, limits)
        defer { memory = new }
        return AuditRecord(record, body: new.text.body(record.id, own), at: time)
    }

    /// The record before, and its text.
    private struct Memory<Record: RepeatedRecord>: Sendable {
        var like: Record
        var text: RecordFrame

        init(_ record: Record, _ limits: RecordLimits) {
            like = record
            text = RecordFrame(
                limits,
                front: { members in
                    members.identifier("id", record.id)
                    record.writeBeforeOwn(into: &members)
                },
                back: record.writeBehindOwn
            )
        }

        /// The text of a record that has all but its own in common with the one before; `nil` of another.
        mutating func body(of record: Record, _ own: [UInt8]) -> [UInt8]? {
            // What is its own is put in place first: whatever else there is, now or later, is compared.
            like.takeOwn(of: record)
            return like == record ? text.body(record.id, own) : nil
        }
    }
}

/// A record that comes again and again on a connection, with little that is its own.
///
/// `write` writes the identifier, and then what these three write, in their order.
protocol RepeatedRecord: RecordBody, Equatable {
    var id: RecordIdentifier { get }
    func writeBeforeOwn(into members: inout JSONMembers)
    /// Writes what is rarely the same in two of them, at least one member.
    func writeOwn(into members: inout JSONMembers)
    /// Writes at least one member.
    func writeBehindOwn(into members: inout JSONMembers)
    /// Takes over the identifier and what `writeOwn` writes.
    mutating func takeOwn(of other: Self)
}

extension RequestRecord: RepeatedRecord {
    mutating func takeOwn(of other: RequestRecord) {
        id = other.id
        path = other.path
    }
}

extension RequestEndRecord: RepeatedRecord {
    mutating func takeOwn(of other: RequestEndRecord) {
        id = other.id
        bytesUp = other.bytesUp
        bytesDown = other.bytesDown
        durationMilliseconds = other.durationMilliseconds
    }
}

/// The members of a record before and behind those that are its own.
private struct RecordFrame: Sendable {
    /// Begins with an identifier.
    private var front: [UInt8]
    private let back: [UInt8]

    /// `front` writes the identifier first.
    init(_ limits: RecordLimits, front: (inout JSONMembers) -> Void, back: (inout JSONMembers) -> Void) {
        self.front = JSONMembers.encoded(reserving: 768, limits: limits, front)
        self.back = JSONMembers.encoded(reserving: 256, limits: limits, back)
    }

    /// All members, with this identifier, and with `own` in their midst.
    mutating func body(_ identifier: RecordIdentifier, _ own: [UInt8]) -> [UInt8] {
        front.put(identifier, at: #""id":""#.utf8.count)
        var body: [UInt8] = []
        body.reserveCapacity(front.count + own.count + back.count + 2)
        body += front
        body.append(UInt8(ascii: ","))
        body += own
        body.append(UInt8(ascii: ","))
        body += back
        return body
    }
}

extension JSONMembers {
    /// What `body` writes.
    fileprivate static func encoded(
        reserving capacity: Int,
        limits: RecordLimits,
        _ body: (inout JSONMembers) -> Void
    ) -> [UInt8] {
        var members = JSONMembers(reserving: capacity, limits: limits)
        body(&members)
        return members.finish()
    }
}

extension [UInt8] {
    /// Writes the 26 characters over those that stand there.
    fileprivate mutating func put(_ identifier: RecordIdentifier, at position: Int) {
        var position = position
        var out = mutableSpan
        out.put(identifier, &position)
    }
}
