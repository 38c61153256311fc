import CSQLite

/// An open database.
///
/// It belongs to one thread, which must not be an event loop's: every call may wait for the disk or for a lock. The file is
/// closed when the connection and its statements are gone. The schema in the file is not trusted: the connection is
/// defensive, runs no triggers and views of temporary schemas that call functions with side effects, loads no extensions
/// and attaches no other file.
package final class SQLiteConnection {
    private let handle: SQLiteHandle
    /// By their text; a statement is here while nobody uses it.
    private var statements: [String: SQLiteStatement] = [:]
    /// How many statements are kept; statements with texts made up as we go would otherwise be kept for ever.
    private static let keptStatements = 32

    /// Opens the database at a path, which is always a file's: neither a URI nor `:memory:`.
    package init(path: String, _ opening: SQLiteOpening) throws(SQLiteError) {
        handle = try SQLiteHandle(path: path, flags: opening.flags)
        unsafe try handle.check(sqlite3_busy_timeout(handle.pointer, opening.busyMilliseconds))
        try harden()
        limit(opening.limits)
        try execute("PRAGMA cache_size = -\(max(0, opening.cacheKibibytes))")
        if opening.usesWriteAheadLog, opening.access != .readOnly {
            try execute("PRAGMA journal_mode = WAL")
            // In this mode a loss of power can take the last transactions, but cannot damage the file.
            try execute("PRAGMA synchronous = NORMAL")
        }
    }

    /// Runs statements that take no values, and leaves their rows unread.
    package func execute(_ sql: String) throws(SQLiteError) {
        unsafe try handle.check(sqlite3_exec(handle.pointer, sql, nil, nil, nil), sql: sql)
    }

    /// Prepares a statement.
    package func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        try SQLiteStatement(sql, on: handle)
    }

    /// Binds the values, runs a statement to its end and keeps it for the next time.
    package func run(_ sql: String, _ values: [SQLiteValue] = []) throws(SQLiteError) {
        try kept(sql) { statement throws(SQLiteError) in try statement.run(values) }
    }

    /// The first row of what a statement gives, read by `read`; `nil` where it gives none.
    ///
    /// The statement is kept for the next time.
    package func first<Row>(
        _ sql: String,
        _ values: [SQLiteValue] = [],
        _ read: (SQLiteStatement) throws(SQLiteError) -> Row
    ) throws(SQLiteError) -> Row? {
        try kept(sql) { statement throws(SQLiteError) in
            try statement.bind(values)
            return try statement.step() ? try read(statement) : nil
        }
    }

    /// Does something inside a transaction: all of it, or, where it throws, nothing.
    ///
    /// It takes the lock for writing at once, so that it cannot fail for want of it halfway. It does not nest.
    package func transaction<Result, Failure: Error>(
        _ fault: (SQLiteError) -> Failure,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(SQLiteError) { try run("BEGIN IMMEDIATE") } catch { throw fault(error) }
        do throws(Failure) {
            let result = try body()
            do throws(SQLiteError) { try run("COMMIT") } catch { throw fault(error) }
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    /// As the general form, where nothing but SQLite can fail.
    package func transaction<Result>(_ body: () throws(SQLiteError) -> Result) throws(SQLiteError) -> Result {
        try transaction({ $0 }, body)
    }

    /// Whether a transaction is open.
    package var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle.pointer) == 0 }

    /// How many rows the last INSERT, UPDATE or DELETE changed.
    package var changes: Int { unsafe Int(sqlite3_changes64(handle.pointer)) }

    /// The number of the row that was inserted last.
    package var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(handle.pointer) }

    /// Empties the database, even one that is damaged, without taking the file from under others who have it open.
    package func empty() throws(SQLiteError) {
        statements = [:]
        // A fresh connection has to read what there is of the schema first (SQLITE_DBCONFIG_RESET_DATABASE).
        _ = try? prepare("SELECT count(*) FROM sqlite_schema").step()
        try configure(SQLITE_DBCONFIG_DEFENSIVE, false)
        try configure(SQLITE_DBCONFIG_RESET_DATABASE, true)
        // VACUUM attaches an empty database of its own.
        unsafe sqlite3_limit(handle.pointer, SQLITE_LIMIT_ATTACHED, 1)
        let result = Result { () throws(SQLiteError) in try execute("VACUUM") }
        unsafe sqlite3_limit(handle.pointer, SQLITE_LIMIT_ATTACHED, 0)
        try configure(SQLITE_DBCONFIG_RESET_DATABASE, false)
        try configure(SQLITE_DBCONFIG_DEFENSIVE, true)
        try result.get()
    }

    /// Takes a kept statement out while it is used, so that a nested use of the same text gets one of its own.
    private func kept<Result>(
        _ sql: String,
        _ body: (SQLiteStatement) throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        let statement = if let known = statements.removeValue(forKey: sql) { known } else { try prepare(sql) }
        defer {
            statement.reset()
            if statements.count >= Self.keptStatements { statements = [:] }
            statements[sql] = statement
        }
        return try body(statement)
    }

    /// Some failures, a full disk among them, roll back by themselves.
    private func rollBack() {
        if isInTransaction { try? run("ROLLBACK") }
    }
}

@available(*, unavailable)
extension SQLiteConnection: Sendable {}

extension SQLiteConnection {
    private func harden() throws(SQLiteError) {
        try configure(SQLITE_DBCONFIG_DEFENSIVE, true)
        try configure(SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)
        try configure(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, false)
        try configure(SQLITE_DBCONFIG_ENABLE_FKEY, true)
        // A text in double quotes is a name, and one that is no name is an error, not a text.
        try configure(SQLITE_DBCONFIG_DQS_DML, false)
        try configure(SQLITE_DBCONFIG_DQS_DDL, false)
        try execute("PRAGMA cell_size_check = ON")
        try execute("PRAGMA mmap_size = 0")
    }

    private func configure(_ operation: Int32, _ isOn: Bool) throws(SQLiteError) {
        unsafe try handle.check(csqlite_configure(handle.pointer, operation, isOn ? 1 : 0))
    }

    private func limit(_ limits: SQLiteLimits) {
        let pairs = [
            (SQLITE_LIMIT_LENGTH, limits.valueBytes), (SQLITE_LIMIT_SQL_LENGTH, limits.statementBytes),
            (SQLITE_LIMIT_VARIABLE_NUMBER, limits.parameters),
            (SQLITE_LIMIT_EXPR_DEPTH, limits.expressionDepth), (SQLITE_LIMIT_ATTACHED, 0),
        ]
        for (limit, value) in pairs { unsafe sqlite3_limit(handle.pointer, limit, value) }
    }
}
