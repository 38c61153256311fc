import CSQLite

/// A prepared statement, with its parameters and the row it stands on.
///
/// It belongs to the thread of its connection, which it keeps open.
@safe
package final class SQLiteStatement {
    /// The statement as it was prepared.
    package let sql: String
    /// How many parameters it has.
    package let parameterCount: Int
    /// How many columns its rows have; 0 where it gives no rows.
    package let columnCount: Int
    private let handle: SQLiteHandle
    private let pointer: OpaquePointer
    private var standsOnRow = false

    init(_ sql: String, on handle: SQLiteHandle) throws(SQLiteError) {
        var prepared: OpaquePointer?
        var restIsBlank = true
        let text = sql.utf8CString
        let result = unsafe text.withUnsafeBufferPointer { characters in
            var tail: UnsafePointer<CChar>?
            let count = Int32(clamping: characters.count)
            let result = unsafe sqlite3_prepare_v3(handle.pointer, characters.baseAddress, count, 0, &prepared, &tail)
            if let tail = unsafe tail, let start = characters.baseAddress {
                let read = unsafe tail - start
                restIsBlank = unsafe characters.dropFirst(read).allSatisfy { (0...0x20).contains($0) }
            }
            return result
        }
        try handle.check(result, sql: sql)
        guard let statement = unsafe prepared else { throw .notOneStatement(sql: sql) }
        guard restIsBlank else {
            unsafe sqlite3_finalize(statement)
            throw .notOneStatement(sql: sql)
        }
        self.sql = sql
        self.handle = handle
        unsafe pointer = statement
        parameterCount = Int(unsafe sqlite3_bind_parameter_count(statement))
        columnCount = Int(unsafe sqlite3_column_count(statement))
    }

    deinit {
        unsafe sqlite3_finalize(pointer)
    }

    /// Gives every parameter its value, in their order, and takes the statement back to its beginning.
    ///
    /// - Throws: `.wrongValueCount` and, where a value is larger than the limits, what SQLite says.
    package func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        guard values.count == parameterCount else {
            throw .wrongValueCount(expected: parameterCount, given: values.count, sql: sql)
        }
        reset()
        var index: Int32 = 0
        for value in values {
            index += 1
            try handle.check(bind(value, at: index), sql: sql)
        }
    }

    /// Goes to the next row; false behind the last one, and the statement is at its beginning again.
    package func step() throws(SQLiteError) -> Bool {
        let result = unsafe sqlite3_step(pointer)
        standsOnRow = result == SQLITE_ROW
        if standsOnRow { return true }
        // The words for what went wrong are the connection's until the next call, which the reset is.
        let failure = result == SQLITE_DONE ? nil : handle.failure(result, sql: sql)
        reset()
        if let failure { throw failure }
        return false
    }

    /// Binds the values, runs the statement to its end, and leaves the rows unread.
    package func run(_ values: [SQLiteValue] = []) throws(SQLiteError) {
        try bind(values)
        while try step() {}
    }

    /// Takes the statement back to its beginning, which ends what it reads or writes; values stay bound.
    package func reset() {
        standsOnRow = false
        // It repeats the failure of the last step, which has been thrown already.
        unsafe sqlite3_reset(pointer)
    }

    private func bind(_ value: SQLiteValue, at index: Int32) -> Int32 {
        switch value {
        case .null: return unsafe sqlite3_bind_null(pointer, index)
        case .integer(let number): return unsafe sqlite3_bind_int64(pointer, index, number)
        case .real(let number): return unsafe sqlite3_bind_double(pointer, index, number)
        case .text(let text):
            let characters = text.utf8CString
            return unsafe characters.withUnsafeBufferPointer { characters in
                // Without the zero at the end, which is none of the text's.
                unsafe csqlite_bind_text(pointer, index, characters.baseAddress, UInt64(characters.count - 1))
            }
        case .blob(let blob):
            // No address would bind NULL.
            guard !blob.isEmpty else { return unsafe sqlite3_bind_zeroblob(pointer, index, 0) }
            return unsafe blob.withUnsafeBytes { bytes in
                unsafe csqlite_bind_blob(pointer, index, bytes.baseAddress, UInt64(bytes.count))
            }
        }
    }
}

@available(*, unavailable)
extension SQLiteStatement: Sendable {}

extension SQLiteStatement {
    /// The type of what a column of this row holds.
    package func type(_ column: Int) throws(SQLiteError) -> SQLiteType {
        guard standsOnRow else { throw .noRow(sql: sql) }
        guard column >= 0, column < columnCount else { throw .noSuchColumn(column, of: columnCount, sql: sql) }
        return unsafe SQLiteType(sqlite3_column_type(pointer, Int32(column)))
    }

    /// A number of this row; `nil` is null.
    package func integer(_ column: Int) throws(SQLiteError) -> Int64? {
        guard try holds(.integer, column) else { return nil }
        return unsafe sqlite3_column_int64(pointer, Int32(column))
    }

    /// A floating-point number of this row; `nil` is null.
    package func real(_ column: Int) throws(SQLiteError) -> Double? {
        guard try holds(.real, column) else { return nil }
        return unsafe sqlite3_column_double(pointer, Int32(column))
    }

    /// A text of this row; `nil` is null.
    ///
    /// What is no UTF-8, which only a damaged file has, comes out with U+FFFD in it.
    package func text(_ column: Int) throws(SQLiteError) -> String? {
        guard try holds(.text, column) else { return nil }
        // The text first, its length after: the call for the text may convert it.
        guard let start = unsafe sqlite3_column_text(pointer, Int32(column)) else {
            throw handle.failure(SQLITE_NOMEM, sql: sql)
        }
        let count = unsafe Int(sqlite3_column_bytes(pointer, Int32(column)))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// A blob of this row; `nil` is null.
    package func blob(_ column: Int) throws(SQLiteError) -> [UInt8]? {
        guard try holds(.blob, column) else { return nil }
        // An empty blob has no address.
        guard let start = unsafe sqlite3_column_blob(pointer, Int32(column)) else { return [] }
        let count = unsafe Int(sqlite3_column_bytes(pointer, Int32(column)))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Whatever a column of this row holds.
    package func value(_ column: Int) throws(SQLiteError) -> SQLiteValue {
        switch try type(column) {
        case .null: .null
        case .integer: SQLiteValue(try integer(column))
        case .real: try real(column).map(SQLiteValue.real) ?? .null
        case .text: SQLiteValue(try text(column))
        case .blob: try blob(column).map(SQLiteValue.blob) ?? .null
        }
    }

    /// False for null.
    private func holds(_ expected: SQLiteType, _ column: Int) throws(SQLiteError) -> Bool {
        let found = try type(column)
        if found == expected { return true }
        guard found == .null else { throw .wrongType(column: column, expected: expected, found: found, sql: sql) }
        return false
    }
}
