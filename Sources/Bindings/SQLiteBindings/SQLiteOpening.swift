import CSQLite

/// How a database is opened.
package struct SQLiteOpening: Hashable, Sendable {
    /// What may be done with the file.
    package enum Access: Hashable, Sendable {
        /// The file must be there.
        case readOnly
        /// The file must be there.
        case readWrite
        /// The file is made where it is not there.
        case create
    }

    package var access: Access
    /// How long a call waits for a lock of another connection.
    package var busyMilliseconds: Int32
    /// Whether changes go through a write-ahead log, so that readers and the writer do not wait for each other.
    ///
    /// It is a property of the file: it needs write access.
    package var usesWriteAheadLog: Bool
    /// How much memory the page cache may take, in KiB.
    package var cacheKibibytes: Int32
    package var limits: SQLiteLimits

    package init(
        _ access: Access,
        busyMilliseconds: Int32 = 5000,
        usesWriteAheadLog: Bool = true,
        cacheKibibytes: Int32 = 8192,
        limits: SQLiteLimits = .standard
    ) {
        self.access = access
        self.busyMilliseconds = busyMilliseconds
        self.usesWriteAheadLog = usesWriteAheadLog
        self.cacheKibibytes = cacheKibibytes
        self.limits = limits
    }

    /// One thread at a time uses a connection, so SQLite needs no lock of its own around each call.
    var flags: Int32 {
        let common = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_PRIVATECACHE
        return switch access {
        case .readOnly: common | SQLITE_OPEN_READONLY
        case .readWrite: common | SQLITE_OPEN_READWRITE
        case .create: common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        }
    }
}

/// How large things may grow inside of one connection.
package struct SQLiteLimits: Hashable, Sendable {
    /// The longest text, blob or row, in bytes.
    package var valueBytes: Int32
    /// The longest statement, in bytes.
    package var statementBytes: Int32
    /// The most parameters of a statement.
    package var parameters: Int32
    /// How deep an expression nests.
    package var expressionDepth: Int32

    package init(valueBytes: Int32, statementBytes: Int32, parameters: Int32, expressionDepth: Int32) {
        self.valueBytes = valueBytes
        self.statementBytes = statementBytes
        self.parameters = parameters
        self.expressionDepth = expressionDepth
    }

    /// Far above what statements of ours need.
    package static let standard = SQLiteLimits(
        valueBytes: 16 << 20,
        statementBytes: 64 << 10,
        parameters: 1000,
        expressionDepth: 100
    )
}
