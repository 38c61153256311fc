import AuditStore
import EventLoops
import HTTPExchange
import LinuxBindings
import PolicyEngine
import WireFormats

/// The steady state of a conversation: requests that need their record, and the upstream that is open, and nothing else; or
/// none at all.
///
/// Each is read, judged, written down, passed on and concluded in steps that sockets and the audit gate set off. No task waits
/// for it: the story is taken up again with whatever is out of the ordinary. Every step of a task into another costs more than
/// what is done in it, and a task that waits keeps its memory.
extension Conversation: AuditGateParty, ExchangeParty {
    /// Where the request in hand is.
    enum Steadiness {
        /// In the story.
        case no
        /// There is none.
        case idle
        /// Its record is on its way to the file.
        case recording
        /// It is on its way up, or its answer down.
        case exchanging
    }

    /// What the story takes over; kept apart from the conversation, which has room for one.
    indirect enum Departure {
        case arrival(RequestArrival)
        /// A head has begun: the rest of it is waited for.
        case quiet
        /// Its turn was taken, and it has not been judged.
        case due(HTTP1Request)
        case recorded(HTTP1Request, Decision, isWritten: Bool)
        /// On the upstream that was open.
        case exchanged(HTTP1Request, Decision, Exchanged)
    }

    /// Carries requests until there is something out of the ordinary: that, where there is at once; else `nil`, and it is told in
    /// a task of its own when it comes.
    func steadyState(on loop: isolated EventLoop) -> Departure? {
        isEntering = true
        defer { isEntering = false }
        client.socket.observer = self
        steadiness = .idle
        readSteadily(on: loop)
        return departure.take()
    }

    func leaveSteadyState(_ departure: Departure, on loop: isolated EventLoop) {
        steadiness = .no
        endIdling()
        client.socket.observer = nil
        if isEntering { self.departure = departure } else { tellStory(from: departure, on: loop) }
    }

    private func leaveSteadyState(behind exchanged: Exchanged, on loop: isolated EventLoop) {
        guard let request, let decision else { return leaveSteadyState(.quiet, on: loop) }
        leaveSteadyState(.exchanged(request, decision, exchanged), on: loop)
    }

    /// Takes the next request, if it is there and nothing is in hand.
    func readSteadily(on loop: isolated EventLoop) {
        guard steadiness == .idle else { return }
        guard connection.cutting == nil else { return leaveSteadyState(.arrival(.interrupted), on: loop) }
        switch client.readArrival(worker.means) {
        case .request(let request)?: take(request, on: loop)
        case let arrival?: leaveSteadyState(.arrival(arrival), on: loop)
        case nil:
            // A head that has begun has its time, and the story keeps it.
            guard client.unreadCount == 0 else { return leaveSteadyState(.quiet, on: loop) }
            if idleSince == nil { beginIdling(on: loop) }
        }
    }

    /// Judges a request and writes it down, where neither takes time.
    private func take(_ request: HTTP1Request, on loop: isolated EventLoop) {
        endIdling()
        guard upstream != nil, worker.audit.takesDecisions, takeTurn(on: loop) else {
            return leaveSteadyState(.arrival(.request(request)), on: loop)
        }
        begun = loop.now
        connection.hindrance = nil
        guard let decision = judgeAgain(request) ?? judgeForOpenUpstream(request) else {
            return leaveSteadyState(.due(request), on: loop)
        }
        let ticket = recordAgain(decision, request)
        self.request = request
        steadiness = .recording
        worker.gate.tell(self, of: ticket, on: loop)
    }

    /// Sends a request up whose record is written.
    func recordIsThrough(isWritten: Bool, on loop: isolated EventLoop) {
        guard steadiness == .recording, let request, let decision else { return }
        guard isWritten, connection.cutting == nil, !isOutdated(request), let upstream = upstreamToAskAgain(decision)
        else {
            return leaveSteadyState(.recorded(request, decision, isWritten: isWritten), on: loop)
        }
        steadiness = .exchanging
        upstream.exchange.start(request, head: headSentAgain(for: request, on: upstream.line), for: self, on: loop)
    }

    /// Writes down how a request went, and takes the next.
    func exchangeIsOver(_ exchanged: Exchanged, on loop: isolated EventLoop) {
        guard steadiness == .exchanging else { return }
        guard case .answered = exchanged.outcome, exchanged.keepsClient, exchanged.keepsUpstream, !worker.isDraining
        else { return leaveSteadyState(behind: exchanged, on: loop) }
        if !noteAgain(exchanged, on: loop) {
            _ = note(exchanged, on: loop)
            rememberEnd(exchanged)
        }
        forgetRequest()
        client.socket.observer = self
        steadiness = .idle
        readSteadily(on: loop)
    }
}
