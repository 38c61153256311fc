import LinuxBindings
import SQLiteBindings

/// The counters' file: a SQLite database for the daemon's user only.
///
/// Lives on the store's thread. A write is on the disk when it returns: neither a kill nor a loss of power takes a lease
/// back.
final class CounterDatabase {
    static let name = "counters.sqlite"

    private let connection: SQLiteConnection
    private let directory: OwnedDescriptor
    private let place: FileStatus

    /// Opens the file in a directory, or makes it.
    init(in path: String) throws(CounterFault) {
        do throws(SystemCallError) {
            directory = try openFile(path, [.readOnly, .directory])
            place = try Self.prepare(below: directory)
        } catch {
            throw .file(error)
        }
        guard place.isRegular, place.linkCount == 1, place.owner == effectiveIdentity().user else { throw .foreign }
        let opening = SQLiteOpening(.readWrite, usesWriteAheadLog: false, cacheKibibytes: 512)
        let file = "\(path)/\(Self.name)"
        connection = try Self.asking { () throws(SQLiteError) in try SQLiteConnection(path: file, opening) }
        try Self.identify(connection)
        let connection = connection
        try Self.asking { () throws(SQLiteError) in
            try connection.execute("PRAGMA journal_mode = WAL")
            try connection.execute("PRAGMA synchronous = FULL")
        }
    }

    /// Reads or writes the database, and says of what SQLite says what it means.
    private static func asking<Result>(_ body: () throws(SQLiteError) -> Result) throws(CounterFault) -> Result {
        do throws(SQLiteError) { return try body() } catch { throw CounterFault(error) }
    }

    /// Makes sure that there is a file, with access for its owner only, which SQLite would not see to.
    ///
    /// The file is closed again before SQLite opens it: closing it later would give up SQLite's locks.
    private static func prepare(below directory: borrowing OwnedDescriptor) throws(SystemCallError) -> FileStatus {
        let file = try openFile(below: directory, name, [.readWrite, .create, .noFollow, .nonblocking], mode: 0o600)
        return try fileStatus(file)
    }

    /// Makes the table in an empty database; anything but a database of ours is left alone.
    private static func identify(_ connection: SQLiteConnection) throws(CounterFault) {
        let application = try number("PRAGMA application_id", connection)
        let version = try number("PRAGMA user_version", connection)
        if application == 0, try number("SELECT count(*) FROM sqlite_schema", connection) == 0 {
            return try asking { () throws(SQLiteError) in
                try connection.transaction { () throws(SQLiteError) in
                    try connection.execute(CounterSchema.statements)
                }
            }
        }
        guard application == CounterSchema.application, version == CounterSchema.version else { throw .foreign }
        let words = try asking { () throws(SQLiteError) in
            try connection.first("PRAGMA quick_check(1)") { row throws(SQLiteError) in try row.text(0) }
        }
        guard words == "ok" else { throw .damaged }
    }

    private static func number(_ sql: String, _ connection: SQLiteConnection) throws(CounterFault) -> Int64 {
        let found = try asking { () throws(SQLiteError) in
            try connection.first(sql) { row throws(SQLiteError) in try row.integer(0) }
        }
        return (found ?? nil) ?? 0
    }

    /// Everything that is still worth something at this moment; of a counter, all that was leased.
    func counters(limit: Int, now: Int64) throws(CounterFault) -> [CounterKey: Counter] {
        let connection = connection
        let rows = try Self.asking { () throws(SQLiteError) in
            try connection.run("DELETE FROM counters WHERE end IS NOT NULL AND end <= ?", [.integer(now)])
            let statement = try connection.prepare(
                "SELECT rule, kind, subject, start, value, end FROM counters LIMIT \(limit + 1)"
            )
            var rows: [(key: CounterKey?, lease: Lease)] = []
            while try statement.step() { rows.append(try Self.row(statement)) }
            return rows
        }
        guard rows.count <= limit else { throw .damaged }
        var found: [CounterKey: Counter] = [:]
        for (key, lease) in rows {
            guard let key else { throw .damaged }
            found[key] = Counter(lease, of: key.kind)
        }
        return found
    }

    private static func row(_ row: SQLiteStatement) throws(SQLiteError) -> (CounterKey?, Lease) {
        let kind = try row.integer(1).flatMap { CounterKey.Kind(rawValue: $0) }
        let rule = try row.text(0) ?? ""
        let subject = try row.text(2) ?? ""
        let lease = Lease(start: try row.integer(3) ?? 0, value: try row.integer(4) ?? 0, end: try row.integer(5))
        return (kind.map { CounterKey(rule: rule, kind: $0, subject: subject) }, lease)
    }

    /// Writes leases and forgets counters, all of it or nothing.
    func write(_ work: CounterWork) throws(CounterFault) {
        guard isInPlace else { throw .replaced }
        let connection = connection
        try Self.asking { () throws(SQLiteError) in
            try connection.transaction { () throws(SQLiteError) in
                for (key, lease) in work.leases {
                    try connection.run(
                        "INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?, ?, ?)",
                        Self.values(key) + [.integer(lease.start), .integer(lease.value), SQLiteValue(lease.end)]
                    )
                }
                for key in work.removals {
                    try connection.run(
                        "DELETE FROM counters WHERE rule = ? AND kind = ? AND subject = ?",
                        Self.values(key)
                    )
                }
            }
        }
    }

    private static func values(_ key: CounterKey) -> [SQLiteValue] {
        [.text(key.rule), .integer(key.kind.rawValue), .text(key.subject)]
    }

    /// Whether the file that is open still has its name: what is written to one that was removed is lost.
    ///
    /// The file is not opened for this: closing it would give up SQLite's locks.
    var isInPlace: Bool {
        guard let named = try? fileStatus(below: directory, Self.name) else { return false }
        return named.device == place.device && named.inode == place.inode
    }
}

/// The table of the counters.
///
/// A change of anything here takes a new version.
enum CounterSchema {
    /// Kept in `PRAGMA user_version`.
    static let version: Int64 = 1
    /// Kept in `PRAGMA application_id`: `PCTR` in ASCII.
    static let application: Int64 = 0x5043_5452

    static let statements = """
        PRAGMA application_id = \(application);
        PRAGMA user_version = \(version);
        CREATE TABLE counters (
            rule TEXT NOT NULL, kind INTEGER NOT NULL, subject TEXT NOT NULL,
            start INTEGER NOT NULL, value INTEGER NOT NULL, end INTEGER,
            PRIMARY KEY (rule, kind, subject)
        ) WITHOUT ROWID;
        """
}
