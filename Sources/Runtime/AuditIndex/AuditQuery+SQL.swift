import NetworkTypes
import SQLiteBindings

/// A condition, and the values of its parameters in their order.
struct Condition: Hashable {
    var sql: String
    var values: [SQLiteValue] = []
}

extension AuditQuery {
    /// The condition that a row of `records` has to meet.
    ///
    /// Whatever anybody wrote, in the trail or on the command line, is a value of a parameter and never a part of the SQL.
    func condition(knowing all: Set<Int64>) -> Condition {
        let conditions = [
            segmentsCondition(knowing: all), hostCondition, address.map { Self.isText("address", $0.description) },
            timeCondition, verdictCondition,
            rule.map { Self.isText("rule", $0) }, uid.map { Condition(sql: "uid = ?", values: [.integer(Int64($0))]) },
            kind.map { Self.isText("kind", $0) }, wordsCondition,
        ].compactMap(\.self)
        guard !conditions.isEmpty else { return Condition(sql: "TRUE") }
        return Condition(
            sql: conditions.map(\.sql).joined(separator: " AND "),
            values: conditions.flatMap(\.values)
        )
    }

    private static func isText(_ column: String, _ text: String) -> Condition {
        Condition(sql: "\(column) = (SELECT number FROM texts WHERE text = ?)", values: [.text(text)])
    }

    private func segmentsCondition(knowing all: Set<Int64>) -> Condition? {
        guard segments != all else { return nil }
        // Numbers of ours, and at times more than there may be parameters.
        return Condition(sql: "segment IN (\(segments.sorted().map { "\($0)" }.joined(separator: ", ")))")
    }

    private var hostCondition: Condition? {
        switch host {
        case nil: nil
        case .exact(let name): Self.isText("host", name.text)
        case .below(let parent):
            // Names have neither of the characters that mean something to GLOB.
            Condition(
                sql: "host IN (SELECT number FROM texts WHERE text GLOB ?)",
                values: [.text("?*.\(parent.text)")]
            )
        }
    }

    private var verdictCondition: Condition? {
        switch verdict {
        case nil: nil
        case .denied: Condition(sql: IndexSchema.denied)
        case .allowed: Condition(sql: "allowed = 1 AND would_allow IS NOT 0")
        }
    }

    private var wordsCondition: Condition? {
        guard !words.isEmpty else { return nil }
        let expression = words.map { Self.quoted($0) }.joined(separator: " AND ")
        var condition = Condition(sql: "SELECT rowid FROM words WHERE words MATCH ?", values: [.text(expression)])
        if let time = timeCondition {
            // A word may be in every record: only those between the first and the last of the time are looked at.
            condition.sql += " AND rowid >= (SELECT min(number) FROM records WHERE \(time.sql))"
            condition.sql += " AND rowid <= (SELECT max(number) FROM records WHERE \(time.sql))"
            condition.values += time.values + time.values
        }
        condition.sql = "number IN (\(condition.sql))"
        return condition
    }

    private var timeCondition: Condition? {
        switch (since, until) {
        case (nil, nil): nil
        case (let since?, nil): Condition(sql: "time >= ?", values: [.integer(since)])
        case (nil, let until?): Condition(sql: "time < ?", values: [.integer(until)])
        case (let since?, let until?):
            Condition(sql: "time >= ? AND time < ?", values: [.integer(since), .integer(until)])
        }
    }

    /// A word as the search engine takes it for a text: nothing in it is an operator but the asterisk at its end.
    private static func quoted(_ word: String) -> String {
        let isBeginning = word.count > 1 && word.hasSuffix("*")
        let text = isBeginning ? String(word.dropLast()) : word
        // The engine would take a zero for the end of the expression.
        let phrase = text.replacing("\u{0}", with: " ").replacing("\"", with: "\"\"")
        return "\"\(phrase)\"" + (isBeginning ? "*" : "")
    }
}
