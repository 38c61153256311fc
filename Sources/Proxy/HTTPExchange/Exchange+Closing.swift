import EventLoops
import LinuxBindings
import WireFormats

extension Exchange {
    /// Tells both sides of a WebSocket connection that it ends because something said on it is denied; where a frame may stand.
    ///
    /// In the midst of a frame there is nothing to say: the connection is cut.
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
        if down.isBetweenFrames { hasSaidClose = say(WebSocketClose.policyViolation.ofServer, to: client) }
    }

    private func say(_ frame: [UInt8], to end: HTTPEnd) -> Bool {
        guard case .done(let count)? = try? end.socket.send(frame[...]) else { return false }
        return count == frame.count
    }
}
