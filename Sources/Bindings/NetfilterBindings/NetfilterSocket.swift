import CNetfilter
import Glibc

/// A netlink socket to the kernel's packet filter, of the network namespace in which it was opened.
///
/// Reading needs `CAP_NET_ADMIN` as much as changing does.
@safe package struct NetfilterSocket: ~Copyable {
    private let socket: OpaquePointer
    private var sequence: UInt32 = 1

    /// Opens the socket.
    ///
    /// An answer that does not come within five seconds is a failure.
    package init() throws(NetfilterError) {
        unsafe socket = try Self.open()
    }

    deinit {
        _ = unsafe mnl_socket_close(socket)
    }

    private static func open() throws(NetfilterError) -> OpaquePointer {
        guard let socket = unsafe mnl_socket_open2(NETLINK_NETFILTER, Int32(SOCK_CLOEXEC.rawValue)) else {
            throw .socket(call: "socket", code: errno)
        }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        guard unsafe mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0,
            unsafe setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &limit, size) == 0
        else {
            let code = errno
            _ = unsafe mnl_socket_close(socket)
            throw .socket(call: "bind", code: code)
        }
        return unsafe socket
    }

    /// Applies all the changes, or none.
    ///
    /// With `rehearse` the kernel checks them all and then forgets them.
    package mutating func commit(_ changes: [NetfilterChange], rehearse: Bool = false) throws(NetfilterError) {
        var batch = MessageBatch(firstSequence: sequence)
        for change in changes { try batch.append(change) }
        // Without the closing message the kernel gives up what it has checked.
        if !rehearse { batch.close() }
        sequence = batch.nextSequence
        try send(batch.bytes)
        try awaitOutcome(first: batch.firstSequence, messages: batch.messages)
    }

    /// Reads the errors of a batch up to the acknowledgement of its last change.
    private func awaitOutcome(first: UInt32, messages: [MessageBatch.Message]) throws(NetfilterError) {
        while true {
            let buffer = try receive()
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

    /// Asks for a dump and hands every message of the answer to `read`, from the start again where the tables changed.
    mutating func dump<Item>(
        _ question: (UInt32) -> [UInt8],
        _ read: (UnsafePointer<nlmsghdr>) -> Item?
    ) throws(NetfilterError) -> [Item] {
        for _ in 0..<20 {
            sequence &+= 1
            try send(question(sequence))
            if let items = try unsafe readDump(read) { return items }
        }
        throw .restless
    }

    /// One pass of a dump; `nil` where the kernel says that it was interrupted by a change.
    private func readDump<Item>(_ read: (UnsafePointer<nlmsghdr>) -> Item?) throws(NetfilterError) -> [Item]? {
        var items: [Item] = []
        var interrupted = false
        while true {
            let buffer = try receive()
            for message in Messages(buffer) where message.sequence == sequence {
                if message.isInterrupted { interrupted = true }
                switch message.type {
                case NLMSG_DONE:
                    return interrupted ? nil : items
                case NLMSG_ERROR:
                    guard let code = message.errorCode else { throw .malformedAnswer }
                    throw .unreadable(code: code)
                default:
                    guard let item = unsafe message.withHeader(read) else { throw .malformedAnswer }
                    items.append(item)
                }
            }
        }
    }

    private func send(_ bytes: [UInt8]) throws(NetfilterError) {
        // The batch is one datagram: room for it, where we may ask for more than the usual limit.
        var room = Int32(clamping: bytes.count * 2 + 65536)
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE, &room, size)
        let sent = unsafe bytes.withUnsafeBytes { unsafe mnl_socket_sendto(socket, $0.baseAddress, $0.count) }
        guard sent == bytes.count else { throw .socket(call: "sendto", code: errno) }
    }

    private func receive() throws(NetfilterError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe mnl_socket_recvfrom(socket, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .socket(call: "recvfrom", code: errno) }
            buffer.removeLast(buffer.count - count)
            return buffer
        }
    }
}
