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
    private let answer = TransferBuffer(capacity: 8192)
    /// The question for one socket, written once: each time it is put, what differs is written over what stands there.
    private let question = TransferBuffer(capacity: SocketQuestion.length)

    /// Opens the two sockets; neither needs a capability.
    package init() throws(SystemCallError) {
        diagnostics = try netlinkSocket(protocol: 4)  // NETLINK_SOCK_DIAG
        routing = try netlinkSocket(protocol: 0)  // NETLINK_ROUTE
        _ = question.fill(atMost: SocketQuestion.length) { SocketQuestion.write(into: &$0) }
    }

    /// The UID that owns the TCP socket whose own end is `local` and whose peer is `remote`.
    ///
    /// `nil` where there is no such socket, or nobody owns it any more: an orphan or a socket in TIME_WAIT is reported
    /// by the kernel as UID 0 without an inode, and a lookup that finds only a listener has found another socket.
    ///
    /// - Throws: `ENOENT` is an answer and not thrown; what is thrown means that the kernel cannot be asked.
    package func owner(local: SocketAddress, remote: SocketAddress) throws(SystemCallError) -> UInt32? {
        if case .found(let owner) = try socket(local, remote) { return owner }
        // A socket of the IPv6 family may have an IPv4 connection, under mapped addresses.
        let isMapped = local.address.family == .ipv4
        if isMapped, case .found(let owner) = try socket(local.mapped, remote.mapped) { return owner }
        // One that is bound to a device is found by that alone; from such an address it can be no other.
        guard local.address.specialRange == .loopback else { return nil }
        if case .found(let owner) = try socket(local, remote, device: Self.loopback) { return owner }
        guard isMapped, case .found(let owner) = try socket(local.mapped, remote.mapped, device: Self.loopback) else {
            return nil
        }
        return owner
    }

    /// The number of `lo` in every network namespace.
    private static let loopback: UInt32 = 1

    /// What the kernel says of a socket.
    enum SocketAnswer: Hashable {
        /// There is none.
        case absent
        /// There is one, of this UID; `nil`: nobody owns it, or it is not connected yet.
        case found(UInt32?)
    }

    private func socket(
        _ local: SocketAddress,
        _ remote: SocketAddress,
        device: UInt32 = 0
    ) throws(SystemCallError) -> SocketAnswer {
        sequence &+= 1
        _ = question.fill(atMost: SocketQuestion.length) {
            SocketQuestion.put(local: local, remote: remote, device: device, sequence: sequence, into: &$0)
        }
        guard case .done = try question.send(0..<SocketQuestion.length, to: diagnostics) else { throw .netlinkIsFull }
        guard let count = try receiveAnswer(from: diagnostics) else { return .absent }
        return question.withBytes(SocketQuestion.identity) { identity in
            answer.withBytes(0..<count) { $0.socket(of: identity) }
        }
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
        sequence &+= 1
        guard case .done = try sendBytes(request.finished(sequence: sequence), to: routing) else {
            throw .netlinkIsFull
        }
        guard let count = try receiveAnswer(from: routing), count >= 28 else { return false }
        return answer.withBytes(0..<count) { $0[16 + 7] == 2 }  // rtm_type, RTN_LOCAL
    }

    /// Receives the kernel's answer to what was asked last, and says how long it is, with its header; `nil` where the kernel
    /// answered with an error.
    private func receiveAnswer(from socket: borrowing OwnedDescriptor) throws(SystemCallError) -> Int? {
        while true {
            guard case .done(let count) = try answer.receive(from: socket) else { throw .netlinkIsSilent }
            let asked = sequence
            let (isOurs, isError) = answer.withBytes(0..<count) { answer in
                guard answer.count >= 16, answer.native32(at: 8) == asked else { return (false, false) }
                return (true, answer.native16(at: 4) == 2)  // NLMSG_ERROR
            }
            if isOurs { return isError ? nil : count }
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
    var places = bytes.mutableSpan
    places.put(local.port, at: 0)
    places.put(remote.port, at: 2)
    places.put(local.address, at: 4)
    places.put(remote.address, at: 20)
    return bytes
}

/// The question of `sock_diag` for one socket: a netlink header of 16 octets, `struct inet_diag_req_v2` behind it, in the machine's
/// byte order, with ports and addresses in that of the network.
private enum SocketQuestion {
    static let length = 72
    /// Where the first 36 octets of `struct inet_diag_sockid` stand: ports and addresses.
    static let identity = 24..<60

    /// Writes what is the same in all of them.
    static func write(into bytes: inout MutableSpan<UInt8>) -> Int {
        for index in bytes.indices { bytes[index] = 0 }
        bytes[0] = UInt8(length)
        bytes[4] = 20  // SOCK_DIAG_BY_FAMILY
        bytes[6] = 1  // NLM_F_REQUEST
        bytes[17] = UInt8(IPPROTO_TCP)
        for index in 20..<24 { bytes[index] = 0xff }  // every state
        for index in 64..<72 { bytes[index] = 0xff }  // INET_DIAG_NOCOOKIE
        return length
    }

    /// Writes what differs; `device` is what the socket is bound to, 0 for none.
    static func put(
        local: SocketAddress,
        remote: SocketAddress,
        device: UInt32,
        sequence: UInt32,
        into bytes: inout MutableSpan<UInt8>
    ) -> Int {
        bytes.put(sequence.byteSwapped, at: 8)
        bytes[16] = local.address.family == .ipv4 ? UInt8(AF_INET) : UInt8(AF_INET6)
        bytes.put(local.port, at: 24)
        bytes.put(remote.port, at: 26)
        bytes.put(local.address, at: 28)
        bytes.put(remote.address, at: 44)
        bytes.put(device.byteSwapped, at: 60)
        return length
    }
}

extension MutableSpan<UInt8> {
    /// Writes a number over what stands there, the most significant octet first.
    @inline(__always)
    fileprivate mutating func put<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        let count = Number.bitWidth / 8
        precondition(offset >= 0 && offset <= self.count - count, "a number is put where there is room for it")
        for index in 0..<count {
            self[offset + index] = UInt8(truncatingIfNeeded: number >> Number(8 * (count - 1 - index)))
        }
    }

    /// Writes the octets of an address over what stands there, and zeros behind them where another may be longer.
    fileprivate mutating func put(_ address: IPAddress, at offset: Int) {
        switch address {
        case .v4(let address):
            put(address.bits, at: offset)
            put(UInt32(0), at: offset + 4)
            put(UInt64(0), at: offset + 8)
        case .v6(let address):
            put(address.high, at: offset)
            put(address.low, at: offset + 8)
        }
    }
}

extension Span<UInt8> {
    fileprivate func native16(at offset: Int) -> UInt16 {
        UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
    }

    fileprivate func native32(at offset: Int) -> UInt32 {
        UInt32(native16(at: offset)) | UInt32(native16(at: offset + 2)) << 16
    }

    /// Whose socket an answer of `sock_diag` tells of; one that listens is another one than that of this identity.
    fileprivate func socket(of identity: Span<UInt8>) -> NetlinkQuestions.SocketAnswer {
        // struct inet_diag_msg: state at 1, ports and addresses at 4, UID at 64, inode at 68; the header before it has 16.
        guard count >= 88, self[17] != 10, extracting(20..<56).isSame(as: identity) else { return .absent }
        // LISTEN is 10. One in SYN_SENT (2) or SYN_RECV (3) is nobody's peer yet, whoever had these ports before.
        guard self[17] > 3 || self[17] == 1, native32(at: 84) != 0 else { return .found(nil) }
        return .found(native32(at: 80))
    }

    private func isSame(as other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        // All of them, so that there is one question at the end and not one for each.
        var difference: UInt8 = 0
        for index in indices { difference |= self[index] ^ other[index] }
        return difference == 0
    }
}

extension SystemCallError {
    fileprivate static var netlinkIsFull: SystemCallError { SystemCallError(call: "send(netlink)", code: EAGAIN) }
    fileprivate static var netlinkIsSilent: SystemCallError { SystemCallError(call: "recv(netlink)", code: EAGAIN) }
}
