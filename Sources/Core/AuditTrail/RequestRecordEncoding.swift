/// Encodes the records of the requests that come one after the other on a connection.
///
/// Nearly all of their members are the same each time: what was encoded for the record before is taken as it is, and only
/// what a request has of its own is written anew. Where not even that is another, the text before is taken whole. Four
/// kilobytes are kept for that.
///
/// Belongs to one connection.
package final class RequestRecordEncoding {
    private let limits: RecordLimits
    /// What a record has of its own, as it is written.
    private var own: JSONMembers
    private var judged: Memory<RequestRecord>?
    /// Whether what was judged was let through.
    private var hasAllowed = false
    /// The text that `encodeAgain` gave last, and the path in it; `nil`: there is none that goes with what was judged last.
    ///
    /// The next one is written over it where it is in the file and nobody else has it any more: it takes no memory then, and the
    /// writer's thread has none to give back. Else a copy is made.
    private var judgedText: [UInt8] = []
    /// Its octets: texts that only look the same are two paths.
    private var judgedPath: [UInt8]?
    private var ended: Memory<RequestEndRecord>?
    /// The same of ends.
    private var endedText: [UInt8] = []
    private var endedFigures: EndFigures?

    package init(limits: RecordLimits = .standard) {
        self.limits = limits
        own = JSONMembers(reserving: 96, limits: limits)
    }

    /// Encodes the record of a request, as `AuditRecord` does; `time` is in microseconds since 1970-01-01T00:00:00Z.
    package func encode(_ record: borrowing RequestRecord, at time: Int64) -> AuditRecord {
        own.startOver()
        record.writeOwn(into: &own)
        hasAllowed = record.decision == .allow
        judgedPath = nil
        return AuditRecord(record, body: Self.body(of: record, own, limits, &judged), at: time)
    }

    /// Encodes the record of a request's end, as `AuditRecord` does; `time` is in microseconds since 1970-01-01T00:00:00Z.
    package func encode(_ record: borrowing RequestEndRecord, at time: Int64) -> AuditRecord {
        own.startOver()
        record.writeOwn(into: &own)
        endedFigures = nil
        return AuditRecord(record, body: Self.body(of: record, own, limits, &ended), at: time)
    }

    /// Encodes the record of a request that has all in common with the one that was encoded last but identifier and path, and
    /// has no `message`; `nil` where none was.
    ///
    /// Whoever asks has seen to it: nothing is compared here.
    package func encodeAgain(_ id: RecordIdentifier, path: String, at time: Int64) -> AuditRecord? {
        guard let body = judgedBody(id, path: path) else { return nil }
        let turn: RecordTurn = hasAllowed ? .opens(.request(id)) : .neither
        return AuditRecord(RequestRecord.self, turn: turn, body: body, at: time)
    }

    /// Encodes the record of a request's end that has all in common with the one that was encoded last but its identifier and
    /// these; `nil` where none was.
    ///
    /// Whoever asks has seen to it: nothing is compared here.
    package func encodeEndAgain(
        _ id: RecordIdentifier,
        bytesUp: UInt64,
        bytesDown: UInt64,
        durationMilliseconds: UInt64,
        at time: Int64
    ) -> AuditRecord? {
        let figures = EndFigures(
            bytesUp: bytesUp,
            bytesDown: bytesDown,
            durationMilliseconds: durationMilliseconds
        )
        guard let body = endedBody(id, figures) else { return nil }
        return AuditRecord(RequestEndRecord.self, turn: .closes(.request(id)), body: body, at: time)
    }

    private func judgedBody(_ id: RecordIdentifier, path: String) -> [UInt8]? {
        if let judgedPath, judgedPath.span.isSame(as: path.utf8.span) {
            judgedText = judgedText.taken(with: id)
            return judgedText
        }
        own.startOver()
        own.text("path", path)
        guard let body = judged?.text.body(id, own.written) else { return nil }
        judgedPath = Array(path.utf8)
        judgedText = body
        return body
    }

    private func endedBody(_ id: RecordIdentifier, _ figures: EndFigures) -> [UInt8]? {
        if endedFigures == figures {
            endedText = endedText.taken(with: id)
            return endedText
        }
        own.startOver()
        own.number("bytes_up", figures.bytesUp)
        own.number("bytes_down", figures.bytesDown)
        own.number("duration_ms", figures.durationMilliseconds)
        guard let body = ended?.text.body(id, own.written) else { return nil }
        endedFigures = figures
        endedText = body
        return body
    }

    /// What the text of an end has of its own but the identifier.
    private struct EndFigures: Equatable {
        let bytesUp: UInt64
        let bytesDown: UInt64
        let durationMilliseconds: UInt64
    }

    private static func body<Record: RepeatedRecord>(
        of record: borrowing Record,
        _ own: borrowing JSONMembers,
        _ limits: RecordLimits,
        _ memory: inout Memory<Record>?
    ) -> [UInt8] {
        if let body = memory?.body(of: record, own.written) { return body }
        var new = Memory(copy record, limits)
        defer { memory = new }
        return new.text.body(record.id, own.written)
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
                back: { record.writeBehindOwn(into: &$0) }
            )
        }

        /// The text of a record that has all but its own in common with the one before; `nil` of another.
        mutating func body(of record: borrowing Record, _ own: ArraySlice<UInt8>) -> [UInt8]? {
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
    mutating func takeOwn(of other: borrowing Self)
}

extension RequestRecord: RepeatedRecord {
    mutating func takeOwn(of other: borrowing RequestRecord) {
        id = other.id
        path = other.path
        message = other.message
    }
}

extension RequestEndRecord: RepeatedRecord {
    mutating func takeOwn(of other: borrowing RequestEndRecord) {
        id = other.id
        bytesUp = other.bytesUp
        bytesDown = other.bytesDown
        durationMilliseconds = other.durationMilliseconds
    }
}

/// The members of a record before and behind those that are its own.
struct RecordFrame: Sendable {
    /// Begins with an identifier.
    private var front: [UInt8]
    private let back: [UInt8]

    /// `front` writes the identifier first.
    init(_ limits: RecordLimits, front: (inout JSONMembers) -> Void, back: (inout JSONMembers) -> Void) {
        self.front = JSONMembers.encoded(reserving: 768, limits: limits, front)
        self.back = JSONMembers.encoded(reserving: 256, limits: limits, back)
    }

    /// All members, with this identifier, and with `own` in their midst.
    mutating func body(_ identifier: RecordIdentifier, _ own: ArraySlice<UInt8>) -> [UInt8] {
        front.put(identifier)
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

extension Span<UInt8> {
    /// Octet by octet.
    fileprivate func isSame(as other: borrowing Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
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
        return (consume members).finish()
    }
}

extension [UInt8] {
    /// Writes the 26 characters over those that stand there in the first member, which is `id`.
    fileprivate mutating func put(_ identifier: RecordIdentifier) {
        var position = #""id":""#.utf8.count
        var out = mutableSpan
        out.put(identifier, &position)
    }

    /// The text with another identifier; what it is taken from is left without.
    ///
    /// A property that was held open while it is changed would be checked as it runs.
    fileprivate mutating func taken(with identifier: RecordIdentifier) -> [UInt8] {
        var text: [UInt8] = []
        swap(&text, &self)
        text.put(identifier)
        return text
    }
}
