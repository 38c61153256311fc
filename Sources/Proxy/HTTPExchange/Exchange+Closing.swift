import EventLoops
import LinuxBindings
import WireFormats

extension Exchange {
    /// Tells the upstream that the client says no more, once its request has gone up: one that has closed and one that only ended its
    /// side look the same from here, and a server that is still at work may do as it would if nobody stood between.
    func passEnd() {
        // What has not been read may be the next request.
        guard !hasPassedEnd, phase != .tunnel, hasSentRequest, client.unreadCount == 0, client.socket.hasSaidAll
        else { return }
        hasPassedEnd = true
        // A failure is met again by whoever reads the answer.
        try? upstream.socket.endSending(inOrder: client.socket.endedInOrder)
    }

    /// Tells both sides of a WebSocket connection that it ends because something said on it is denied; where a frame may stand.
    ///
    /// That is between two frames, those of one message too (RFC 6455, section 5.4). In the midst of a frame there is nothing to say:
    /// the connection is cut.
    func sayClose(_ outcome: Exchanged.Outcome) {
        switch outcome {
        case .requestDenied, .answerDenied: break
        case .answered, .switched, .upstreamFailed, .upstreamMalformed, .clientFailed, .requestMalformed, .aborted:
            return
        }
        guard phase == .tunnel else { return }
        if up.isBetweenFrames {
            _ = say(WebSocketClose.goingAway.ofClient(mask: .random(in: 1 ... .max)), to: upstream)
        }
        // A client that was not told of the change has an answer instead.
        if down.isBetweenFrames, !down.holdsHead {
            hasSaidClose = say(WebSocketClose.policyViolation.ofServer, to: client)
        }
    }

    /// Ends a changed protocol of which one side is gone and the other takes no more of what it said: nothing else would tell of it.
    func watchStall(on loop: isolated EventLoop) {
        guard stallTimer == nil else { return }
        let moved = up.moved &+ down.moved
        stallTimer = loop.schedule(afterNanoseconds: Self.longestStall) {
            self.stallTimer = nil
            guard self.phase == .tunnel else { return }
            guard self.up.moved &+ self.down.moved == moved else { return self.watchStall(on: loop) }
            self.finish(self.client.socket.hasFailed ? .clientFailed(nil) : .upstreamFailed(nil), on: loop)
        }
    }

    /// How long a side may take nothing of what one that is gone has said, in nanoseconds.
    private static let longestStall: UInt64 = 10_000_000_000

    private func say(_ frame: [UInt8], to end: HTTPEnd) -> Bool {
        guard case .done(let count)? = try? end.socket.send(frame[...]) else { return false }
        return count == frame.count
    }
}
