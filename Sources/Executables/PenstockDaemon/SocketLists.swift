import LinuxBindings

/// How many sockets of either family the control loop looks through: whoever opens more is told of, and not waited for.
let socketLimit = 20_000

extension SocketListProblem {
    /// What cannot be known, of sockets that are named so: one line.
    func text(_ sockets: String) -> String {
        switch self {
        case .tooMany(let count): "more than \(count) \(sockets): too many to be looked through"
        case .unanswered(let error): "the kernel does not list \(sockets): \(error)"
        }
    }

    /// What to do about it.
    var remedy: String {
        switch self {
        case .tooMany: "find out who opens them: ss -ltxnp"
        case .unanswered:
            "the kernel needs INET_DIAG and UNIX_DIAG (modules tcp_diag, unix_diag), and the daemon netlink sockets and descriptors"
        }
    }
}

/// Who listens on a port, for a message: `, held by UID 0`, nothing where nobody is known, or why nobody can be.
func holders(ofPort port: UInt16) -> String {
    do throws(SocketListProblem) {
        let users = Set(try tcpSockets(.listening, ports: [port], limit: socketLimit).map(\.user)).sorted()
        return users.isEmpty ? "" : ", held by UID \(users.map(String.init).joined(separator: ", "))"
    } catch { return ", and who holds it is not known (\(error.text("listening sockets")))" }
}
