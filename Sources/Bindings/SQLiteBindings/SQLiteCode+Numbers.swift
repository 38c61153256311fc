import CSQLite

extension SQLiteCode {
    /// The primary codes by number.
    static let known: [Int32: SQLiteCode] = [
        SQLITE_BUSY: .busy,
        SQLITE_LOCKED: .locked,
        SQLITE_FULL: .full,
        SQLITE_READONLY: .readOnly,
        SQLITE_CORRUPT: .corrupt,
        SQLITE_NOTADB: .notADatabase,
        SQLITE_CANTOPEN: .cannotOpen,
        SQLITE_IOERR: .inputOutput,
        SQLITE_CONSTRAINT: .constraint,
        SQLITE_PERM: .permission,
        SQLITE_NOMEM: .outOfMemory,
        SQLITE_TOOBIG: .tooBig,
        SQLITE_INTERRUPT: .interrupted,
        SQLITE_ABORT: .interrupted,
        SQLITE_SCHEMA: .schemaChanged,
        SQLITE_MISMATCH: .typeMismatch,
        SQLITE_RANGE: .range,
        SQLITE_AUTH: .authorization,
        SQLITE_ERROR: .general,
        SQLITE_MISUSE: .misuse,
    ]
}

extension SQLiteFailure {
    /// What a connection says of the call on it that has just failed.
    init(_ result: Int32, on connection: OpaquePointer?, sql: String?) {
        code = SQLiteCode(result)
        extendedCode = result
        self.sql = sql
        // The connection's words are of its last call; where it knows of none, the code has words of its own.
        if let connection = unsafe connection, unsafe sqlite3_extended_errcode(connection) == result,
            let words = unsafe sqlite3_errmsg(connection)
        {
            message = unsafe String(cString: words)
        } else {
            message = unsafe sqlite3_errstr(result).map { unsafe String(cString: $0) } ?? "unknown error"
        }
    }
}
