import SQLiteBindings

/// A record that was found.
///
/// A decision has what is known of its end as well.
package struct QueryRow: Hashable, Sendable {
    /// Where the file of the trail was seen last.
    package var file: String
    package var sequence: UInt64
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var time: Int64
    package var kind: String
    package var id: String?
    /// Of a request: the identifier of its connection.
    package var connection: String?
    /// Whether it was let through; nil where there was nothing to decide.
    package var isAllowed: Bool?
    /// In audit mode: whether policy would have let it through.
    package var wouldAllow: Bool?
    package var reason: String?
    package var rule: String?
    package var host: String?
    package var address: String?
    package var port: UInt64?
    package var method: String?
    package var path: String?
    package var `protocol`: String?
    package var uid: UInt64?
    package var status: UInt64?
    package var outcome: String?
    package var closedBy: String?
    package var bytesUp: UInt64?
    package var bytesDown: UInt64?
    package var durationMilliseconds: UInt64?
    package var event: String?
    package var detail: String?
}

extension AuditIndex {
    /// Finds records, and gives each to `body`, in the order of their times; false from it ends the search.
    ///
    /// - Returns: Whether there are more than the limit allows.
    package func find(_ query: AuditQuery, _ body: (QueryRow) -> Bool) throws(IndexError) -> Bool {
        try database { () throws(SQLiteError) in
            let statement = try prepare(query)
            var seen = 0
            var isCut = false
            while try statement.step() {
                seen += 1
                // The rows are the last ones: the one too many is the first.
                if let limit = query.limit, seen == 1, try statement.integer(0).map({ $0 > limit }) == true {
                    isCut = true
                    continue
                }
                guard body(try QueryRow(statement)) else { break }
            }
            return isCut
        }
    }

    /// How SQLite goes about a search, one step a line.
    package func plan(_ query: AuditQuery) throws(IndexError) -> String {
        try database { () throws(SQLiteError) in
            let statement = try prepare(query, explaining: true)
            var steps: [String] = []
            while try statement.step() { steps.append(try statement.text(3) ?? "") }
            return steps.joined(separator: "\n")
        }
    }

    private func prepare(_ query: AuditQuery, explaining: Bool = false) throws(SQLiteError) -> SQLiteStatement {
        let condition = query.condition(knowing: try allSegments())
        // One row more than was asked for tells that there are more.
        let limit = query.limit.map { " ORDER BY time DESC, number DESC LIMIT \(min($0, Int(Int32.max)) + 1)" } ?? ""
        let count = query.limit == nil ? "0" : "count(*) OVER ()"
        let statement = try connection.prepare(
            (explaining ? "EXPLAIN QUERY PLAN " : "")
                + "WITH found AS (SELECT number, time FROM records WHERE \(condition.sql)\(limit)) "
                + "SELECT \(count), \(QueryRow.columns) FROM found \(QueryRow.joins) ORDER BY found.time, found.number"
        )
        try statement.bind(condition.values)
        return statement
    }

    private func allSegments() throws(SQLiteError) -> Set<Int64> {
        let statement = try connection.prepare("SELECT number FROM segments")
        var segments: Set<Int64> = []
        while try statement.step() {
            if let number = try statement.integer(0) { segments.insert(number) }
        }
        return segments
    }
}

extension QueryRow {
    /// Columns of `records` that hold the number of a text.
    private static let texts = [
        "kind", "reason", "rule", "host", "address", "method", "protocol", "outcome", "closed_by", "event",
    ]

    fileprivate static let columns = """
        s.path, r.sequence, r.time, kind.text, r.id, r.connection, r.allowed, r.would_allow, reason.text, rule.text,
        host.text, address.text, r.port, method.text, r.path, protocol.text, r.uid, coalesce(r.status, e.status),
        outcome.text, closed_by.text, coalesce(r.bytes_up, e.bytes_up), coalesce(r.bytes_down, e.bytes_down),
        coalesce(r.duration_ms, e.duration_ms), event.text, r.detail
        """

    /// A decision is joined with the first end of the same identifier; an end stands for itself.
    fileprivate static let joins = """
        CROSS JOIN records AS r ON r.number = found.number
        JOIN segments AS s ON s.number = r.segment
        LEFT JOIN records AS e ON e.number = (
            SELECT min(number) FROM records WHERE id = r.id AND outcome IS NOT NULL AND r.outcome IS NULL
        )
        """
        + texts.map { column in
            let number =
                ["outcome", "closed_by"].contains(column) ? "coalesce(r.\(column), e.\(column))" : "r.\(column)"
            return "\nLEFT JOIN texts AS \(column) ON \(column).number = \(number)"
        }.joined()

    fileprivate init(_ row: SQLiteStatement) throws(SQLiteError) {
        file = try row.text(1) ?? ""
        sequence = try Self.count(row, 2) ?? 0
        time = try row.integer(3) ?? 0
        kind = try row.text(4) ?? ""
        id = try row.text(5)
        connection = try row.text(6)
        isAllowed = try row.integer(7).map { $0 != 0 }
        wouldAllow = try row.integer(8).map { $0 != 0 }
        reason = try row.text(9)
        rule = try row.text(10)
        host = try row.text(11)
        address = try row.text(12)
        port = try Self.count(row, 13)
        method = try row.text(14)
        path = try row.text(15)
        `protocol` = try row.text(16)
        uid = try Self.count(row, 17)
        status = try Self.count(row, 18)
        outcome = try row.text(19)
        closedBy = try row.text(20)
        bytesUp = try Self.count(row, 21)
        bytesDown = try Self.count(row, 22)
        durationMilliseconds = try Self.count(row, 23)
        event = try row.text(24)
        detail = try row.text(25)
    }

    private static func count(_ row: SQLiteStatement, _ column: Int) throws(SQLiteError) -> UInt64? {
        try row.integer(column).map { UInt64(clamping: $0) }
    }
}
