import CNetfilter
import Glibc

/// A netlink socket of the network namespace in which it was opened.
///
/// It numbers the requests, and waits for answers no longer than five seconds.
@safe struct NetlinkSocket: ~Copyable {
    private let socket: OpaquePointer
    /// The number of the last request.
    var sequence: UInt32 = 1

    /// Opens a socket to one of the kernel's subsystems (`NETLINK_…`).
    init(_ subsystem: Int32) throws(NetfilterError) {
        unsafe socket = try Self.open(subsystem)
    }

    deinit {
        _ = unsafe mnl_socket_close(socket)
    }

    private static func open(_ subsystem: Int32) throws(NetfilterError) -> OpaquePointer {
        guard let socket = unsafe mnl_socket_open2(subsystem, Int32(SOCK_CLOEXEC.rawValue)) else {
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

    /// Turns an option of netlink on (`NETLINK_…`); false where this kernel does not know it.
    func turnOn(_ option: UInt32) -> Bool {
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe mnl_socket_setsockopt(socket, Int32(option), &one, size) == 0
    }

    /// Sends one datagram.
    func send(_ bytes: [UInt8]) throws(NetfilterError) {
        // The batch is one datagram: room for it, where we may ask for more than the usual limit.
        var room = Int32(clamping: bytes.count * 2 + 65536)
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_SNDBUFFORCE, &room, size)
        let sent = unsafe bytes.withUnsafeBytes { unsafe mnl_socket_sendto(socket, $0.baseAddress, $0.count) }
        guard sent == bytes.count else { throw .socket(call: "sendto", code: errno) }
    }

    /// Takes one datagram.
    func receive() throws(NetfilterError) -> [UInt8] {
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

    /// Asks for a dump and hands every message of the answer to `read`, from the start again where things changed meanwhile.
    mutating func dump<Item>(_ question: (UInt32) -> [UInt8], _ read: (Message) -> Item?) throws(NetfilterError)
        -> [Item]
    {
        for _ in 0..<20 {
            sequence &+= 1
            try send(question(sequence))
            if let items = try readDump(read) { return items }
        }
        throw .restless
    }

    /// One pass of a dump; `nil` where the kernel says that it was interrupted by a change.
    private func readDump<Item>(_ read: (Message) -> Item?) throws(NetfilterError) -> [Item]? {
        var items: [Item] = []
        var interrupted = false
        while true {
            let buffer = try receive()
            for message in Messages(buffer) where message.sequence == sequence {
                if message.isInterrupted { interrupted = true }
                switch message.type {
                case NLMSG_DONE:
                    // A dump that failed on its way says so at its end.
                    if let code = message.errorCode, code > 0 { throw .unreadable(code: code) }
                    return interrupted ? nil : items
                case NLMSG_ERROR:
                    guard let code = message.errorCode else { throw .malformedAnswer }
                    throw .unreadable(code: code)
                default:
                    guard let item = read(message) else { throw .malformedAnswer }
                    items.append(item)
                }
            }
        }
    }
}
