import CNetfilter
import Glibc
import NetworkTypes

/// What became of a TCP connection that was begun and at once given up.
package enum ConnectAttempt: Hashable, Sendable {
    /// The first packet was handed to the kernel's output path.
    case sent
    /// There is no way to such an address, or no such family, on this machine.
    case noRoute
    /// The kernel refused to send: `errno`.
    case refused(code: Int32)

    /// Begins a connection without waiting for it, and closes it.
    package init(to target: SocketAddress) {
        let family = target.address.family == .ipv4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(family, type, 0)
        guard number >= 0 else {
            self = .init(errno)
            return
        }
        let code = Self.connect(number, target)
        _ = Glibc.close(number)
        self = .init(code)
    }

    private init(_ code: Int32) {
        switch code {
        // The daemon may be listening already, or its port may have refused already: either way the packet went.
        case 0, EINPROGRESS, ECONNREFUSED, ECONNRESET: self = .sent
        case ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT, ENETDOWN: self = .noRoute
        default: self = .refused(code: code)
        }
    }

    /// The `errno` of the call, 0 for success.
    private static func connect(_ number: Int32, _ target: SocketAddress) -> Int32 {
        let result: Int32
        switch target.address {
        case .v4(let address):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = target.port.bigEndian
            name.sin_addr.s_addr = address.bits.bigEndian
            result = unsafe withUnsafePointer(to: &name) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .v6(let address):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = target.port.bigEndian
            unsafe withUnsafeMutableBytes(of: &name.sin6_addr) { unsafe $0.copyBytes(from: address.octets) }
            result = unsafe withUnsafePointer(to: &name) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        return result == 0 ? 0 : errno
    }
}
