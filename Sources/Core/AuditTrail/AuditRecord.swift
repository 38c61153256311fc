/// What a record of one kind has to tell.
package protocol RecordBody: Sendable {
    /// The kind of its line.
    static var kind: RecordKind { get }
    /// What it changes in the account of what is open.
    var turn: RecordTurn { get }
    /// Writes the members that stand between `sequence` and `previous`.
    func write(into members: inout JSONMembers)
}

/// A record that only waits for its place in the chain.
///
/// It is encoded by the thread that submits it: the writer's thread has the fewest cycles to spare.
package struct AuditRecord: Sendable {
    package let kind: RecordKind
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let time: Int64
    /// The JSON members between `sequence` and `previous`, with no comma at either end.
    package let body: [UInt8]
    /// What it changes in the account of what is open.
    package let turn: RecordTurn

    /// Encodes a record.
    ///
    /// `time` is in microseconds since 1970-01-01T00:00:00Z.
    package init(_ content: some RecordBody, at time: Int64, limits: RecordLimits = .standard) {
        // A connection with all its members rarely takes more.
        var members = JSONMembers(reserving: 768, limits: limits)
        content.write(into: &members)
        // Consumed here, or its memory would be copied: it would still be somebody else's as well.
        self.init(content, body: (consume members).finish(), at: time)
    }

    /// Takes a record whose members are encoded.
    init<Content: RecordBody>(_ content: borrowing Content, body: [UInt8], at time: Int64) {
        self.init(Content.self, turn: content.turn, body: body, at: time)
    }

    /// Takes a record of this kind whose members are encoded.
    init(_ content: (some RecordBody).Type, turn: RecordTurn, body: [UInt8], at time: Int64) {
        kind = content.kind
        self.time = time
        self.turn = turn
        self.body = body
    }
}
