import Foundation
import SQLiteBindings

/// A folder of a test's own with a database in it, removed with it.
final class DatabaseFolder {
    let path: String
    var database: String { path + "/test.sqlite" }

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "sqlite-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func open(
        _ access: SQLiteOpening.Access = .create,
        busyMilliseconds: Int32 = 0,
        limits: SQLiteLimits = .standard
    ) throws -> SQLiteConnection {
        let opening = SQLiteOpening(access, busyMilliseconds: busyMilliseconds, limits: limits)
        return try SQLiteConnection(path: database, opening)
    }

    /// A database with one table of one column, and these in it.
    func filled(_ values: [SQLiteValue]) throws -> SQLiteConnection {
        let connection = try open()
        try connection.execute("CREATE TABLE t (v)")
        for value in values { try connection.run("INSERT INTO t VALUES (?)", [value]) }
        return connection
    }
}

extension SQLiteConnection {
    /// The first column of every row.
    func column(_ sql: String, _ values: [SQLiteValue] = []) throws -> [SQLiteValue] {
        let statement = try prepare(sql)
        try statement.bind(values)
        var column: [SQLiteValue] = []
        while try statement.step() { column.append(try statement.value(0)) }
        return column
    }
}

/// What a body fails with; `nil` where it does not.
func failure(_ body: () throws -> Void) -> SQLiteError? {
    do {
        try body()
        return nil
    } catch {
        return error as? SQLiteError
    }
}
