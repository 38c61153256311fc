import CLinux
import Glibc

/// Why sockets of this network namespace could not be listed.
package enum SocketListProblem: Error, Hashable, Sendable {
    /// There are more than were to be looked at: so many.
    case tooMany(Int)
    /// The kernel does not tell.
    case unanswered(SystemCallError)
}

/// The names of the Unix sockets of this network namespace that listen without a path, with an `@` for each NUL, as /proc/net/unix
/// has them.
///
/// At most `limit` listening sockets are looked at, those with a path among them.
package func abstractListeners(limit: Int) throws(SocketListProblem) -> [String] {
    var request = NetlinkRequest(type: 20, isDump: true)  // SOCK_DIAG_BY_FAMILY
    request.append(UInt16(AF_UNIX))
    request.append(UInt16(0))
    request.append(UInt32(1 << 10))  // TCP_LISTEN
    request.append(UInt32(0))
    request.append(UInt32(1))  // UDIAG_SHOW_NAME
    request.append(~UInt64(0))
    return try readSockets(request, limit: limit) { abstractName(answer: $0) }
}

/// The name in an answer of the kernel's (`struct unix_diag_msg`, then attributes), where it begins with NUL.
package func abstractName(answer: ArraySlice<UInt8>) -> String? {
    var rest = answer.dropFirst(32)
    while rest.count >= 4 {
        let length = Int(rest.native16(at: 0))
        guard length >= 4, length <= rest.count else { return nil }
        let value = rest.prefix(length).dropFirst(4)
        if rest.native16(at: 2) == 0 {  // UNIX_DIAG_NAME
            guard value.first == 0 else { return nil }
            return String(decoding: value.map { $0 == 0 ? UInt8(ascii: "@") : $0 }, as: UTF8.self)
        }
        rest = rest.dropFirst((length + 3) & ~3)
    }
    return nil
}

/// What `read` makes of each socket of a list, without those of which it makes nothing.
///
/// The list has a netlink socket of its own: what is not read to the end is closed.
func readSockets<Row>(
    _ request: NetlinkRequest,
    limit: Int,
    _ read: (ArraySlice<UInt8>) throws(SystemCallError) -> Row?
) throws(SocketListProblem) -> [Row] {
    var problem = SocketListProblem.tooMany(limit)
    let taken: (rows: [Row], count: Int)?
    do throws(SystemCallError) {
        let socket = try netlinkSocket(protocol: 4)  // NETLINK_SOCK_DIAG
        var sequence: UInt32 = 0
        taken = try readList(socket, request, sequence: &sequence, from: ([], 0)) { taken, part in
            guard taken.count < limit else { return false }
            taken.count += 1
            do throws(SystemCallError) {
                if let row = try read(part) { taken.rows.append(row) }
                return true
            } catch {
                problem = .unanswered(error)
                return false
            }
        }
    } catch { throw .unanswered(error) }
    guard let taken else { throw problem }
    return taken.rows
}
