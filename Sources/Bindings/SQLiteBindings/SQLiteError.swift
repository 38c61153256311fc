/// Why SQLite, or this layer above it, did not do what it was asked.
package enum SQLiteError: Error, Hashable, Sendable {
    /// SQLite said no.
    case failed(SQLiteFailure)
    /// A statement was given more values than it has parameters, or fewer.
    case wrongValueCount(expected: Int, given: Int, sql: String)
    /// A row was asked for a column that it has not.
    case noSuchColumn(Int, of: Int, sql: String)
    /// A column holds another type than was asked for.
    case wrongType(column: Int, expected: SQLiteType, found: SQLiteType, sql: String)
    /// A row was asked for where the statement stands on none.
    case noRow(sql: String)
    /// The text holds no statement, or more than one.
    case notOneStatement(sql: String)

    /// The primary result code, where it was SQLite that said no.
    package var code: SQLiteCode? {
        switch self {
        case .failed(let failure): failure.code
        case .wrongValueCount, .noSuchColumn, .wrongType, .noRow, .notOneStatement: nil
        }
    }
}

/// What SQLite said.
package struct SQLiteFailure: Hashable, Sendable {
    /// The primary result code.
    package let code: SQLiteCode
    /// The extended result code: the primary one in the low byte.
    package let extendedCode: Int32
    /// SQLite's words.
    ///
    /// They may quote a part of the statement, never a bound value.
    package let message: String
    /// The statement; `nil` where it was not one that failed.
    package let sql: String?
}

/// The primary result codes of SQLite that a caller may have to tell apart.
package enum SQLiteCode: Hashable, Sendable {
    /// Another connection holds the lock, and went on holding it for the whole of the busy timeout.
    case busy
    /// A statement of the same connection holds the lock.
    case locked
    /// There is no room: on the disk, or below `PRAGMA max_page_count`.
    case full
    case readOnly
    /// The file is damaged.
    case corrupt
    /// The file is not SQLite's.
    case notADatabase
    case cannotOpen
    case inputOutput
    case constraint
    case permission
    case outOfMemory
    /// A text, a blob or a row is larger than the limits allow.
    case tooBig
    case interrupted
    case schemaChanged
    case typeMismatch
    /// A parameter or a column that is not there.
    case range
    case authorization
    /// Wrong SQL, a missing table, and whatever has no code of its own.
    case general
    /// A defect of this layer.
    case misuse
    /// A code that a newer SQLite may have.
    case other(Int32)

    /// Reads a result code, primary or extended.
    init(_ code: Int32) {
        self = Self.known[code & 0xff] ?? .other(code & 0xff)
    }
}

extension SQLiteError: CustomStringConvertible {
    /// One line for a log, without the statement.
    package var description: String {
        switch self {
        case .failed(let failure): "\(failure.message) (SQLite \(failure.extendedCode))"
        case .wrongValueCount(let expected, let given, _): "\(given) values for \(expected) parameters"
        case .noSuchColumn(let column, let count, _): "there is no column \(column) among \(count)"
        case .wrongType(let column, let expected, let found, _): "column \(column) holds \(found), not \(expected)"
        case .noRow: "the statement stands on no row"
        case .notOneStatement: "not exactly one statement"
        }
    }
}
