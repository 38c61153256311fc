import ByteRelay
import EventLoops
import LinuxBindings
import WireFormats

/// Gathers a body in memory, up to a limit.
struct BodyCollector {
    private(set) var octets: [UInt8] = []
    private var body: HTTP1BodyReader
    private var room: Int

    init(_ body: HTTP1BodyReader, limit: Int) {
        self.body = body
        room = limit
    }

    /// What the octets so far came to.
    enum Step {
        case complete
        case nothing
        case tooLong
        case malformed(HTTP1Violation)
        case failed(SystemCallError)
    }

    /// Reads what there is, up to the end of the body.
    mutating func readOn(_ end: HTTPEnd, _ means: RelayMeans) -> Step {
        do throws(HTTP1Violation) {
            if end.unreadCount > 0, !body.isComplete {
                let waiting = Array(end.takeUnread())
                let stretches = try body.stretches(of: waiting.span)
                guard take(stretches.payload, { waiting[$0] }) else { return .tooLong }
                end.putBack(waiting[stretches.consumed...])
            }
            while !body.isComplete, end.socket.isReadable {
                switch end.receive(means) {
                case .failure(let error): return .failed(error)
                case .success(nil): break
                case .success(0?): try body.inputEnded()
                case .success(let count?):
                    let stretches = try means.buffer.withBytes(0..<count) { bytes throws(HTTP1Violation) in
                        try body.stretches(of: bytes)
                    }
                    guard take(stretches.payload, { means.buffer.copy($0)[...] }) else { return .tooLong }
                    end.keep(stretches.consumed..<count, means)
                }
            }
            return body.isComplete ? .complete : .nothing
        } catch {
            return .malformed(error)
        }
    }

    private mutating func take(_ payload: [Range<Int>], _ content: (Range<Int>) -> ArraySlice<UInt8>) -> Bool {
        for stretch in payload {
            guard stretch.count <= room else { return false }
            room -= stretch.count
            octets += content(stretch)
        }
        return true
    }
}

extension HTTP1BodyReader {
    /// Reads all of the octets, or up to the end of the body: where payload stands, and how many are done with.
    mutating func stretches(
        of bytes: Span<UInt8>
    ) throws(HTTP1Violation) -> (payload: [Range<Int>], consumed: Int) {
        var payload: [Range<Int>] = []
        var position = 0
        while position < bytes.count, !isComplete {
            let step = try read(bytes.extracting(position...))
            if !step.payload.isEmpty {
                payload.append(position + step.payload.lowerBound..<position + step.payload.upperBound)
            }
            position += step.consumed
        }
        return (payload, position)
    }
}
