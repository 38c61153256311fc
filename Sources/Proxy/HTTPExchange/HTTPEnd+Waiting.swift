import ByteRelay
import EventLoops
import LinuxBindings
import WireFormats

/// How long a client is waited for, in nanoseconds.
package struct HeadPatience: Hashable, Sendable {
    /// Before it has begun a request; `nil`: for as long as it takes.
    package var idle: UInt64?
    /// From the first octet of a head to its last.
    package var head: UInt64

    package init(idle: UInt64? = nil, head: UInt64) {
        self.idle = idle
        self.head = head
    }
}

/// What came instead of, or as, the next request.
package enum RequestArrival {
    case request(HTTP1Request)
    /// It must be refused, and nothing behind it can be read.
    case malformed(HTTP1Violation)
    /// The client sends no more, and has begun nothing.
    case ended
    case timedOut
    /// Somebody else ended the wait.
    case interrupted
    case failed(SystemCallError)
}

/// What came instead of, or as, a whole body.
package enum BodyArrival {
    case body([UInt8])
    case tooLong
    case malformed(HTTP1Violation)
    case timedOut
    case interrupted
    case failed(SystemCallError)
}

extension HTTPEnd {
    /// Reads what there is of the next request's head; `nil` where there is no more for now.
    package func readArrival(_ means: RelayMeans) -> RequestArrival? {
        switch readRequest(means) {
        case .head(let request): .request(request)
        case .malformed(let violation): .malformed(violation)
        case .ended: .ended
        case .failed(let error): .failed(error)
        case .nothing: nil
        }
    }

    /// Waits for the next request's head.
    package func nextRequest(
        _ patience: HeadPatience,
        _ means: RelayMeans,
        on loop: isolated EventLoop
    ) async -> RequestArrival {
        var hasBegun = false
        var deadline = patience.idle.map { loop.now &+ $0 }
        while true {
            if let arrival = readArrival(means) { return arrival }
            if !hasBegun, unreadCount > 0 {
                hasBegun = true
                deadline = loop.now &+ patience.head
            }
            switch await socket.wait(for: .reading, until: deadline, on: loop) {
            case .ready: continue
            case .timedOut: return .timedOut
            case .interrupted: return .interrupted
            }
        }
    }

    /// Reads a whole body of at most `limit` octets, without its framing, until `deadline` in nanoseconds of the loop's clock.
    package func readBody(
        _ framing: HTTP1Framing,
        limit: Int,
        limits: HTTP1Limits,
        until deadline: UInt64,
        _ means: RelayMeans,
        on loop: isolated EventLoop
    ) async -> BodyArrival {
        var collector = BodyCollector(HTTP1BodyReader(framing, limits: limits), limit: limit)
        while true {
            switch collector.readOn(self, means) {
            case .complete: return .body(collector.octets)
            case .tooLong: return .tooLong
            case .malformed(let violation): return .malformed(violation)
            case .failed(let error): return .failed(error)
            case .nothing: break
            }
            switch await socket.wait(for: .reading, until: deadline, on: loop) {
            case .ready: continue
            case .timedOut: return .timedOut
            case .interrupted: return .interrupted
            }
        }
    }

    /// Sends all of the octets until `deadline`, in nanoseconds of the loop's clock; false where the peer did not take them.
    package func send(_ octets: [UInt8], until deadline: UInt64, on loop: isolated EventLoop) async -> Bool {
        var rest = octets[...]
        while !rest.isEmpty {
            guard await socket.wait(for: .writing, until: deadline, on: loop) == .ready,
                let completion = try? socket.send(rest)
            else { return false }
            if case .done(let count) = completion { rest = rest.dropFirst(count) }
        }
        return await flush(until: deadline, on: loop)
    }

    /// Waits until the socket has taken all that was sent; false where it does not until `deadline`, or has failed.
    package func flush(until deadline: UInt64, on loop: isolated EventLoop) async -> Bool {
        while !socket.isFlushed {
            socket.noteUnsent()
            guard loop.now < deadline, await socket.wait(for: .writing, until: deadline, on: loop) == .ready else {
                return false
            }
        }
        return (try? socket.isClear()) ?? false
    }

    /// Lets the peer take what was sent last: closing with unread octets would reset the connection and lose it.
    ///
    /// It sends no more from here on, and drops what comes: a client that is refused may have much to send before it looks for an answer
    /// (RFC 9112, section 9.6). Nothing of it is deciphered: its end is the socket's. False where the peer is silent for a second before
    /// it ends, or goes on for ten.
    @discardableResult
    package func linger(_ means: RelayMeans, on loop: isolated EventLoop) async -> Bool {
        guard (try? socket.endSending()) != nil else { return false }
        let end = loop.now &+ Lingering.longest
        var dropped = 0
        while loop.now < end {
            if socket.isFlushed { socket.dropCipher() }
            let deadline = min(end, loop.now &+ Lingering.silence)
            let wait = await socket.wait(for: .reading, until: deadline, on: loop)
            // One that has still to take what it was sent need not have anything to say.
            if wait == .timedOut, socket.hasUnsent { continue }
            guard wait == .ready else { return false }
            switch receive(means) {
            case .failure: return false
            case .success(nil): continue
            case .success(0?): return true
            case .success(let count?): dropped += count
            }
            guard dropped >= Lingering.turn else { continue }
            dropped = 0
            await loop.nextTurn()
        }
        return false
    }
}

/// How much of what a refused client sends is taken.
private enum Lingering {
    /// In nanoseconds, as the next.
    static let longest: UInt64 = 10_000_000_000
    static let silence: UInt64 = 1_000_000_000
    /// So many octets are dropped before others have their turn.
    static let turn = 256 * 1024
}
