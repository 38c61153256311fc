import SQLiteBindings

/// Puts records into the tables.
struct RecordInserter {
    private var texts: TextNumbers
    private let records: SQLiteStatement
    private let words: SQLiteStatement
    private let connection: SQLiteConnection

    init(_ connection: SQLiteConnection) throws(SQLiteError) {
        self.connection = connection
        texts = try TextNumbers(connection)
        records = try connection.prepare(
            """
            INSERT INTO records (
                segment, sequence, time, kind, id, connection, allowed, would_allow, reason, rule, host, address, port,
                method, path, protocol, uid, status, outcome, closed_by, bytes_up, bytes_down, duration_ms, event, detail
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        )
        words = try connection.prepare(
            "INSERT INTO words (rowid, host, path, rule, reason, detail) VALUES (?, ?, ?, ?, ?, ?)"
        )
    }

    /// Inserts a record of a segment, inside the caller's transaction.
    mutating func insert(_ record: IndexedRecord, segment: Int64) throws(SQLiteError) {
        try records.run([
            .integer(segment), number(record.sequence), .integer(record.time), try texts.number(of: record.kind),
            SQLiteValue(record.id), SQLiteValue(record.connection), isAllowed(record.decision), isAllowed(record.would),
            try texts.number(of: record.reason), try texts.number(of: record.rule), try texts.number(of: record.host),
            try texts.number(of: record.address), number(record.port), try texts.number(of: record.method),
            SQLiteValue(record.path),
            try texts.number(of: record.protocol), number(record.uid), number(record.status),
            try texts.number(of: record.outcome), try texts.number(of: record.closedBy), number(record.bytesUp),
            number(record.bytesDown), number(record.durationMilliseconds), try texts.number(of: record.event),
            SQLiteValue(record.detail),
        ])
        let searched = [record.host, record.path, record.rule, record.reason, record.detail]
        guard searched.contains(where: { $0 != nil }) else { return }
        try words.run([.integer(connection.lastInsertedRow)] + searched.map { SQLiteValue($0) })
    }

    /// SQLite's numbers have a sign; one that does not fit is none that the daemon wrote in earnest.
    private func number(_ value: UInt64?) -> SQLiteValue { SQLiteValue(value.map { Int64(clamping: $0) }) }

    private func isAllowed(_ word: String?) -> SQLiteValue {
        switch word {
        case "allow": 1
        case "deny": 0
        default: .null
        }
    }
}
