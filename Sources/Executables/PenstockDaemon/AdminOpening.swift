import LinuxBindings
import OperatorEndpoints

/// Where the admin socket is to be, and who may use it.
struct AdminPlan: Hashable, Sendable {
    var path: String
    /// The configuration names it: without it the daemon does not start.
    var isNeeded: Bool
    var peers: Set<AdminPeer>
}

/// What became of the admin socket.
enum AdminOpening: Hashable, Sendable {
    /// The number of the socket that listens.
    case open(Int32)
    case unavailable(String)

    /// Opens it; where it cannot be opened and the configuration does not name it, the daemon goes on without.
    init(_ plan: AdminPlan) throws(Complaint) {
        do throws(AdminProblem) {
            self = .open(try Self.listen(plan.path).release())
        } catch {
            let text = "listen.admin: \(plan.path): \(error.text)"
            guard !plan.isNeeded else { throw Complaint(text, .unavailable) }
            self = .unavailable(text)
        }
    }

    private struct AdminProblem: Error {
        var text: String

        init(_ text: String) { self.text = text }
        init(_ error: SystemCallError) { text = "\(error)" }
    }

    private static func listen(_ path: String) throws(AdminProblem) -> OwnedDescriptor {
        let owner = effectiveIdentity().user
        guard owner != 0 else { throw AdminProblem("the daemon runs as root, and this socket is never root's") }
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw AdminProblem("it needs a directory of its own")
        }
        let name = String(path[path.index(after: slash)...])
        do throws(SystemCallError) {
            let folder = try open(String(path[..<slash]))
            let status = try fileStatus(folder)
            guard status.owner == owner, status.permissions & 0o022 == 0 else {
                throw SystemCallError.foreignDirectory
            }
            try removeStale(name, path, below: folder, owner: owner)
            return try localListeningSocket(at: path, backlog: 16)
        } catch {
            guard error != .foreignDirectory else {
                throw AdminProblem(
                    "its directory belongs to another user, or others may write to it: let the daemon make one (0700)"
                )
            }
            throw AdminProblem(error.isAddressInUse ? "somebody else has it: another daemon?" : "\(error)")
        }
    }

    /// Opens the directory, and makes it where it is missing.
    private static func open(_ folder: String) throws(SystemCallError) -> OwnedDescriptor {
        do throws(SystemCallError) {
            try makeDirectory(folder, mode: 0o700)
        } catch {
            // One that is there is looked at; one that cannot be made is missed by the next call.
        }
        return try openFile(folder, [.readOnly, .directory, .noFollow])
    }

    /// Removes the socket that a daemon left which was killed; one that somebody listens on stays.
    private static func removeStale(
        _ name: String,
        _ path: String,
        below folder: borrowing OwnedDescriptor,
        owner: UInt32
    ) throws(SystemCallError) {
        guard let left = try fileStatus(below: folder, name), left.isSocket, left.owner == owner else { return }
        do throws(SystemCallError) {
            _ = try connectLocally(to: path)
        } catch {
            guard error.isRefused else { throw error }
            try removeFile(below: folder, name)
        }
    }
}

extension SystemCallError {
    /// No error of the kernel's: the directory is not one of ours alone.
    fileprivate static let foreignDirectory = SystemCallError(call: "directory", code: 0)
}
