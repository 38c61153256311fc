import CLinux
import Glibc
import NetworkTypes

/// What a connecting socket has come to.
package enum ConnectProgress: Sendable {
    case connected
    case inProgress
}

/// A socket that was accepted, and who is at its other end.
package struct AcceptedSocket: ~Copyable {
    package let descriptor: OwnedDescriptor
    package let peer: SocketAddress

    package consuming func takeDescriptor() -> OwnedDescriptor { descriptor }
}

/// Binds and listens.
///
/// The socket does not block; several sockets may share the port (`SO_REUSEPORT`) when all ask for it. A transparent one
/// also accepts what the kernel hands to it by TPROXY: the address of a socket that is accepted then is the one that the peer
/// connected to, whosever it is. Accepted sockets stay so without any capability. With `keepsFirstSegments` the header of each
/// connection's first segment is kept until somebody asks for it (`TCP_SAVE_SYN`).
///
/// - Throws: `EADDRINUSE` where somebody else holds the port; `EPERM` where it is to be transparent and neither CAP_NET_ADMIN
///   nor CAP_NET_RAW is there.
package func listeningSocket(
    on address: SocketAddress,
    backlog: Int32,
    sharedPort: Bool,
    isTransparent: Bool = false,
    keepsFirstSegments: Bool = false
) throws(SystemCallError) -> OwnedDescriptor {
    let socket = try streamSocket(family: address.address.family)
    if isTransparent { try makeTransparent(socket, address.address.family) }
    try setOption(socket.number, SOL_SOCKET, SO_REUSEADDR, 1)
    if sharedPort { try setOption(socket.number, SOL_SOCKET, SO_REUSEPORT, 1) }
    // One family a socket: a wildcard IPv6 listener would take IPv4 as well, under mapped addresses.
    if address.address.family == .ipv6 { try setOption(socket.number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    let number = socket.number
    // Before it listens: clients come at once.
    if keepsFirstSegments { try setOption(number, Int32(IPPROTO_TCP), TCP_SAVE_SYN, 1) }
    _ = try systemCall("bind") { unsafe address.withKernelAddress { unsafe bind(number, $0, $1) } }
    _ = try systemCall("listen") { listen(number, backlog) }
    return socket
}

/// Takes the next waiting connection; the new socket does not block.
///
/// - Throws: What the connection died of while it waited (`ECONNABORTED`), or `EMFILE` and its like.
package func acceptConnection(_ listener: borrowing OwnedDescriptor) throws(SystemCallError) -> AcceptedSocket? {
    let number = listener.number
    var peer: SocketAddress?
    let completion = try nonblockingCall("accept4") { () -> Int32 in
        let (result, address) = unsafe SocketAddress.filled { pointer, length in
            unsafe accept4(number, pointer, &length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
        }
        peer = address
        return result
    }
    guard case .done(let accepted) = completion else { return nil }
    let descriptor = OwnedDescriptor(adopting: accepted)
    guard let peer else { throw SystemCallError(call: "accept4", code: EAFNOSUPPORT) }
    return AcceptedSocket(descriptor: descriptor, peer: peer)
}

extension SystemCallError {
    /// True for what `acceptConnection` throws when the waiting connection has died, not the machine's means.
    package var concernsOneConnectionOnly: Bool {
        switch code {
        case ECONNABORTED, EPROTO, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, ENOPROTOOPT,
            EOPNOTSUPP:
            true
        default: false
        }
    }
}

extension SystemCallError {
    /// True where somebody else holds the port.
    package var isAddressInUse: Bool { code == EADDRINUSE }

    /// True where a capability is missing.
    package var isPermissionMissing: Bool { code == EPERM }

    /// True where the process or the machine has no descriptors or no memory left: what was asked for may be as it was.
    package var isForWantOfMeans: Bool { code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS }
}

/// A new TCP socket that does not block.
package func streamSocket(family: AddressFamily) throws(SystemCallError) -> OwnedDescriptor {
    let domain = family == .ipv4 ? AF_INET : AF_INET6
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    return OwnedDescriptor(adopting: try systemCall("socket") { socket(domain, kind, 0) })
}

/// Starts to connect.
package func startConnecting(
    _ socket: borrowing OwnedDescriptor,
    to address: SocketAddress
) throws(SystemCallError) -> ConnectProgress {
    if try connect(socket, to: address) == .connected { return .connected }
    // A peer on this node answers while the first call lasts, which cannot say so any more: the second does (connect(2)).
    return try connect(socket, to: address)
}

private func connect(
    _ socket: borrowing OwnedDescriptor,
    to address: SocketAddress
) throws(SystemCallError) -> ConnectProgress {
    let number = socket.number
    do throws(SystemCallError) {
        _ = try systemCall("connect") { unsafe address.withKernelAddress { unsafe connect(number, $0, $1) } }
        return .connected
    } catch {
        guard error.code == EINPROGRESS || error.code == EALREADY else { throw error }
        return .inProgress
    }
}

/// True while the connection exists: neither side has reset it, and it has not ended both ways.
package func isConnected(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) -> Bool {
    var state: UInt8 = 0
    var length = socklen_t(1)
    let number = socket.number
    // The first octet of struct tcp_info; 7 is TCP_CLOSE.
    _ = try systemCall("getsockopt") { unsafe getsockopt(number, Int32(IPPROTO_TCP), TCP_INFO, &state, &length) }
    return state != 7
}

/// How many octets were sent that the peer's side has not acknowledged (`SIOCOUTQ`).
package func octetsOnTheirWay(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) -> Int {
    var count: Int32 = 0
    let number = socket.number
    _ = try systemCall("ioctl") { unsafe clinux_octets_on_their_way(number, &count) }
    return Int(count)
}

/// Whether a byte waits to be read: 1, or 0 at the end of the stream; it is not taken.
package func peekAtByte(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) -> Completion<Int> {
    var byte: UInt8 = 0
    let number = socket.number
    return try nonblockingCall("recv") { unsafe recv(number, &byte, 1, Int32(MSG_PEEK)) }
}

/// Takes the error that a socket has met on its own (`SO_ERROR`); `nil` where there is none.
package func pendingError(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) -> SystemCallError? {
    var code: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    let number = socket.number
    _ = try systemCall("getsockopt") { unsafe getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) }
    return code == 0 ? nil : SystemCallError(call: "connect", code: code)
}

/// The address that a socket is bound to.
package func localAddress(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) -> SocketAddress? {
    let number = socket.number
    var address: SocketAddress?
    _ = try systemCall("getsockname") { () -> Int32 in
        let (result, filled) = unsafe SocketAddress.filled { unsafe getsockname(number, $0, &$1) }
        address = filled
        return result
    }
    return address
}

/// Where a redirected connection was going: `SO_ORIGINAL_DST` for IPv4, `IP6T_SO_ORIGINAL_DST` for IPv6.
///
/// - Throws: `ENOENT` where the kernel redirected no such connection.
package func originalDestination(
    _ socket: borrowing OwnedDescriptor,
    family: AddressFamily
) throws(SystemCallError) -> SocketAddress? {
    // Both options are number 80 at the level of their family (linux/netfilter_ipv4.h, netfilter_ipv6/ip6_tables.h).
    let option: Int32 = 80
    let level = family == .ipv4 ? Int32(IPPROTO_IP) : Int32(IPPROTO_IPV6)
    let number = socket.number
    var address: SocketAddress?
    _ = try systemCall("getsockopt") { () -> Int32 in
        let (result, filled) = unsafe SocketAddress.filled { unsafe getsockopt(number, level, option, $0, &$1) }
        address = filled
        return result
    }
    return address
}

/// The headers of IP and TCP with which an accepted connection began, as they came (`TCP_SAVED_SYN`); they can be asked for once.
///
/// - Returns: none where the kernel kept none.
package func firstSegment(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) -> [UInt8] {
    let number = socket.number
    var failure: SystemCallError?
    let headers = unsafe [UInt8](unsafeUninitializedCapacity: 256) { buffer, filled in
        var length = socklen_t(buffer.count)
        do throws(SystemCallError) {
            _ = try systemCall("getsockopt") {
                unsafe getsockopt(number, Int32(IPPROTO_TCP), TCP_SAVED_SYN, buffer.baseAddress, &length)
            }
            filled = Int(length)
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return headers
}

/// Sends small pieces at once.
///
/// Sockets accepted from a listener have its setting.
package func sendWithoutDelay(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) {
    try setOption(socket.number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
}

/// Lets the last step of connecting travel with the first bytes, for a socket that sends as soon as it is connected.
///
/// A peer that speaks first would wait for that step: 200 ms, after which the kernel takes it alone.
package func connectWithFirstBytes(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) {
    try setOption(socket.number, Int32(IPPROTO_TCP), TCP_QUICKACK, 0)
}

/// Finds out about peers that are gone: after a minute of silence the kernel asks.
///
/// Sockets accepted from a listener have its setting.
package func probeSilentPeers(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) {
    try setOption(socket.number, SOL_SOCKET, SO_KEEPALIVE, 1)
    try setOption(socket.number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
    try setOption(socket.number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
    try setOption(socket.number, Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
}

/// Makes the next close answer the peer with a reset and throw away what was not sent.
package func resetOnClose(_ socket: borrowing OwnedDescriptor) {
    var setting = linger(l_onoff: 1, l_linger: 0)
    // A socket that refuses this is closed in the ordinary way: nothing of the peer's has been passed on in either case.
    _ = unsafe setsockopt(
        socket.number,
        SOL_SOCKET,
        SO_LINGER,
        &setting,
        socklen_t(MemoryLayout<linger>.size)
    )
}

/// Says that nothing more will be sent.
package func shutdownSending(_ socket: borrowing OwnedDescriptor) throws(SystemCallError) {
    try shutdownSending(socket.number)
}

/// Ends the sending side of a socket that somebody else owns.
package func shutdownSending(_ number: Int32) throws(SystemCallError) {
    _ = try systemCall("shutdown") { shutdown(number, Int32(SHUT_WR)) }
}

/// `IP_TRANSPARENT` and `IPV6_TRANSPARENT` (linux/in.h, linux/in6.h).
private func makeTransparent(_ socket: borrowing OwnedDescriptor, _ family: AddressFamily) throws(SystemCallError) {
    switch family {
    case .ipv4: try setOption(socket.number, Int32(IPPROTO_IP), 19, 1)
    case .ipv6: try setOption(socket.number, Int32(IPPROTO_IPV6), 75, 1)
    }
}

func setOption(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws(SystemCallError) {
    var value = value
    _ = try systemCall("setsockopt") {
        unsafe setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
