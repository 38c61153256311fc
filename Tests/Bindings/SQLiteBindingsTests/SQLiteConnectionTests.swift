import Foundation
import SQLiteBindings
import Testing

@Suite("SQLite connections and what goes wrong with them")
struct SQLiteConnectionTests {
    @Test("a transaction is whole or not at all")
    func transactions() throws {
        let folder = try DatabaseFolder()
        let connection = try folder.filled([])
        try connection.transaction { () throws(SQLiteError) in try connection.run("INSERT INTO t VALUES (1)") }
        let thrown = failure {
            try connection.transaction { () throws(SQLiteError) in
                try connection.run("INSERT INTO t VALUES (2)")
                #expect(connection.isInTransaction)
                try connection.run("INSERT INTO nothing VALUES (2)")
            }
        }
        #expect(thrown?.code == .general)
        #expect(!connection.isInTransaction)
        #expect(try connection.column("SELECT v FROM t") == [1])
        #expect(connection.changes == 1 && connection.lastInsertedRow > 0)
    }

    @Test("a full database says so, and holds what it held")
    func full() throws {
        let folder = try DatabaseFolder()
        let connection = try folder.filled([1])
        try connection.execute("PRAGMA max_page_count = 4")
        let large = SQLiteValue.blob([UInt8](repeating: 7, count: 100_000))
        let thrown = failure {
            try connection.transaction { () throws(SQLiteError) in
                try connection.run("INSERT INTO t VALUES (?)", [large])
            }
        }
        #expect(thrown?.code == .full)
        guard case .failed(let failure) = thrown else { return }
        #expect(failure.extendedCode == 13)
        #expect(failure.sql == "INSERT INTO t VALUES (?)")
        #expect(!connection.isInTransaction)
        #expect(try connection.column("SELECT v FROM t") == [1])
    }

    @Test("a lock of another connection is waited for as long as was said, and then is `busy`")
    func busy() throws {
        let folder = try DatabaseFolder()
        let first = try folder.filled([1])
        let second = try folder.open(.readWrite, busyMilliseconds: 150)
        try first.execute("BEGIN IMMEDIATE")
        try first.run("INSERT INTO t VALUES (2)")
        let start = ContinuousClock.now
        let thrown = failure { try second.transaction { () throws(SQLiteError) in } }
        #expect(thrown?.code == .busy)
        #expect(ContinuousClock.now - start >= .milliseconds(140))
        // With a write-ahead log a reader does not wait for the writer.
        #expect(try second.column("SELECT v FROM t") == [1])
        try first.execute("COMMIT")
        try second.transaction { () throws(SQLiteError) in try second.run("INSERT INTO t VALUES (3)") }
        #expect(try first.column("SELECT count(*) FROM t") == [3])
    }

    @Test("a read-only connection reads, writes nothing, and makes no file")
    func readOnly() throws {
        let folder = try DatabaseFolder()
        #expect(failure { _ = try folder.open(.readOnly) }?.code == .cannotOpen)
        #expect(failure { _ = try folder.open(.readWrite) }?.code == .cannotOpen)
        #expect(!FileManager.default.fileExists(atPath: folder.database))
        let writer = try folder.filled([1])
        let reader = try folder.open(.readOnly)
        #expect(try reader.column("SELECT v FROM t") == [1])
        let thrown = failure { try reader.run("INSERT INTO t VALUES (2)") }
        #expect(thrown?.code == .readOnly)
        #expect(thrown?.description == "attempt to write a readonly database (SQLite 8)")
        #expect(try writer.column("SELECT v FROM t") == [1])
    }

    @Test("a file that is none of SQLite's, and a damaged one, are errors, and the damaged one can be emptied")
    func corrupt() throws {
        let folder = try DatabaseFolder()
        try Data("no database at all, whatever its name may say".utf8).write(to: URL(filePath: folder.database))
        #expect(failure { _ = try folder.open() }?.code == .notADatabase)
        try FileManager.default.removeItem(atPath: folder.database)
        try fill(folder)
        try damage(folder.database)
        let connection = try folder.open()
        let thrown = failure { _ = try connection.column("SELECT v FROM t ORDER BY v") }
        #expect(thrown?.code == .corrupt)
        try connection.empty()
        try connection.execute("CREATE TABLE t (v)")
        try connection.run("INSERT INTO t VALUES (1)")
        #expect(try folder.open().column("SELECT v FROM t") == [1])
        #expect(try connection.column("PRAGMA integrity_check") == ["ok"])
    }

    @Test("limits hold: a value at the limit goes in, one byte more is `tooBig`")
    func limits() throws {
        let folder = try DatabaseFolder()
        let small = SQLiteLimits(valueBytes: 1000, statementBytes: 200, parameters: 2, expressionDepth: 10)
        let connection = try folder.open(limits: small)
        let statement = try connection.prepare("SELECT length(?)")
        try statement.bind([.text(String(repeating: "x", count: 1000))])
        let over = failure { try statement.bind([.text(String(repeating: "x", count: 1001))]) }
        #expect(over?.code == .tooBig)
        #expect(failure { _ = try connection.prepare("SELECT ?, ?, ?") }?.code == .general)
        _ = try connection.prepare("SELECT ?, ?")
        let padding = String(repeating: " ", count: 200)
        #expect(failure { _ = try connection.prepare("SELECT 1" + padding) }?.code == .tooBig)
        let deep = (0..<12).map { "\($0)" }.joined(separator: "+")
        #expect(failure { _ = try connection.prepare("SELECT \(deep)") }?.code == .general)
        #expect(failure { try connection.execute("ATTACH 'x' AS y") }?.code == .general)
    }

    @Test("a connection is defensive: no shadow tables, no schema by hand, no extensions, no texts in double quotes")
    func defensive() throws {
        let folder = try DatabaseFolder()
        let connection = try folder.open()
        try connection.execute("CREATE VIRTUAL TABLE f USING fts5(a)")
        #expect(failure { try connection.run("DELETE FROM f_data") } != nil)
        #expect(failure { try connection.execute("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema") } != nil)
        #expect(failure { try connection.run("SELECT load_extension('x')") } != nil)
        #expect(failure { try connection.run(#"SELECT "text""#) } != nil)
        #expect(try connection.column("PRAGMA foreign_keys") == [1])
        #expect(try connection.column("PRAGMA journal_mode") == ["wal"])
    }

    @Test(
        "a path is a path, though it looks like a URI or like a database in memory",
        arguments: ["file:x?mode=ro", ":memory:"]
    )
    func paths(name: String) throws {
        let folder = try DatabaseFolder()
        let connection = try SQLiteConnection(path: folder.path + "/" + name, SQLiteOpening(.create))
        try connection.execute("CREATE TABLE t (v)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/" + name))
        // A relative one: it would be made in the current folder, which no test may change.
        let missing = failure { _ = try SQLiteConnection(path: name, SQLiteOpening(.readOnly)) }
        #expect(missing?.code == .cannotOpen)
    }

    /// A table of many pages, all in the file itself and none in the log.
    private func fill(_ folder: DatabaseFolder) throws {
        let connection = try folder.filled([])
        for number in 0..<2000 {
            try connection.run("INSERT INTO t VALUES (?)", [.text(String(repeating: "\(number)", count: 20))])
        }
        try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Overwrites the pages of the table with noise, and leaves the first page whole.
    private func damage(_ path: String) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        let size = try file.seekToEnd()
        try file.seek(toOffset: 4096)
        try file.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 4096))
        try file.close()
    }
}
