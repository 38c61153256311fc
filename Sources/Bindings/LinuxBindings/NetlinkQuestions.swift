import CLinux
import Glibc
import NetworkTypes

/// Asks the kernel single questions over netlink, which it answers on the spot.
///
/// One owner, one thread.
package final class NetlinkQuestions {
    private let diagnostics: OwnedDescriptor
    private let routing: OwnedDescriptor
    private var sequence: UInt32 = 0
    /// Where an answer is read to, once and for all: a fresh buffer of this size is dear.
    private var buffer = [UInt8](repeating: 0, count: 8192)

    /// Opens the two sockets; neither needs a capability.
    package init() throws(SystemCallError) {
        diagnostics = try netlinkSocket(protocol: 4)  // NETLINK_SOCK_DIAG
        routing = try netlinkSocket(protocol: 0)  // NETLINK_ROUTE
    }

    /// The UID that owns the TCP socket whose own end is `local` and whose peer is `remote`.
    ///
    /// `nil` where there is no such socket, or nobody owns it any more: an orphan or a socket in TIME_WAIT is reported
    /// by the kernel as UID 0 without an inode, and a lookup that finds only a listener has found another socket.
    ///
    /// - Throws: `ENOENT` is an answer and not thrown; what is thrown means that the kernel cannot be asked.
    package func owner(local: SocketAddress, remote: SocketAddress) throws(SystemCallError) -> UInt32? {
        if let owner = try owner(ofExactly: local, remote) { return owner }
        guard local.address.family == .ipv4 else { return nil }
        // A socket of the IPv6 family may have an IPv4 connection, under mapped addresses.
        return try owner(ofExactly: local.mapped, remote.mapped)
    }

    private func owner(ofExactly local: SocketAddress, _ remote: SocketAddress) throws(SystemCallError) -> UInt32? {
        var request = NetlinkRequest(type: 20)  // SOCK_DIAG_BY_FAMILY
        request.append(local.address.family == .ipv4 ? UInt8(AF_INET) : UInt8(AF_INET6))
        request.append(UInt8(IPPROTO_TCP))
        request.append(UInt16(0))
        request.append(~UInt32(0))  // every state
        let identity = socketIdentity(local: local, remote: remote)
        request.append(identity)
        request.append(UInt32(0))  // any interface
        request.append(~UInt64(0))  // INET_DIAG_NOCOOKIE
        guard let answer = try ask(diagnostics, &request), answer.count >= 88 else { return nil }
        // struct inet_diag_msg: state at 1, ports and addresses at 4, UID at 64, inode at 68; the header before it has 16.
        // State 10 is LISTEN.
        guard answer[17] != 10, answer.has(identity, at: 20), answer.native32(at: 84) != 0 else {
            return nil
        }
        return answer.native32(at: 80)
    }

    /// The UIDs that own the TCP sockets at this address of ours which are connected to `remote`, from whatever port.
    ///
    /// `nil` where one of them has no owner any more, or is only remembered: whose it was cannot be told.
    package func owners(localAddress: IPAddress, remote: SocketAddress) throws(SystemCallError) -> Set<UInt32>? {
        var owners: Set<UInt32> = []
        // A socket of the IPv6 family may have an IPv4 connection, under mapped addresses.
        for isMapped in remote.address.family == .ipv4 ? [false, true] : [false] {
            let local = isMapped ? localAddress.mapped : localAddress
            let peer = isMapped ? remote.mapped : remote
            var request = NetlinkRequest(type: 20, isDump: true)  // SOCK_DIAG_BY_FAMILY
            request.append(peer.address.family == .ipv4 ? UInt8(AF_INET) : UInt8(AF_INET6))
            request.append(UInt8(IPPROTO_TCP))
            request.append(UInt16(0))
            request.append(~UInt32(0))  // every state
            // Of the identity a dump regards the ports alone.
            let identity = socketIdentity(local: SocketAddress(local, port: 0), remote: peer)
            request.append(identity)
            request.append(UInt32(0))
            request.append(~UInt64(0))
            let wanted = Array(identity[2...])
            let users = try readList(diagnostics, request, sequence: &sequence, from: Set<UInt32?>()) { users, answer in
                guard answer.count >= 88, answer.has(wanted, at: 22) else { return true }
                users.insert(answer.native32(at: 84) == 0 ? nil : answer.native32(at: 80))
                return true
            }
            for user in users ?? [] {
                guard let user else { return nil }
                owners.insert(user)
            }
        }
        return owners
    }

    /// True where the kernel would deliver a packet for `address` to this machine itself.
    package func isLocal(_ address: IPAddress) throws(SystemCallError) -> Bool {
        let address = address.unmapped
        let octets = address.octets
        var request = NetlinkRequest(type: 26)  // RTM_GETROUTE
        request.append(address.family == .ipv4 ? UInt8(AF_INET) : UInt8(AF_INET6))
        request.append(UInt8(octets.count * 8))
        request.append([UInt8](repeating: 0, count: 10))
        request.append(UInt16(4 + octets.count))
        request.append(UInt16(1))  // RTA_DST
        request.append(octets)
        guard let answer = try ask(routing, &request), answer.count >= 28 else { return false }
        return answer[16 + 7] == 2  // rtm_type, RTN_LOCAL
    }

    /// Sends a request and returns the kernel's answer with its header; `nil` where the kernel answered with an error.
    private func ask(
        _ socket: borrowing OwnedDescriptor,
        _ request: inout NetlinkRequest
    ) throws(SystemCallError) -> [UInt8]? {
        sequence &+= 1
        let bytes = request.finished(sequence: sequence)
        guard case .done = try sendBytes(bytes, to: socket) else {
            throw SystemCallError(call: "send(netlink)", code: EAGAIN)
        }
        while true {
            let count = try readBytes(socket, into: &buffer)
            guard count >= 16, buffer.native32(at: 8) == sequence else { continue }
            let error: UInt16 = 2  // NLMSG_ERROR
            return buffer.native16(at: 4) == error ? nil : Array(buffer[..<count])
        }
    }
}

extension SocketAddress {
    fileprivate var mapped: SocketAddress { SocketAddress(address.mapped, port: port) }
}

extension IPAddress {
    /// An IPv4 address as a socket of the IPv6 family shows it (RFC 4291, section 2.5.5.2).
    fileprivate var mapped: IPAddress {
        switch self {
        case .v4(let address): .v6(IPv6Address(high: 0, low: 0xffff_0000_0000 | UInt64(address.bits)))
        case .v6: self
        }
    }
}

/// The first 36 octets of `struct inet_diag_sockid`: ports and addresses in network order.
private func socketIdentity(local: SocketAddress, remote: SocketAddress) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(contentsOf: repeatElement(0, count: 36))
    bytes.put(local.port, at: 0)
    bytes.put(remote.port, at: 2)
    bytes.put(local.address, at: 4)
    bytes.put(remote.address, at: 20)
    return bytes
}

extension [UInt8] {
    /// Writes a number over what stands there, the most significant octet first.
    fileprivate mutating func put(_ number: some FixedWidthInteger, at offset: Int) {
        let count = number.bitWidth / 8
        for index in 0..<count {
            self[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * (count - 1 - index)))
        }
    }

    /// Writes the octets of an address over what stands there.
    fileprivate mutating func put(_ address: IPAddress, at offset: Int) {
        switch address {
        case .v4(let address): put(address.bits, at: offset)
        case .v6(let address):
            put(address.high, at: offset)
            put(address.low, at: offset + 8)
        }
    }
}
