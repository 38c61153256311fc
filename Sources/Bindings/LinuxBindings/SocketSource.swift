import CLinux
import Glibc
import NetworkTypes

/// Where the connections of a socket come from, and what the kernel knows them by.
package struct SocketSource: Hashable, Sendable {
    /// At most one of a family; with any, no other family is used.
    package var addresses: [IPAddress]
    /// Whatever routes say otherwise.
    package var interface: String?
    /// `SO_MARK`, which takes CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17.
    package var mark: UInt32?

    package init(addresses: [IPAddress] = [], interface: String? = nil, mark: UInt32? = nil) {
        self.addresses = addresses
        self.interface = interface
        self.mark = mark
    }

    /// True where connections of the family may come from here.
    package func has(_ family: AddressFamily) -> Bool {
        addresses.isEmpty || addresses.contains { $0.family == family }
    }

    /// Binds a socket that is about to connect, with `toFreePort` to a port that nobody has.
    ///
    /// - Throws: `EADDRNOTAVAIL` for an address that is not this machine's, `ENODEV` for an interface that is not there,
    ///   `EPERM` without the capability.
    package func bind(_ socket: borrowing OwnedDescriptor, _ family: AddressFamily, toFreePort: Bool = false)
        throws(SystemCallError)
    {
        let number = socket.number
        if let mark { try setOption(number, SOL_SOCKET, SO_MARK, Int32(bitPattern: mark)) }
        if let interface {
            _ = try systemCall("setsockopt") {
                unsafe interface.withCString { name in
                    unsafe setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, name, socklen_t(interface.utf8.count + 1))
                }
            }
        }
        guard let address = addresses.first(where: { $0.family == family }) else {
            if toFreePort { try bindToFreePort(socket, family) }
            return
        }
        // The port is chosen when it connects, so that one may serve several destinations: only a convenience.
        if !toFreePort { try? setOption(number, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1) }
        let place = SocketAddress(address, port: 0)
        _ = try systemCall("bind") { unsafe place.withKernelAddress { unsafe Glibc.bind(number, $0, $1) } }
    }
}

extension SystemCallError {
    /// True where a socket could not be bound to what a source says: nobody was asked for anything.
    package func isOf(_ source: SocketSource) -> Bool {
        switch call {
        case "bind": !source.addresses.isEmpty
        case "setsockopt": source.interface != nil || source.mark != nil
        default: false
        }
    }
}

/// Binds a socket that is about to connect to a port that nobody has, of the kernel's choice and not the next in its order.
package func bindToFreePort(_ socket: borrowing OwnedDescriptor, _ family: AddressFamily) throws(SystemCallError) {
    let number = socket.number
    let any: IPAddress = family == .ipv4 ? .v4(IPv4Address(0, 0, 0, 0)) : .v6(IPv6Address(high: 0, low: 0))
    let place = SocketAddress(any, port: 0)
    _ = try systemCall("bind") { unsafe place.withKernelAddress { unsafe Glibc.bind(number, $0, $1) } }
}

/// Tries to mark a socket of no use.
///
/// - Throws: `EPERM` without the capability.
package func tryMarking() throws(SystemCallError) {
    let socket = try streamSocket(family: .ipv4)
    try SocketSource(mark: 1).bind(socket, .ipv4)
}
