import CLinux
import Glibc
import NetworkTypes

/// A TCP socket of this network namespace, as the kernel lists it (`struct inet_diag_msg`).
package struct TCPSocket: Hashable, Sendable {
    /// The states that are asked for: the others hold as many sockets as an agent likes.
    package enum State: Sendable {
        /// A client whose first packet has not been answered (SYN_SENT).
        case opening
        /// A handshake that a listener has begun (SYN_RECV): there is no socket yet, so it has neither an owner nor a number.
        case halfOpen
        case listening
    }

    /// The own end; a socket of the IPv6 family shows IPv4 addresses as mapped ones.
    package var local: SocketAddress
    /// The other end.
    package var remote: SocketAddress
    /// The UID of whom it belongs to.
    package var user: UInt32
    /// The number of the socket, as `fstat` has it.
    package var inode: UInt64

    /// Reads an answer of the kernel's with its header; `nil` for what is none.
    package init?(answer: ArraySlice<UInt8>) {
        // The header has 16 octets, then: family and state, at 4 ports and addresses, at 64 UID and number.
        guard answer.count >= 88 else { return nil }
        let octets = Array(answer.prefix(88))
        let port = { (place: Int) in UInt16(octets[place]) << 8 | UInt16(octets[place + 1]) }
        guard let own = Self.address(octets[24...], family: octets[16]),
            let other = Self.address(octets[40...], family: octets[16])
        else { return nil }
        local = SocketAddress(own, port: port(20))
        remote = SocketAddress(other, port: port(22))
        user = octets.native32(at: 80)
        inode = UInt64(octets.native32(at: 84))
    }

    private static func address(_ octets: ArraySlice<UInt8>, family: UInt8) -> IPAddress? {
        switch Int32(family) {
        case AF_INET: .v4(IPv4Address(bits: octets.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }))
        case AF_INET6: IPv6Address(octets: octets.prefix(16)).map { .v6($0) }
        default: nil
        }
    }
}

extension TCPSocket.State {
    /// The bits of the kernel's states that belong to it.
    fileprivate var mask: UInt32 {
        switch self {
        case .opening: 1 << 2
        // A handshake is TCP_NEW_SYN_RECV inside of the kernel, which older ones have to be asked for.
        case .halfOpen: 1 << 3 | 1 << 12
        case .listening: 1 << 10
        }
    }
}

/// The TCP sockets of this network namespace in a state, of those with these own ports if any are named, that are `wanted`.
///
/// The kernel goes by state and ports itself: what is in other states costs next to nothing. At most `limit` sockets of
/// either family are looked at. It needs no capability.
package func tcpSockets(
    _ state: TCPSocket.State,
    ports: Set<UInt16>? = nil,
    limit: Int,
    where wanted: (TCPSocket) -> Bool = { _ in true }
) throws(SocketListProblem) -> [TCPSocket] {
    var sockets: [TCPSocket] = []
    for family in [AF_INET, AF_INET6] {
        sockets += try readSockets(listRequest(family, state, ports), limit: limit) {
            answer throws(SystemCallError) -> TCPSocket? in
            guard let socket = TCPSocket(answer: answer) else {
                throw SystemCallError(call: "sock_diag", code: EBADMSG)
            }
            return wanted(socket) ? socket : nil
        }
    }
    return sockets
}

private func listRequest(_ family: Int32, _ state: TCPSocket.State, _ ports: Set<UInt16>?) -> NetlinkRequest {
    var request = NetlinkRequest(type: 20, isDump: true)  // SOCK_DIAG_BY_FAMILY
    request.append(UInt8(family))
    request.append(UInt8(IPPROTO_TCP))
    request.append(UInt16(0))
    request.append(state.mask)
    request.append([UInt8](repeating: 0, count: 40))
    request.append(~UInt64(0))  // INET_DIAG_NOCOOKIE
    if let ports {
        let filter = portFilter(ports.sorted())
        request.append(UInt16(4 + filter.count))
        request.append(UInt16(1))  // INET_DIAG_REQ_BYTECODE
        request.append(filter)
    }
    return request
}

/// A program for the kernel (`struct inet_diag_bc_op`) that takes sockets whose own port is one of these.
///
/// For each port a comparison in 8 octets, which goes on behind itself where it holds, and 12 further where not; then a jump
/// to the end. What comes to the end is taken, what jumps beyond is not: the last comparison has no jump.
private func portFilter(_ ports: [UInt16]) -> [UInt8] {
    func operation(_ code: UInt8, yes: UInt8, no: UInt16) -> [UInt8] {
        [code, yes, UInt8(truncatingIfNeeded: no), UInt8(truncatingIfNeeded: no >> 8)]
    }
    var program: [UInt8] = []
    for (index, port) in ports.enumerated() {
        program += operation(11, yes: 8, no: 12)  // INET_DIAG_BC_S_EQ
        program += operation(0, yes: 0, no: port)
        let left = ports.count - 1 - index
        if left > 0 { program += operation(1, yes: 4, no: UInt16(clamping: 12 * left)) }  // INET_DIAG_BC_JMP
    }
    // Without a port nothing is taken; an empty program would take all.
    return program.isEmpty ? operation(1, yes: 4, no: 8) : program
}
