import CSQLite

/// What is bound to a parameter, or read from a column.
package enum SQLiteValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    /// A number, or null.
    package init(_ number: Int64?) { self = number.map(SQLiteValue.integer) ?? .null }

    /// A text, or null.
    package init(_ text: String?) { self = text.map(SQLiteValue.text) ?? .null }
}

/// The five storage classes.
package enum SQLiteType: Hashable, Sendable {
    case null
    case integer
    case real
    case text
    case blob

    init(_ type: Int32) {
        self =
            switch type {
            case SQLITE_INTEGER: .integer
            case SQLITE_FLOAT: .real
            case SQLITE_TEXT: .text
            case SQLITE_BLOB: .blob
            default: .null
            }
    }
}

extension SQLiteValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    package init(integerLiteral value: Int64) { self = .integer(value) }

    package init(stringLiteral value: String) { self = .text(value) }
}
