import AuditReading
import SQLiteBindings

/// Why the index cannot be used.
///
/// The trail itself is not touched by any of this: the index is made of it, and can be made again.
package enum IndexError: Error, Hashable, Sendable {
    /// A file of the trail cannot be read.
    case trail(AuditReadingError)
    /// A file that was named is no regular file, so that nobody can say what of it was read before.
    case notRegular(path: String)
    /// A file that was named begins with something else than a line of the trail.
    case notATrail(path: String)
    /// Nothing of this file is in the index.
    case notIndexed(path: String)
    /// There is no index, and none may be made.
    case missing(path: String)
    /// The file is another's: nothing is written to it.
    case notAnIndex(path: String)
    /// It was made by another version of Penstock.
    case otherVersion(path: String, found: Int)
    /// Its file is damaged.
    case damaged(path: String)
    /// What was indexed of a file of the trail no longer stands there.
    case changedTrail(path: String, offset: Int)
    /// Another process writes to it, and went on doing so.
    case busy(path: String)
    /// There is no room for it.
    case full(path: String)
    /// It may not be written.
    case readOnly(path: String)
    /// Anything else that SQLite says.
    case database(path: String, SQLiteError)

    /// What SQLite said of the index at this path.
    init(_ error: SQLiteError, path: String) {
        self =
            switch error {
            case .failed(let failure):
                switch failure.code {
                case .corrupt, .notADatabase: .damaged(path: path)
                case .busy, .locked: .busy(path: path)
                case .full: .full(path: path)
                case .readOnly, .permission, .cannotOpen: .readOnly(path: path)
                case .inputOutput, .constraint, .outOfMemory, .tooBig, .interrupted, .schemaChanged, .typeMismatch,
                    .range,
                    .authorization, .general, .misuse, .other:
                    .database(path: path, error)
                }
            // A column of another type than was written: the file is not as it was left.
            case .wrongType: .damaged(path: path)
            case .wrongValueCount, .noSuchColumn, .noRow, .notOneStatement: .database(path: path, error)
            }
    }
}

extension IndexError: CustomStringConvertible {
    /// What is wrong, and what an operator can do about it.
    package var description: String {
        switch self {
        case .trail(let error): error.description
        case .notRegular(let path): "\(path): only regular files are indexed"
        case .notATrail(let path): "\(path): this is no file of the audit trail"
        case .notIndexed(let path): "\(path): the index has nothing of this file; ask without --no-update"
        case .missing(let path): "\(path): there is no index; 'penstock audit reindex' makes it"
        case .notAnIndex(let path):
            "\(path): this is no index of Penstock's, and is left alone; name another file with --index"
        case .otherVersion(let path, let found):
            "\(path): the index is of version \(found), not \(IndexSchema.version); 'penstock audit reindex' makes it anew"
        case .damaged(let path): "\(path): the index is damaged; 'penstock audit reindex' makes it anew"
        case .changedTrail(let path, let offset):
            "\(path): what was indexed up to byte \(offset) does not stand there any more: 'penstock audit verify' says what "
                + "became of it; --no-update asks the index as it was, 'penstock audit reindex' makes it anew"
        case .busy(let path): "\(path): another process is writing the index; --no-update asks it as it is"
        case .full(let path): "\(path): there is no room for the index; name a file on another disk with --index"
        case .readOnly(let path):
            "\(path): the index cannot be written; --no-update asks it as it is, --index names another file"
        case .database(let path, let error): "\(path): \(error)"
        }
    }
}
