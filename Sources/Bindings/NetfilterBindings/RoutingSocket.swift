import CNetfilter
import Glibc
import NetworkTypes

/// A netlink socket to the kernel's routing, of the network namespace in which it was opened.
///
/// Anybody may read; changing needs `CAP_NET_ADMIN`.
package struct RoutingSocket: ~Copyable {
    private var netlink: NetlinkSocket

    /// Opens the socket.
    ///
    /// An answer that does not come within five seconds is a failure.
    package init() throws(NetfilterError) {
        netlink = try NetlinkSocket(NETLINK_ROUTE)
        // Kernels that lack one of these say less, or answer with more than was asked for.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK] { _ = netlink.turnOn(UInt32(option)) }
    }

    /// The rules of a family, in the order in which they are asked.
    package mutating func rules(_ family: AddressFamily) throws(NetfilterError) -> [PolicyRule] {
        let rules = try netlink.dump({ PolicyRule.question(family, sequence: $0) }, PolicyRule.read)
        return rules.compactMap { $0 }.filter { $0.family == family }
    }

    /// The routes of a table; none where there is no such table.
    package mutating func routes(_ family: AddressFamily, table: UInt32) throws(NetfilterError) -> [TableRoute] {
        do throws(NetfilterError) {
            let question = { (sequence: UInt32) in
                TableRoute.question(family, table: table, sequence: sequence)
            }
            return try netlink.dump(question, TableRoute.read).compactMap { $0 }
                .filter { $0.family == family && $0.table == table }
        } catch {
            guard error == .unreadable(code: ENOENT) else { throw error }
            return []
        }
    }

    /// Makes one change.
    package mutating func apply(_ change: RoutingChange) throws(RoutingError) {
        netlink.sequence &+= 1
        let refusal: (code: Int32, words: String)?
        do throws(NetfilterError) {
            try netlink.send(change.message(sequence: netlink.sequence))
            refusal = try self.refusal()
        } catch { throw .netlink(error) }
        if let refusal { throw .refused(change, code: refusal.code, words: refusal.words) }
    }

    /// The kernel's answer to the last request; `nil` where it did what it was asked for.
    private func refusal() throws(NetfilterError) -> (code: Int32, words: String)? {
        while true {
            let buffer = try netlink.receive()
            for message in Messages(buffer) where message.sequence == netlink.sequence {
                guard message.type == NLMSG_ERROR, let code = message.errorCode else { throw .malformedAnswer }
                return code == 0 ? nil : (code, message.words)
            }
        }
    }
}
