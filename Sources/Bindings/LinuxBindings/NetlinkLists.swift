import CLinux
import Glibc

/// Asks for a list and hands its parts to `take` one by one, each with its header, until that says that it has had enough.
///
/// A list that changed under the kernel's hands, by the kernel's own word, is asked for again from the beginning, and `found` with it.
/// Returns what was found; `nil` where `take` ended it, and then the socket is of no more use: the rest of the list is in the way.
///
/// - Throws: What the kernel answered instead of the list; `EAGAIN` where it did not hold still.
func readList<Found>(
    _ socket: borrowing OwnedDescriptor,
    _ request: NetlinkRequest,
    sequence: inout UInt32,
    from found: Found,
    _ take: (inout Found, ArraySlice<UInt8>) -> Bool
) throws(SystemCallError) -> Found? {
    var request = request
    for _ in 0..<5 {
        sequence &+= 1
        guard case .done = try sendBytes(request.finished(sequence: sequence), to: socket) else {
            throw SystemCallError(call: "send(netlink)", code: EAGAIN)
        }
        var taken = found
        switch try readParts(socket, sequence, { take(&taken, $0) }) {
        case .whole: return taken
        case .changed: continue
        case .ended: return nil
        }
    }
    throw SystemCallError(call: "sock_diag", code: EAGAIN)
}

/// How the reading of a list came to its end.
private enum ListEnd {
    case whole
    /// Entries may be missing, or be there twice (`NLM_F_DUMP_INTR`).
    case changed
    case ended
}

private func readParts(
    _ socket: borrowing OwnedDescriptor,
    _ sequence: UInt32,
    _ take: (ArraySlice<UInt8>) -> Bool
) throws(SystemCallError) -> ListEnd {
    // No datagram of a list is larger, whatever buffer it is read to.
    var buffer = [UInt8](repeating: 0, count: 32768)
    var isChanged = false
    while true {
        let count = try readBytes(socket, into: &buffer)
        var start = 0
        while start + 16 <= count {
            let length = Int(buffer.native32(at: start))
            guard length >= 16, length <= count - start else {
                throw SystemCallError(call: "recv(netlink)", code: EBADMSG)
            }
            let part = buffer[start..<start + length]
            start += (length + 3) & ~3
            guard part.native32(at: 8) == sequence else { continue }
            if part.native16(at: 6) & 0x10 != 0 { isChanged = true }  // NLM_F_DUMP_INTR
            switch part.native16(at: 4) {
            case 2: throw refusal(in: part) ?? SystemCallError(call: "recv(netlink)", code: EBADMSG)  // NLMSG_ERROR
            case 3:  // NLMSG_DONE: a list that the kernel could not make ends with why.
                if let refusal = refusal(in: part) { throw refusal }
                return isChanged ? .changed : .whole
            default: guard take(part) else { return .ended }
            }
        }
    }
}

/// The error number that a message of the kernel carries; `nil` where it is 0 or not there.
private func refusal(in part: ArraySlice<UInt8>) -> SystemCallError? {
    guard part.count >= 20 else { return nil }
    let number = Int32(bitPattern: part.native32(at: 16))
    return number < 0 && number > -4096 ? SystemCallError(call: "sock_diag", code: -number) : nil
}
