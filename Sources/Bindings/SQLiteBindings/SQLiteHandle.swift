import CSQLite

/// The one owner of an open `sqlite3`: the connection and its statements share it, and the last of them closes it.
@safe
final class SQLiteHandle {
    let pointer: OpaquePointer

    init(path: String, flags: Int32) throws(SQLiteError) {
        var opened: OpaquePointer?
        // With SQLITE_USE_URI, as Debian builds it, a path that begins with `file:` would be taken for a URI.
        let plain = path.hasPrefix("/") ? path : "./" + path
        let result = unsafe sqlite3_open_v2(plain, &opened, flags, nil)
        guard result == SQLITE_OK, let connection = unsafe opened else {
            // Even a failed open leaves a connection, which holds the words for what went wrong.
            let failure = unsafe SQLiteFailure(result, on: opened, sql: nil)
            unsafe sqlite3_close_v2(opened)
            throw .failed(failure)
        }
        unsafe pointer = connection
    }

    deinit {
        // Statements hold the handle, so that none is left.
        unsafe sqlite3_close_v2(pointer)
    }

    /// Throws what SQLite says where a result is none of success.
    func check(_ result: Int32, sql: String? = nil) throws(SQLiteError) {
        guard result == SQLITE_OK else { throw failure(result, sql: sql) }
    }

    func failure(_ result: Int32, sql: String?) -> SQLiteError {
        .failed(unsafe SQLiteFailure(result, on: pointer, sql: sql))
    }
}
