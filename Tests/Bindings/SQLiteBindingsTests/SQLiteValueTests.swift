import SQLiteBindings
import Testing

@Suite("SQLite values and statements")
struct SQLiteValueTests {
    @Test(
        "a value comes back as it was bound",
        arguments: [
            .null, .integer(.min), .integer(.max), .integer(0), .real(0.1), .real(-.greatestFiniteMagnitude),
            .text(""), .text("a"), .text("Robert'); DROP TABLE t;--"), .text("a\u{0}b"), .text("é\u{2028}😀"),
            .text(String(repeating: "x", count: 1 << 20)), .blob([]), .blob([0]), .blob([UInt8](0...255)),
        ] as [SQLiteValue]
    )
    func roundTrip(value: SQLiteValue) throws {
        let folder = try DatabaseFolder()
        let connection = try folder.filled([value])
        #expect(try connection.column("SELECT v FROM t") == [value])
        #expect(try connection.column("SELECT count(*) FROM t WHERE v IS ?", [value]) == [1])
    }

    @Test("a reader of one type gets its type, nil for null, and an error for another type")
    func typedReading() throws {
        let folder = try DatabaseFolder()
        let connection = try folder.open()
        let row = try connection.prepare("SELECT 7, 0.5, 'x', x'01', NULL")
        #expect(try row.step())
        #expect(try row.integer(0) == 7)
        #expect(try row.real(1) == 0.5)
        #expect(try row.text(2) == "x")
        #expect(try row.blob(3) == [1])
        #expect(try row.integer(4) == nil && row.real(4) == nil && row.text(4) == nil && row.blob(4) == nil)
        let wrong = failure { _ = try row.integer(2) }
        #expect(wrong == .wrongType(column: 2, expected: .integer, found: .text, sql: row.sql))
    }

    @Test("wrong counts, wrong columns and rows that are not there are errors", arguments: [-1, 1, 1 << 40])
    func wrongCounts(column: Int) throws {
        let folder = try DatabaseFolder()
        let connection = try folder.open()
        let statement = try connection.prepare("SELECT ?")
        #expect(failure { try statement.bind([]) } == .wrongValueCount(expected: 1, given: 0, sql: "SELECT ?"))
        #expect(failure { try statement.bind([1, 2]) } == .wrongValueCount(expected: 1, given: 2, sql: "SELECT ?"))
        #expect(failure { _ = try statement.value(0) } == .noRow(sql: "SELECT ?"))
        try statement.bind([1])
        #expect(try statement.step())
        #expect(failure { _ = try statement.value(column) } == .noSuchColumn(column, of: 1, sql: "SELECT ?"))
        #expect(try !statement.step())
        #expect(failure { _ = try statement.value(0) } == .noRow(sql: "SELECT ?"))
    }

    @Test(
        "what is not exactly one statement is not prepared",
        arguments: ["", "  ", "-- nothing", "SELECT 1; SELECT 2", "SELECT 1; x"]
    )
    func notOneStatement(sql: String) throws {
        let folder = try DatabaseFolder()
        let connection = try folder.open()
        #expect(failure { _ = try connection.prepare(sql) } == .notOneStatement(sql: sql))
        #expect(try connection.column("SELECT 1; \n") == [1])
    }

    @Test("a statement outlives the variable of its connection, and a kept one serves again")
    func lifetimes() throws {
        let folder = try DatabaseFolder()
        var connection: SQLiteConnection? = try folder.filled([1, 2])
        let rows = try #require(try connection?.prepare("SELECT v FROM t ORDER BY v"))
        connection = nil
        #expect(try rows.step())
        #expect(try rows.integer(0) == 1)
        let other = try folder.open()
        for value in [1, 2] as [Int64] {
            let found = try other.first("SELECT v FROM t WHERE v = ?", [.integer(value)]) { row throws(SQLiteError) in
                try row.integer(0)
            }
            #expect(found == .some(value))
        }
        for number in 0..<100 { try other.run("SELECT \(number)") }
    }
}
