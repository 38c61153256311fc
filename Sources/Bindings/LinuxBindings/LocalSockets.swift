import CLinux
import Glibc

/// Who is at the other end of a Unix socket, as the kernel noted it when they connected.
package struct PeerCredentials: Hashable, Sendable {
    package let process: Int32
    package let user: UInt32
    package let group: UInt32
}

/// Binds a Unix stream socket to a path, with mode 0600, and listens; it does not block.
///
/// - Throws: `EADDRINUSE` where there is a file of that name, `ENAMETOOLONG` for a path of more than 107 octets.
package func localListeningSocket(at path: String, backlog: Int32) throws(SystemCallError) -> OwnedDescriptor {
    let socket = try localSocket()
    let number = socket.number
    // Before it has a name: what is bound takes its mode from the socket.
    _ = try systemCall("fchmod") { fchmod(number, 0o600) }
    try unsafe named("bind", path) { unsafe bind(number, $0, $1) }
    _ = try systemCall("listen") { listen(number, backlog) }
    return socket
}

/// Connects to a Unix stream socket; the new socket does not block.
///
/// - Throws: `ECONNREFUSED` where nobody listens, `EAGAIN` where too many wait.
package func connectLocally(to path: String) throws(SystemCallError) -> OwnedDescriptor {
    let socket = try localSocket()
    let number = socket.number
    try unsafe named("connect", path) { unsafe connect(number, $0, $1) }
    return socket
}

/// Takes the next waiting connection of a Unix socket; nil where none waits.
package func acceptLocally(_ listener: borrowing OwnedDescriptor) throws(SystemCallError) -> OwnedDescriptor? {
    let number = listener.number
    let completion = try nonblockingCall("accept4") {
        accept4(number, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
    }
    guard case .done(let accepted) = completion else { return nil }
    return OwnedDescriptor(adopting: accepted)
}

/// Who connected (`SO_PEERCRED`).
package func peerCredentials(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) -> PeerCredentials {
    var credentials = clinux_credentials()
    var length = socklen_t(MemoryLayout<clinux_credentials>.size)
    let number = socket.number
    _ = try systemCall("getsockopt") { unsafe getsockopt(number, SOL_SOCKET, SO_PEERCRED, &credentials, &length) }
    return PeerCredentials(process: credentials.pid, user: credentials.uid, group: credentials.gid)
}

extension SystemCallError {
    /// True where nobody listens.
    package var isRefused: Bool { code == ECONNREFUSED }

    /// True where this network namespace has no such address or no such family.
    package var isFamilyMissing: Bool { code == EADDRNOTAVAIL || code == EAFNOSUPPORT }

    /// True where there is no way to the address.
    package var isUnreachable: Bool {
        [ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, ENETDOWN].contains(code)
    }

    /// True where the caller may not.
    package var isNotPermitted: Bool { code == EPERM || code == EACCES }
}

private func localSocket() throws(SystemCallError) -> OwnedDescriptor {
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    return OwnedDescriptor(adopting: try systemCall("socket") { socket(AF_UNIX, kind, 0) })
}

/// Calls `body` with the address of a path as the kernel reads it.
private func named(
    _ call: StaticString,
    _ path: String,
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
) throws(SystemCallError) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    // The path ends with a zero octet.
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.isEmpty, !bytes.contains(0) else {
        throw SystemCallError(call: call.description, code: ENAMETOOLONG)
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    _ = try systemCall(call) {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
