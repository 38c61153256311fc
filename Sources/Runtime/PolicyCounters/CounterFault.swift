import LinuxBindings
import SQLiteBindings

/// Why the counters' file cannot be used.
enum CounterFault: Error, Hashable, Sendable {
    case file(SystemCallError)
    /// It is not ours: another's file, a link, or of another version.
    case foreign
    /// It is damaged.
    case damaged
    /// Another file has its name, or none has.
    case replaced
    /// There is no room for it.
    case full
    /// Anything else that SQLite says.
    case database(SQLiteError)

    init(_ error: SQLiteError) {
        self =
            if case .wrongType = error {
                // A column of another type than was written: the file is not as it was left.
                .damaged
            } else if error.code == .corrupt || error.code == .notADatabase {
                .damaged
            } else if error.code == .full {
                .full
            } else {
                .database(error)
            }
    }

    /// True where the file that was written to is not the one that will be read.
    var losesLeases: Bool {
        switch self {
        case .replaced, .foreign, .damaged: true
        case .file, .full, .database: false
        }
    }
}

extension CounterFault: CustomStringConvertible {
    /// What is wrong, and what an operator can do about it.
    var description: String {
        switch self {
        case .file(let error): "\(error); check that the directory is there and that the daemon's user may write to it"
        case .foreign: "this is no file of this daemon's counters; move it away, and a new one is made"
        case .damaged: "the file is damaged; restore it, or move it away, and counting begins anew"
        case .replaced: "the file was removed or replaced; it is being made anew from memory"
        case .full: "the disk is full; make room"
        case .database(let error): "\(error)"
        }
    }
}
