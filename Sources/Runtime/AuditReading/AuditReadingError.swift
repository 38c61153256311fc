import LinuxBindings
import ZstdBindings

/// Why a file of the audit trail cannot be read.
///
/// What is wrong with its lines is a `ChainFault`.
package enum AuditReadingError: Error, Hashable, Sendable {
    /// It cannot be opened or read.
    case file(path: String, SystemCallError)
    /// Its compressed bytes are damaged.
    case damaged(path: String)
    /// Its compressed bytes end in the middle.
    case cutShort(path: String)
    /// There is no memory to decompress it.
    case noMemory(path: String)
    /// It cannot be read from the end, which following needs: it is compressed, or a pipe.
    case notFollowable(path: String)
    /// It holds lines, and none of them is a record.
    case notATrail(path: String)
}

extension AuditReadingError: CustomStringConvertible {
    /// What is wrong, and what an operator can do about it.
    package var description: String {
        switch self {
        case .file(let path, let error): "\(path): \(error)"
        case .damaged(let path): "\(path): its zstd data is damaged: nothing behind the damage can be read"
        case .cutShort(let path): "\(path): its zstd data ends in the middle: the end of the file is missing"
        case .noMemory(let path): "\(path): there is no memory to decompress it"
        case .notFollowable(let path): "\(path): only the plain file that the daemon writes can be followed"
        case .notATrail(let path): "\(path): this is no file of the audit trail: none of its lines is a record"
        }
    }
}
