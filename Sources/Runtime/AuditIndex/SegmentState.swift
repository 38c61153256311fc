import OpenSSLBindings
import SQLiteBindings

/// What the index knows of one file of the trail.
///
/// A file is known by its first line, which no other file has: renamed, compressed or copied it is still the same.
struct SegmentState: Hashable {
    /// Its number in the table; nil where it is not there yet.
    var number: Int64?
    /// The SHA-256 of its first line.
    var firstLine: [UInt8]
    /// Where it was seen last.
    var path: String
    var place: FilePlace
    /// Up to where it is indexed, in bytes of what it holds decompressed; a line begins there.
    var end = 0
    /// Where the last indexed line begins.
    var lastStart = 0
    /// The SHA-256 of that line.
    var lastLine: [UInt8] = []
    /// Of the last record.
    var lastSequence: UInt64?
    var lines = 0
    /// How many of the lines are none that a record could be read from: cut off, or somebody else's.
    var unreadable = 0

    /// A file that nothing is indexed of.
    init(firstLine: [UInt8], path: String, place: FilePlace) {
        self.firstLine = firstLine
        self.path = path
        self.place = place
    }
}

/// Which file a path led to, and how large it was, in bytes on the disk.
struct FilePlace: Hashable {
    var device: UInt64
    var inode: UInt64
    var size: Int
}

extension SegmentState {
    /// What tells this index from one that was made anew in its place.
    static func mark(of connection: SQLiteConnection) throws(SQLiteError) -> Int64? {
        try connection.first("SELECT mark FROM origin") { row throws(SQLiteError) in try row.integer(0) } ?? nil
    }

    private static let columns =
        "number, first_line, path, device, inode, size, end, last_start, last_line, last_sequence, lines, unreadable"

    /// Reads what is known of the file with this first line.
    static func find(firstLine: [UInt8], in connection: SQLiteConnection) throws(SQLiteError) -> SegmentState? {
        try connection.first("SELECT \(columns) FROM segments WHERE first_line = ?", [.blob(firstLine)], read)
    }

    /// Reads what is known of the file that was seen last at this path.
    static func find(path: String, in connection: SQLiteConnection) throws(SQLiteError) -> SegmentState? {
        try connection.first(
            "SELECT \(columns) FROM segments WHERE path = ? ORDER BY number DESC LIMIT 1",
            [.text(path)],
            read
        )
    }

    private static func read(_ row: SQLiteStatement) throws(SQLiteError) -> SegmentState {
        let place = FilePlace(
            device: UInt64(bitPattern: try row.integer(3) ?? 0),
            inode: UInt64(bitPattern: try row.integer(4) ?? 0),
            size: Int(try row.integer(5) ?? 0)
        )
        var state = SegmentState(firstLine: try row.blob(1) ?? [], path: try row.text(2) ?? "", place: place)
        state.number = try row.integer(0)
        state.end = Int(try row.integer(6) ?? 0)
        state.lastStart = Int(try row.integer(7) ?? 0)
        state.lastLine = try row.blob(8) ?? []
        state.lastSequence = try row.integer(9).map { UInt64(clamping: $0) }
        state.lines = Int(try row.integer(10) ?? 0)
        state.unreadable = Int(try row.integer(11) ?? 0)
        return state
    }

    /// Writes what is known, and gives the file its number.
    mutating func save(in connection: SQLiteConnection) throws(SQLiteError) {
        try connection.run(
            "INSERT OR REPLACE INTO segments (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                SQLiteValue(number), .blob(firstLine), .text(path), Self.signed(place.device), Self.signed(place.inode),
                .integer(Int64(place.size)), .integer(Int64(end)), .integer(Int64(lastStart)), .blob(lastLine),
                SQLiteValue(lastSequence.map { Int64(clamping: $0) }), .integer(Int64(lines)),
                .integer(Int64(unreadable)),
            ]
        )
        if number == nil { number = connection.lastInsertedRow }
    }

    private static func signed(_ number: UInt64) -> SQLiteValue { .integer(Int64(bitPattern: number)) }
}
