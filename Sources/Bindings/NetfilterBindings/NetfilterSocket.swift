import CNetfilter

/// A netlink socket to the kernel's packet filter, of the network namespace in which it was opened.
///
/// Reading needs `CAP_NET_ADMIN` as much as changing does.
package struct NetfilterSocket: ~Copyable {
    private var netlink: NetlinkSocket

    /// Opens the socket.
    ///
    /// An answer that does not come within five seconds is a failure.
    package init() throws(NetfilterError) {
        netlink = try NetlinkSocket(NETLINK_NETFILTER)
    }

    /// Applies all the changes, or none.
    ///
    /// With `rehearse` the kernel checks them all and then forgets them.
    package mutating func commit(_ changes: [NetfilterChange], rehearse: Bool = false) throws(NetfilterError) {
        var batch = MessageBatch(firstSequence: netlink.sequence)
        for change in changes { try batch.append(change) }
        // Without the closing message the kernel gives up what it has checked.
        if !rehearse { batch.close() }
        netlink.sequence = batch.nextSequence
        try netlink.send(batch.bytes)
        try awaitOutcome(first: batch.firstSequence, messages: batch.messages)
    }

    /// Reads the errors of a batch up to the acknowledgement of its last change.
    private func awaitOutcome(first: UInt32, messages: [MessageBatch.Message]) throws(NetfilterError) {
        while true {
            let buffer = try netlink.receive()
            for message in Messages(buffer) {
                // A batch before this one may have been refused for more than one change: its answers still come.
                guard message.sequence &- first < UInt32.max / 2 else { continue }
                guard message.type == NLMSG_ERROR, let code = message.errorCode else { continue }
                let sent = messages.first { $0.sequence == message.sequence }
                guard code == 0 else { throw .refused(change: sent?.change, code: code) }
                if message.sequence == messages.last?.sequence { return }
            }
        }
    }

    /// Asks for a dump and hands every message of the answer to `read`.
    mutating func dump<Item>(
        _ question: (UInt32) -> [UInt8],
        _ read: (UnsafePointer<nlmsghdr>) -> Item?
    ) throws(NetfilterError) -> [Item] {
        try netlink.dump(question) { message in unsafe message.withHeader(read) }
    }
}
