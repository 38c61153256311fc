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
        guard answer[17] != 10, Array(answer[20..<56]) == identity, answer.native32(at: 84) != 0 else {
            return nil
        }
        return answer.native32(at: 80)
    }

    /// True where the kernel would deliver a packet for `address` to this machine itself.
    package func isLocal(_ address: IPAddress) throws(SystemCallError) -> Bool {
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
            let answer = try readBytes(socket, atMost: 8192)
            guard answer.count >= 16, answer.native32(at: 8) == sequence else { continue }
            let error: UInt16 = 2  // NLMSG_ERROR
            return answer.native16(at: 4) == error ? nil : answer
        }
    }
}

private func netlinkSocket(protocol number: Int32) throws(SystemCallError) -> OwnedDescriptor {
    OwnedDescriptor(
        adopting: try systemCall("socket(netlink)") {
            socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), number)
        }
    )
}

/// The first 36 octets of `struct inet_diag_sockid`: ports and addresses in network order.
private func socketIdentity(local: SocketAddress, remote: SocketAddress) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(36)
    for port in [local.port, remote.port] {
        bytes.append(UInt8(truncatingIfNeeded: port >> 8))
        bytes.append(UInt8(truncatingIfNeeded: port))
    }
    for address in [local.address, remote.address] {
        let octets = address.octets
        bytes += octets
        bytes += repeatElement(0, count: 16 - octets.count)
    }
    return bytes
}

/// A netlink message on its way out: a header of 16 octets, then what was appended, in the machine's byte order.
///
/// The machines that Swift runs Linux on are little-endian, all of them.
private struct NetlinkRequest {
    private var bytes: [UInt8]
    private let type: UInt16

    init(type: UInt16) {
        self.type = type
        bytes = Array(repeating: 0, count: 16)
    }

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
        }
    }

    mutating func append(_ octets: [UInt8]) {
        bytes += octets
    }

    consuming func finished(sequence: UInt32) -> [UInt8] {
        var header = NetlinkRequest(type: type)
        header.bytes.removeAll(keepingCapacity: true)
        header.append(UInt32(bytes.count))
        header.append(type)
        header.append(UInt16(1))  // NLM_F_REQUEST
        header.append(sequence)
        header.append(UInt32(0))
        return header.bytes + bytes[16...]
    }
}

extension [UInt8] {
    fileprivate func native16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
    }

    fileprivate func native32(at offset: Int) -> UInt32 {
        UInt32(native16(at: offset)) | UInt32(native16(at: offset + 2)) << 16
    }
}
