import CLinux
import Glibc
import NetworkTypes

extension SocketAddress {
    /// Calls `body` with the address as the kernel reads it.
    func withKernelAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch address {
        case .v4(let v4):
            var raw = sockaddr_in()
            raw.sin_family = sa_family_t(AF_INET)
            raw.sin_port = port.bigEndian
            raw.sin_addr.s_addr = v4.bits.bigEndian
            return unsafe withUnsafePointer(to: &raw) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .v6(let v6):
            var raw = sockaddr_in6()
            raw.sin6_family = sa_family_t(AF_INET6)
            raw.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &raw.sin6_addr) { unsafe $0.copyBytes(from: v6.octets) }
            return unsafe withUnsafePointer(to: &raw) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    unsafe body(pointer, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    /// Reads an address that `body` fills in; `nil` where the family is neither IPv4 nor IPv6.
    ///
    /// An IPv4-mapped address of an IPv6 socket stays what the kernel says it is.
    static func filled<Result>(
        by body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Result
    ) -> (Result, SocketAddress?) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            let result = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, &length) }
            return (result, unsafe SocketAddress(kernel: pointer))
        }
    }

    private init?(kernel pointer: UnsafeMutablePointer<sockaddr_storage>) {
        switch unsafe Int32(pointer.pointee.ss_family) {
        case AF_INET:
            let raw = unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe $0.pointee }
            self.init(
                .v4(IPv4Address(bits: UInt32(bigEndian: raw.sin_addr.s_addr))),
                port: UInt16(bigEndian: raw.sin_port)
            )
        case AF_INET6:
            var raw = unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { unsafe $0.pointee }
            let words = unsafe withUnsafeBytes(of: &raw.sin6_addr) {
                unsafe ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            self.init(
                .v6(IPv6Address(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))),
                port: UInt16(bigEndian: raw.sin6_port)
            )
        default:
            return nil
        }
    }
}
