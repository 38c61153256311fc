import ByteRelay
import ContentInspection
import EventLoops
import LinuxBindings
import WireFormats

/// What reading a request's body before it is decided came to.
package enum AheadArrival {
    /// It was seen as far as it had to be, and waits unread in its end, framing and all.
    case seen
    case denied(Denial)
    case malformed(HTTP1Violation)
    case timedOut
    case interrupted
    /// The client is gone; the error, where there was one.
    case failed(SystemCallError?)
}

/// Reads a request's body ahead, shows it to an inspection, and keeps it as it came.
struct BodyAhead {
    private(set) var octets: [UInt8] = []
    private var body: HTTP1BodyReader
    private let inspection: BodyInspection
    private let most: Int
    private let share: InspectionShare

    /// `most` octets may come, framing among them, and `share` is taken for them.
    init(_ body: HTTP1BodyReader, _ inspection: BodyInspection, most: Int, _ share: InspectionShare) {
        self.share = share
        inspection.isKeptElsewhere = true
        self.body = body
        self.inspection = inspection
        self.most = most
    }

    /// Reads what there is, up to the end of the body; `nil` where more is to come.
    ///
    /// What was read stands unread again.
    mutating func readOn(_ end: HTTPEnd, _ means: RelayMeans) -> AheadArrival? {
        let start = octets.count
        octets += end.takeUnread()
        var arrival = look(from: start)
        while arrival == nil, end.socket.isReadable {
            switch end.receive(means) {
            case .failure(let error): arrival = .failed(error)
            case .success(nil): break
            case .success(0?): arrival = .failed(nil)
            case .success(let count?):
                let before = octets.count
                means.buffer.append(0..<count, to: &octets)
                arrival = look(from: before)
            }
        }
        guard let arrival else { return nil }
        end.putBack(octets[...])
        return arrival
    }

    /// Shows what came from `start` on.
    private mutating func look(from start: Int) -> AheadArrival? {
        let all = octets
        let bytes = all.span.extracting(start...)
        let payload: [Range<Int>]
        do throws(HTTP1Violation) {
            payload = try body.stretches(of: bytes).payload
        } catch {
            return .malformed(error)
        }
        var passage = inspection.see(bytes.extracting(0..<0))
        for stretch in payload {
            if case .denied = passage { break }
            passage = inspection.see(bytes.extracting(stretch))
        }
        if body.isComplete, case .open = passage { passage = inspection.seeEnd() }
        switch passage {
        case .denied(let denial): return .denied(denial)
        case .open where body.isComplete: return .seen
        // Nobody looks any more.
        case .open where inspection.isBlind: return .seen
        case .open where octets.count > most: return inspection.give(up: .heldTooMuch).map { .denied($0) } ?? .seen
        case .open where !share.take(octets.count): return inspection.give(up: .crowded).map { .denied($0) } ?? .seen
        case .open: return nil
        }
    }
}

extension HTTPEnd {
    /// Reads the body of a request whole, shows it to an inspection that needs it so, and keeps it as it came: the exchange that
    /// follows takes it from here.
    ///
    /// Until `deadline` in nanoseconds of the loop's clock. What is kept is taken of `share`, which whoever asks keeps as long. A client that waits for a word to go on is given it.
    package func readAhead(
        _ request: HTTP1Request,
        _ inspection: BodyInspection,
        _ share: InspectionShare,
        limits: HTTP1Limits,
        until deadline: UInt64,
        _ means: RelayMeans,
        on loop: isolated EventLoop
    ) async -> AheadArrival {
        // What frames it may take as much again: chunks of an octet or two are for nobody who sends a large body.
        let most = inspection.heldBytes.multipliedReportingOverflow(by: 2).partialValue + limits.trailerBytes
        var ahead = BodyAhead(HTTP1BodyReader(request.framing, limits: limits), inspection, most: most, share)
        if request.expectsContinue, request.framing != .none, unreadCount == 0 {
            guard await send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), until: deadline, on: loop) else {
                return .failed(nil)
            }
        }
        while true {
            if let arrival = ahead.readOn(self, means) { return arrival }
            let wakeup = await socket.wait(for: .reading, until: deadline, on: loop)
            if case .ready = wakeup { continue }
            putBack(ahead.octets[...])
            return wakeup == .timedOut ? .timedOut : .interrupted
        }
    }
}
