import AuditStore
import AuditTrail
import ByteRelay
import ContentInspection
import EventLoops
import HTTPExchange
import LinuxBindings
import OpenSSLBindings
import PolicyEngine
import TLSInterception
import Telemetry
import WireFormats

/// Each of these answers the connection's ending, or `nil` where the next request may come.
extension Conversation {
    /// Records how an exchange went.
    func conclude(
        _ exchanged: Exchanged,
        _ request: HTTP1Request,
        on loop: isolated EventLoop
    ) async -> Ending? {
        if case .upstreamFailed = exchanged.outcome, exchanged.hasPassedEnd, !exchanged.hasAnswered {
            return await answerWhoMayBeGone(exchanged, request, on: loop)
        }
        let ending = note(exchanged, on: loop)
        switch exchanged.outcome {
        case .answered where exchanged.keepsClient: return nil
        case .answered:
            var left = await leave(closedBy: closer(request), isUnread: exchanged.leavesBody, on: loop)
            if exchanged.mayBeTruncated { left.outcome = .truncated }
            return left
        case .switched:
            var told = ending
            told.isOrderly = true
            return told
        case .upstreamFailed, .upstreamMalformed:
            guard !exchanged.hasAnswered else { return ending }
            // The rest of a body that went up in part cannot be told from the next request.
            let closes = request.framing != .none
            return await answer(.unanswered(ending.detail), to: request, closes: closes, on: loop)
        case .requestMalformed(let violation):
            guard !exchanged.hasAnswered else { return ending }
            let problem = Problem(violation, decision: requestID)
            return await answer(problem, to: request, closes: true, on: loop)
        case .requestDenied(let denial), .answerDenied(let denial):
            guard !exchanged.hasAnswered else { return await leave(ending, ifSaid: exchanged.hasSaidClose, on: loop) }
            let isWhole = request.framing == .none
            return await answer(answer(to: denial), to: request, closes: !isWhole, on: loop)
        case .clientFailed:
            await resetUpstream(on: loop)
            return ending
        case .aborted: return ending
        }
    }

    /// Writes down how an exchange went, and lets go of an upstream that cannot be asked again.
    func note(_ exchanged: Exchanged, on loop: isolated EventLoop) -> Ending {
        bytesUp &+= exchanged.bytesUp
        bytesDown &+= exchanged.bytesDown
        let ending = ending(of: exchanged)
        if refusal(exchanged) != nil, let terms = upstream?.line.key.tls { worker.tickets.bar(terms, at: loop.now) }
        record(ending, exchanged, at: loop.now)
        if let upstream {
            if !upstream.line.hasServed { upstream.line.keepTicket(in: worker.tickets, at: loop.now) }
            upstream.line.hasServed = true
            if upstream.exchange.authenticatesConnection { isPinned = true }
        }
        if case .clientFailed = exchanged.outcome { return ending }
        if !exchanged.keepsUpstream { closeUpstream(on: loop) }
        return ending
    }

    private func ending(of exchanged: Exchanged) -> Ending {
        var ending = Ending(exchanged, connection.cutting)
        if let refusal = refusal(exchanged) { ending.detail = "upstream_\(refusal.text)" }
        return ending
    }

    /// Answers a client that says no more for a server that gave no answer, and records which of the two it was that gave up.
    ///
    /// One that has closed and one that only ended its side differ in what they do with what they are sent.
    private func answerWhoMayBeGone(
        _ exchanged: Exchanged,
        _ request: HTTP1Request,
        on loop: isolated EventLoop
    ) async -> Ending {
        let answer = Problem.unanswered(ending(of: exchanged).detail).answer
        let isTaken = await send(answer.octets(closes: true, to: request), on: loop)
        if isTaken { await waitForReceipt(by: client.socket, on: loop) }
        guard isTaken, (try? isConnected(client.socket.descriptor)) == true else {
            var told = exchanged
            told.outcome = .clientFailed(nil)
            let ending = note(told, on: loop)
            closeUpstream(on: loop)
            return ending
        }
        _ = note(exchanged, on: loop)
        return await leave(closedBy: request.keepsAlive ? .ours : .client, isUnread: request.framing != .none, on: loop)
    }

    /// Resets an upstream whose client is gone, once it has what was sent to it: an end would look as if all had been said.
    private func resetUpstream(on loop: isolated EventLoop) async {
        guard let socket = upstream?.socket else { return }
        await waitForReceipt(by: socket, on: loop)
        resetOnClose(socket.descriptor)
        closeUpstream(on: loop)
    }

    /// Waits until a peer has what was sent to it, or is gone.
    private func waitForReceipt(by socket: StreamSocket, on loop: isolated EventLoop) async {
        let deadline = loop.now &+ Tunnel.longestLeave
        // Whoever cuts the connection meanwhile, at the end of a drain for one, does not wait.
        while loop.now < deadline, connection.cutting == nil, socket.isOnItsWay {
            await connection.pause(Tunnel.leaveInterval, on: loop)
        }
    }

    /// Why an upstream that has answered nothing ended TLS: in TLS 1.3 it refuses our certificate when we have begun to speak.
    private func refusal(_ exchanged: Exchanged) -> TLSFailure? {
        guard case .upstreamFailed = exchanged.outcome, exchanged.bytesDown == 0, !exchanged.hasAnswered else {
            return nil
        }
        return (upstream?.socket.cipher as? TLSCipher)?.failure
    }

    /// Who wanted the connection to end with this answer.
    private func closer(_ request: HTTP1Request) -> ClosingSide {
        if !request.keepsAlive { return .client }
        return worker.isDraining ? .ours : .upstream
    }

    /// Answers for an upstream that could not be reached.
    func giveUp(_ problem: DialFailure, _ request: HTTP1Request, on loop: isolated EventLoop) async -> Ending? {
        if problem.outcome == .upstreamFailed { worker.metrics.dialFailures.increment() }
        failedRoute = problem.route
        record(problem.ending, nil, at: loop.now)
        return await answer(.unreachable(problem), to: request, on: loop)
    }

    /// Refuses a request: the client is told, and may go on if it is clear where the next request begins.
    func refuse(_ request: HTTP1Request, _ decision: Decision, on loop: isolated EventLoop) async
        -> Ending?
    {
        let isBroken = decision.reason == .malformedRequest
        if let denial { return await answer(answer(to: denial), to: request, closes: isBroken, on: loop) }
        if let said = spoken?.answer(refusing: decision, id: requestID, retrySeconds: hold?.retrySeconds) {
            return await answer(said, to: request, on: loop)
        }
        let problem = Problem(
            refusing: decision,
            detail: detail,
            id: requestID,
            retrySeconds: hold?.retrySeconds,
            isMisdirected: scope.isIntercepted && decision.reason == .nameMismatch
        )
        return await answer(problem, to: request, closes: isBroken, on: loop)
    }

    /// What a client is told of what an inspector denied: its own words, or ours.
    private func answer(to denial: Denial) -> OwnAnswer {
        if let said = denial.answer { return OwnAnswer(said.status, contentType: said.contentType, body: said.body) }
        let refusal = Decision.refused(denial.reason, rule: denial.rule, port: facts.port)
        return Problem(refusing: refusal, detail: denial.detail, id: requestID).answer
    }

    /// Refuses what is no request: nothing behind it can be read.
    func refuse(_ violation: HTTP1Violation, on loop: isolated EventLoop) async -> Ending {
        begun = loop.now
        await connection.waitForDecision(worker, on: loop)
        detail = violation.rawValue
        let ticket = record(.refused(.malformedRequest, port: facts.port), nil)
        guard await worker.gate.wait(for: ticket, on: loop) else { return Ending(.auditUnavailable, closedBy: .ours) }
        if let cut = connection.cutting { return Ending(cut) }
        let answer = Problem(violation, decision: requestID).answer
        await send(answer.octets(closes: true), on: loop)
        return await leave(closedBy: .ours, isUnread: true, on: loop)
    }

    /// Ends the request in hand, and the connection with it.
    func end(_ ending: Ending, on loop: isolated EventLoop) -> Ending {
        record(ending, nil, at: loop.now)
        return ending
    }

    // MARK: Answers of our own

    /// How much of a refused request's body is read, in octets, so that the connection can go on.
    private static let toleratedBody = 65536

    private func answer(
        _ problem: Problem,
        to request: HTTP1Request,
        closes mustClose: Bool = false,
        on loop: isolated EventLoop
    ) async -> Ending? {
        await answer(problem.answer, to: request, closes: mustClose, on: loop)
    }

    private func answer(
        _ message: OwnAnswer,
        to request: HTTP1Request,
        closes mustClose: Bool = false,
        on loop: isolated EventLoop
    ) async -> Ending? {
        let closes = mustClose || worker.isDraining || !request.keepsAlive || !mayReadBody(of: request)
        guard await send(message.octets(closes: closes, to: request), on: loop) else {
            return Ending(.reset, closedBy: .client)
        }
        if !closes, await dropBody(of: request, on: loop) { return nil }
        let side: ClosingSide = request.keepsAlive ? .ours : .client
        return await leave(closedBy: side, isUnread: request.framing != .none, on: loop)
    }

    /// A client that waits for a word before it sends its body may not send it now: nobody can know.
    private func mayReadBody(of request: HTTP1Request) -> Bool {
        switch request.framing {
        case .none: true
        case .length(let length): !request.expectsContinue && length <= UInt64(Self.toleratedBody)
        case .chunked: !request.expectsContinue
        case .untilClose: false
        }
    }

    private func dropBody(of request: HTTP1Request, on loop: isolated EventLoop) async -> Bool {
        guard request.framing != .none else { return true }
        let arrival = await client.readBody(
            request.framing,
            limit: Self.toleratedBody,
            limits: worker.settings.http,
            until: loop.now &+ worker.settings.sniffNanoseconds,
            worker.means,
            on: loop
        )
        if case .body = arrival { return true }
        return false
    }

    @discardableResult
    private func send(_ octets: [UInt8], on loop: isolated EventLoop) async -> Bool {
        bytesDown &+= UInt64(octets.count)
        return await client.send(octets, until: loop.now &+ 60_000_000_000, on: loop)
    }

    /// Ends a connection that was denied something: what it was told of that is to arrive.
    private func leave(_ ending: Ending, ifSaid hasSaidClose: Bool, on loop: isolated EventLoop) async -> Ending {
        guard hasSaidClose else { return ending }
        await client.linger(worker.means, on: loop)
        var told = ending
        told.isOrderly = true
        return told
    }

    /// Ends the connection so that what was sent last arrives; `isUnread`: more of what the client says is to come.
    private func leave(closedBy side: ClosingSide, isUnread: Bool, on loop: isolated EventLoop) async -> Ending {
        if isUnread || client.unreadCount > 0 || client.socket.mayBeReadable {
            await client.linger(worker.means, on: loop)
        }
        return .orderly(closedBy: side)
    }
}

extension OwnAnswer {
    fileprivate func octets(closes: Bool, to request: HTTP1Request) -> [UInt8] {
        octets(closes: closes, isToHead: request.method == "HEAD", requestMinorVersion: request.minorVersion)
    }
}
