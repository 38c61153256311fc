import CLinux
import Glibc
import NetworkTypes

/// What a blocking program waits for on one descriptor.
package enum AwaitedReadiness: Sendable {
    case readable
    case writable
}

/// Waits until one of the descriptors is ready, has failed, or `milliseconds` have passed; -1: for ever.
///
/// For programs without a loop. A signal handler that interrupts it ends the wait early.
///
/// - Returns: for each descriptor, in order, whether it is ready or has failed.
package func waitForDescriptors(
    _ awaited: [(number: Int32, readiness: AwaitedReadiness)],
    milliseconds: Int32
) -> [Bool] {
    var questions = awaited.map { number, readiness in
        let events =
            switch readiness {
            case .readable: POLLIN
            case .writable: POLLOUT
            }
        return pollfd(fd: number, events: Int16(events), revents: 0)
    }
    _ = unsafe poll(&questions, nfds_t(questions.count), milliseconds)
    return questions.map { $0.revents != 0 }
}

/// Takes what a socket that does not block has for us, at most so many bytes; an empty array is its end.
package func receiveBytes(
    _ socket: borrowing OwnedDescriptor,
    atMost count: Int
) throws(SystemCallError) -> Completion<[UInt8]> {
    var bytes = [UInt8](repeating: 0, count: count)
    let number = socket.number
    let completion = try nonblockingCall("recv") {
        unsafe bytes.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, count, 0) }
    }
    switch completion {
    case .wouldBlock: return .wouldBlock
    case .done(let received): return .done(Array(bytes[..<received]))
    }
}

/// Sends one datagram from a socket of its own.
///
/// - Throws: `EPERM` where the kernel's rules refuse it.
package func sendDatagram(_ bytes: [UInt8], to address: SocketAddress) throws(SystemCallError) {
    let domain = address.address.family == .ipv4 ? AF_INET : AF_INET6
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let socket = OwnedDescriptor(adopting: try systemCall("socket") { Glibc.socket(domain, kind, 0) })
    let number = socket.number
    _ = try systemCall("connect") { unsafe address.withKernelAddress { unsafe connect(number, $0, $1) } }
    _ = try systemCall("send") {
        unsafe bytes.withUnsafeBytes { unsafe send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
