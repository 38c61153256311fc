import CLinux
import Glibc
import NetworkTypes

/// What became of a question that was put over TCP.
package enum ExchangeOutcome: Hashable, Sendable {
    /// What came back until the other side ended, or the time was over; perhaps nothing.
    case answered([UInt8])
    /// Nobody could be reached, or the conversation broke.
    case failed(SystemCallError)
    /// No connection came about in time.
    case silent
}

/// Connects, sends, and takes what comes back, waiting no longer than `milliseconds` in all.
///
/// For the operator's command, which has no loop. The daemon never dials so: what it opens needs a permit.
package func exchangeBytes(
    _ question: [UInt8],
    with address: SocketAddress,
    milliseconds: UInt64,
    limit: Int
) -> ExchangeOutcome {
    do throws(SystemCallError) {
        let deadline = monotonicNanoseconds() + milliseconds * 1_000_000
        let socket = try streamSocket(family: address.address.family)
        if try startConnecting(socket, to: address) == .inProgress {
            guard waits(for: socket, .writable, until: deadline) else { return .silent }
            if let error = try pendingError(socket) { return .failed(error) }
        }
        return .answered(try exchange(question, over: socket, until: deadline, limit: limit))
    } catch {
        return .failed(error)
    }
}

/// Sends a line over a Unix socket and takes the line that answers it, without its newline.
///
/// - Throws: what the kernel says; `ETIMEDOUT` where no whole line came in time.
package func exchangeLine(
    _ line: [UInt8],
    over socket: borrowing OwnedDescriptor,
    milliseconds: UInt64,
    limit: Int
) throws(SystemCallError) -> [UInt8] {
    let deadline = monotonicNanoseconds() + milliseconds * 1_000_000
    let answer = try exchange(line, over: socket, until: deadline, limit: limit, through: UInt8(ascii: "\n"))
    guard let end = answer.firstIndex(of: UInt8(ascii: "\n")) else {
        throw SystemCallError(call: "recv", code: answer.isEmpty ? ECONNRESET : ETIMEDOUT)
    }
    return Array(answer[..<end])
}

private func exchange(
    _ question: [UInt8],
    over socket: borrowing OwnedDescriptor,
    until deadline: UInt64,
    limit: Int,
    through last: UInt8? = nil
) throws(SystemCallError) -> [UInt8] {
    var rest = question[...]
    while !rest.isEmpty {
        switch try sendBytes(rest, to: socket) {
        case .done(let count): rest = rest.dropFirst(count)
        case .wouldBlock:
            guard waits(for: socket, .writable, until: deadline) else {
                throw SystemCallError(call: "send", code: ETIMEDOUT)
            }
        }
    }
    var answer: [UInt8] = []
    while answer.count < limit, waits(for: socket, .readable, until: deadline) {
        switch try receiveBytes(socket, atMost: min(65_536, limit - answer.count)) {
        case .wouldBlock: continue
        case .done(let bytes):
            if bytes.isEmpty { return answer }
            answer += bytes
            if let last, bytes.contains(last) { return answer }
        }
    }
    return answer
}

private func waits(
    for socket: borrowing OwnedDescriptor,
    _ readiness: AwaitedReadiness,
    until deadline: UInt64
) -> Bool {
    let now = monotonicNanoseconds()
    guard now < deadline else { return false }
    let milliseconds = Int32(clamping: (deadline - now + 999_999) / 1_000_000)
    return waitForDescriptors([(socket.number, readiness)], milliseconds: milliseconds) == [true]
}
