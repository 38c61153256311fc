import AuditReading
import LinuxBindings
import SQLiteBindings

/// An SQLite index over files of the audit trail.
///
/// It belongs to one thread, never an event loop's, and to no process that carries traffic. It can be lost: everything in
/// it comes from the trail. What stands in the trail is data to it: no text of a record ever becomes a part of a statement.
package final class AuditIndex {
    /// How an index is opened.
    package enum Purpose: Hashable, Sendable {
        /// To be asked as it is.
        case reading
        /// To be brought up to date, and asked; it is made where there is none.
        case updating
        /// To be made anew: whatever the index holds is forgotten.
        case rebuilding
    }

    /// How large the page cache may get: what insertions into several ordered lists at once need to be fast.
    private static let cacheKibibytes: Int32 = 32 << 10
    /// How long another process's batch is waited for.
    private static let busyMilliseconds: Int32 = 10_000
    /// Pages in the log before they go into the file: fewer, larger writes than by default.
    private static let checkpointPages = 8192

    package let path: String
    let connection: SQLiteConnection

    /// Opens the index at a path.
    ///
    /// - Parameters:
    ///   - path: Where it is.
    ///   - purpose: How it is opened.
    ///   - trail: A file of the trail, whose owner is to be the owner of an index that root makes.
    /// - Throws: why it cannot be opened or made.
    package init(_ path: String, for purpose: Purpose, besideTrail trail: String? = nil) throws(IndexError) {
        self.path = path
        switch (try Self.look(at: path), purpose) {
        case (.absent, .reading), (.blank, .reading): throw .missing(path: path)
        case (.foreign, _): throw .notAnIndex(path: path)
        case (.index(let version), .reading), (.index(let version), .updating):
            guard version == IndexSchema.version else { throw .otherVersion(path: path, found: version) }
        case (.absent, .updating), (.absent, .rebuilding): try Self.make(path, trail)
        case (.blank, .updating), (.blank, .rebuilding): try Self.fill(path)
        case (.index, .rebuilding): try Self.empty(path)
        }
        do throws(SQLiteError) {
            connection = try Self.open(path, Self.opening(purpose == .reading ? .readOnly : .readWrite))
            if purpose != .reading { try connection.execute("PRAGMA wal_autocheckpoint = \(Self.checkpointPages)") }
        } catch {
            throw IndexError(error, path: path)
        }
    }

    private static func opening(_ access: SQLiteOpening.Access, usesWriteAheadLog: Bool = true) -> SQLiteOpening {
        SQLiteOpening(
            access,
            busyMilliseconds: busyMilliseconds,
            usesWriteAheadLog: usesWriteAheadLog,
            cacheKibibytes: cacheKibibytes
        )
    }

    /// Opens the file; while another process is making it, SQLite does not wait by itself.
    private static func open(_ path: String, _ opening: SQLiteOpening) throws(SQLiteError) -> SQLiteConnection {
        let end = monotonicNanoseconds() + UInt64(busyMilliseconds) * 1_000_000
        while true {
            do throws(SQLiteError) {
                return try SQLiteConnection(path: path, opening)
            } catch {
                guard error.code == .busy, monotonicNanoseconds() < end else { throw error }
                sleepMilliseconds(20)
            }
        }
    }

    private static func look(at path: String) throws(IndexError) -> IndexFile {
        do throws(SystemCallError) { return try IndexFile(path) } catch { throw .trail(.file(path: path, error)) }
    }

    private static func make(_ path: String, _ trail: String?) throws(IndexError) {
        do throws(SystemCallError) {
            try IndexFile.make(path, besideTrail: trail)
        } catch {
            throw .trail(.file(path: path, error))
        }
        try fill(path)
    }

    /// Makes the tables in one transaction, before the file gets its write-ahead log.
    ///
    /// So the file itself says from its first page on whose it is.
    private static func fill(_ path: String) throws(IndexError) {
        do throws(SQLiteError) {
            let connection = try open(path, opening(.readWrite, usesWriteAheadLog: false))
            try connection.transaction { () throws(SQLiteError) in try create(connection) }
        } catch {
            throw IndexError(error, path: path)
        }
    }

    /// Forgets what is there, damaged or not; who else has the file open sees it empty, and then filled anew.
    private static func empty(_ path: String) throws(IndexError) {
        do throws(SQLiteError) {
            let connection = try open(path, opening(.readWrite, usesWriteAheadLog: false))
            try connection.empty()
            try connection.transaction { () throws(SQLiteError) in try create(connection) }
        } catch {
            // SQLite empties no file that is cut short. With its last page goes what its write-ahead log is about.
            guard case .damaged = IndexError(error, path: path) else { throw IndexError(error, path: path) }
            do throws(SystemCallError) {
                _ = try openFile(path, [.readWrite, .truncate, .noFollow])
            } catch {
                throw .trail(.file(path: path, error))
            }
            try fill(path)
        }
    }

    /// Two processes may come here at once: the second finds what the first has made.
    private static func create(_ connection: SQLiteConnection) throws(SQLiteError) {
        let tables = try connection.first("SELECT count(*) FROM sqlite_schema") { row throws(SQLiteError) in
            try row.integer(0)
        }
        if tables == 0 { try connection.execute(IndexSchema.statements) }
    }
}

@available(*, unavailable)
extension AuditIndex: Sendable {}

extension AuditIndex {
    /// Reads or writes the index, and says of what SQLite says what it means.
    func database<Result>(_ body: () throws(SQLiteError) -> Result) throws(IndexError) -> Result {
        do throws(SQLiteError) { return try body() } catch { throw IndexError(error, path: path) }
    }

    /// Does something inside a transaction: all of it, or, where it throws, nothing.
    func transaction<Result>(_ body: () throws(IndexError) -> Result) throws(IndexError) -> Result {
        let path = path
        return try connection.transaction({ IndexError($0, path: path) }, body)
    }
}
