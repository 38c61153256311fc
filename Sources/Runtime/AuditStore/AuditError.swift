import LinuxBindings
import OpenSSLBindings

/// Why an audit file cannot be used, or can be used no longer.
///
/// None of these passes by itself.
package enum AuditError: Error, Hashable, Sendable {
    /// It cannot be opened, made or read.
    case notOpened(SystemCallError)
    /// Standard output is closed, or not open for writing.
    case noStandardOutput
    /// It is a directory, a device, a pipe or a socket.
    case notRegular
    /// It belongs to another user.
    case foreignOwner(UInt32)
    /// It has further names, by which somebody else may have opened it.
    case severalNames(Int)
    /// Another daemon writes it.
    case inUse
    /// Another daemon keeps its state in the same directory.
    case stateInUse
    /// The line that starts at this offset, in bytes, is none that Penstock has written whole.
    case foreignLine(offset: Int)
    /// It was cut short, written to or removed by somebody else while we had it.
    case changedByOthers
    /// A closed file of this name may have been put there by somebody else.
    case foreignSegment(String)
    /// A closed file of this name cannot be decompressed.
    case damagedSegment(String)
    /// What was written may not have reached the disk, and cannot be told from what has.
    case notSynchronized(SystemCallError)
    /// The directory of the daemon's own state, or what the trail keeps there, cannot be used.
    case noState(SystemCallError)
    /// What the trail keeps there under this name cannot be used, or was put there by somebody else.
    case foreignState(String, StateFault)
    /// The key that signs the chain cannot be read, made or used.
    case noKey(String)
    /// The key that secrets are masked with cannot be read.
    case noMaskKey
    /// The writer's thread could not be started.
    case noThread(SystemCallError)
}

/// What is wrong with a file of the daemon's state.
package enum StateFault: Hashable, Sendable {
    /// It is a symbolic link.
    case link
    /// It is a directory, a device, a pipe or a socket.
    case notRegular
    /// It belongs to this user.
    case owner(UInt32)
    /// It has so many names.
    case names(Int)
    /// The daemon's user may not open it, or it cannot be read.
    case unreadable(SystemCallError)
}

extension StateFault: CustomStringConvertible {
    /// What goes on a sentence that begins with the file's name.
    package var description: String {
        switch self {
        case .link: "is a symbolic link, and none is followed: put the regular file itself there"
        case .notRegular: "is not a regular file: look who put it there, and remove it or put a regular file there"
        case .owner(let uid):
            "belongs to user \(uid), not to the daemon's: look who put it there, and chown it to the daemon's user"
        case .names(let count): "has \(count) names (hard links): look who made them, and remove the others"
        case .unreadable(let error): "cannot be read: \(error): the daemon's user must be able to read it (chmod 600)"
        }
    }
}

/// Makes calls on the file or its directory, whose failure is that the file cannot be used.
func onFiles<Value: ~Copyable>(
    _ calls: () throws(SystemCallError) -> Value
) throws(AuditError) -> Value {
    do throws(SystemCallError) {
        return try calls()
    } catch {
        throw .notOpened(error)
    }
}

extension AuditError: CustomStringConvertible {
    /// It is about what the daemon keeps for itself, and not about the audit file.
    package var isOfState: Bool {
        switch self {
        case .stateInUse, .noState, .foreignState, .noKey, .noMaskKey: true
        case .notOpened, .noStandardOutput, .notRegular, .foreignOwner, .severalNames, .inUse, .foreignLine,
            .changedByOthers, .foreignSegment, .damagedSegment, .notSynchronized, .noThread:
            false
        }
    }

    /// What is wrong, and what an operator can do about it.
    package var description: String {
        switch self {
        case .notOpened(let error) where error.isLink:
            "the audit file is a symbolic link, and none is followed: name the file itself, or remove the link"
        case .notOpened(let error):
            "the audit file cannot be opened: \(error): its directory must be there, and the daemon's user must be able to write to it"
        case .noStandardOutput:
            "standard output is closed, or not open for writing: give the daemon one that somebody collects, or name a file"
        case .notRegular: "the audit file is not a regular file: name another file"
        case .foreignOwner(let uid):
            "the audit file belongs to user \(uid), not to the daemon's: give it to the daemon, or name another file"
        case .severalNames(let count):
            "the audit file has \(count) names (hard links): remove the others, or name another file"
        case .inUse: "the audit file is in use by another daemon: stop it, or name another file"
        case .stateInUse:
            "state.path (where that is not said, the directory of audit.path; /var/lib/penstock where that is standard output) is in use by another daemon: stop it, or give this one a state.path of its own"
        case .foreignLine(let offset):
            "the line at byte \(offset) of the audit file was not written by Penstock: move the file away and keep it, then start again"
        case .changedByOthers:
            "the audit file was cut short, written to or removed by somebody else: move it away and keep it, then start again"
        case .foreignSegment(let name):
            "the closed audit file \(name) is no regular file of the daemon's user with one name: look who put it there, and move it away"
        case .damagedSegment(let name):
            "the closed audit file \(name) cannot be decompressed, it was cut short or changed: move it away and keep it"
        case .notSynchronized(let error):
            "records may not have reached the disk (\(error)): check the disk, then start again"
        case .noState(let error):
            "the daemon's state cannot be read or written: \(error): state.path, or where that is not said the directory of audit.path (/var/lib/penstock where that is standard output), must be a directory that the daemon's user may write to"
        case .noKey(let text):
            "the key that signs the audit trail cannot be used: \(text): put it back, or take it away and have another made"
        case .noMaskKey:
            "mask.key in state.path is not 64 hexadecimal digits: put it back, or remove it and have another made"
        case .foreignState(let name, let fault): "\(name) in state.path \(fault)"
        case .noThread(let error): "the audit writer's thread cannot be started: \(error)"
        }
    }
}
