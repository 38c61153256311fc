import ByteRelay
import ContentInspection
import EventLoops
import LinuxBindings
import WireFormats

/// How an exchange went.
package struct Exchanged {
    /// How it ended.
    package enum Outcome {
        /// The answer has been passed on whole.
        case answered
        /// The upstream changed the protocol, and both sides of what followed are done.
        case switched
        /// The upstream, not the client, was the one that failed.
        case upstreamFailed(SystemCallError?)
        /// The upstream's answer cannot be passed on.
        case upstreamMalformed(HTTP1Violation)
        /// The client failed, or ended before its request did.
        case clientFailed(SystemCallError?)
        /// The request's body cannot be passed on.
        case requestMalformed(HTTP1Violation)
        /// An inspector denies what goes up.
        case requestDenied(Denial)
        /// An inspector denies what comes down.
        case answerDenied(Denial)
        /// Somebody else ended it.
        case aborted
    }

    /// One of the two who are connected.
    package enum Side {
        case client
        case upstream
    }

    package var outcome: Outcome
    /// The status of the final answer; `nil` where none came.
    package var status: Int?
    /// Octets of this exchange that the upstream has taken.
    package var bytesUp: UInt64
    /// Octets of this exchange that the client has taken.
    package var bytesDown: UInt64
    /// The client may ask again on its connection.
    package var keepsClient: Bool
    /// The upstream may be asked again on its connection.
    package var keepsUpstream: Bool
    /// Whether anything of a final answer went to the client: after that there is no other answer to give.
    package var hasAnswered: Bool
    /// The client has not said all of its request: what follows is not known.
    package var leavesBody: Bool
    /// The client said no more while it waited, and the upstream was told so: what failed then may have failed for that.
    package var hasPassedEnd: Bool
    /// The answer, or the changed protocol, lasts as long as a connection, and nobody knows whether that came to its end or was cut.
    package var mayBeTruncated = false
    /// Who was the first to end a changed protocol; `nil`: nobody, or it was not changed.
    package var firstToEnd: Side?
    /// Both sides of a WebSocket connection were told why it ends.
    package var hasSaidClose = false
    /// What inspectors noted.
    package var findings = Findings()
}

/// Somebody who is told how an exchange went, instead of a task that waits for it.
///
/// Lives on one loop.
package protocol ExchangeParty: AnyObject {
    /// Called once; the exchange may begin another.
    func exchangeIsOver(_ exchanged: Exchanged, on loop: isolated EventLoop)
}

/// Passes requests up and answers down between two ends, one after the other, and both directions of each at once.
///
/// Lives on one loop; whoever runs it waits once for each request. Nothing of a body is held beyond what one side has sent
/// and the other not yet taken: one buffer for each direction.
package final class Exchange: SocketObserver, DeferredWork {
    let client: HTTPEnd
    let upstream: HTTPEnd
    let means: RelayMeans
    let up: MessageFlow
    let down: MessageFlow
    var phase = Phase.over
    var terms: Terms
    /// The final answer, once its head is there.
    var response: HTTP1Response?
    /// The final answer began before all of the request was sent: what came behind it may stand unread before the next one.
    var isAnsweredEarly = false
    /// The head that was passed on last: a server says the same again, and again it goes on the same.
    var passed: PassedHead?
    /// Set where the answer's head tells the client that the connection ends.
    var closesClient = false
    /// The upstream takes no more of the request; its answer may still come.
    var uploadFailure: SystemCallError?
    /// The client has been told to go on with its body.
    var hasContinued = false
    /// The client of a WebSocket connection was told why it ends.
    var hasSaidClose = false
    /// What looks at the exchange; `nil`: nobody does.
    var inspection: ExchangeInspection?
    /// Who was the first to end a changed protocol, and whether it said so, as far as can be told.
    private var firstEnd: (side: Exchanged.Side, isInOrder: Bool)?
    private var before: (up: UInt64, down: UInt64) = (0, 0)
    private var party: (any ExchangeParty)?
    private var isScheduled = false
    /// The upstream was told that the client says no more.
    var hasPassedEnd = false
    /// Set while the end of a changed protocol of which one side is gone is awaited.
    var stallTimer: TimerToken?
    /// Set while requests may follow; once false, the next answer's head says that the connection ends.
    package var mayKeepClient = true

    /// Where the answer is.
    enum Phase {
        /// Its head is awaited.
        case head
        /// Its body is passed on.
        case body
        /// The protocol was changed: two directions of octets.
        case tunnel
        case over
    }

    /// What is kept of the request while it is answered.
    struct Terms {
        var answering: HTTP1Answering
        var minorVersion: Int
        var keepsAlive: Bool
        var expectsContinue: Bool
    }

    /// Two ends, both attached to the loop; nobody else reads from them while an exchange runs.
    package init(client: HTTPEnd, upstream: HTTPEnd, limits: HTTP1Limits, _ means: RelayMeans) {
        self.client = client
        self.upstream = upstream
        self.means = means
        up = MessageFlow(from: client, to: upstream, passesTrailers: false, keepsRoom: false, limits: limits)
        down = MessageFlow(from: upstream, to: client, passesTrailers: true, keepsRoom: true, limits: limits)
        terms = Terms(answering: HTTP1Answering(), minorVersion: 1, keepsAlive: false, expectsContinue: false)
    }

    /// Lets go of what only serves the next answer while it comes soon.
    package func rest() {
        passed = nil
        down.rest()
    }

    /// Sends the request up and its answer down.
    ///
    /// `head` is what is sent for the request's head; `meter` bounds how much goes up of it and of what follows, and
    /// `inspection` looks at what passes.
    package func run(
        _ request: HTTP1Request,
        head: OutgoingHead,
        meter: (any FlowMeter)? = nil,
        inspection: ExchangeInspection? = nil,
        on loop: isolated EventLoop
    ) async -> Exchanged {
        await withCheckedContinuation { continuation in
            party = WaitingTask(continuation)
            start(request, head: head, meter: meter, inspection: inspection, on: loop)
        }
    }

    /// Sends the request up and its answer down, and tells `party` how that went: a task that waits costs more than a head.
    package func start(
        _ request: HTTP1Request,
        head: OutgoingHead,
        for party: any ExchangeParty,
        on loop: isolated EventLoop
    ) {
        self.party = party
        start(request, head: head, meter: nil, inspection: nil, on: loop)
    }

    private func start(
        _ request: HTTP1Request,
        head: OutgoingHead,
        meter: (any FlowMeter)?,
        inspection: ExchangeInspection?,
        on loop: isolated EventLoop
    ) {
        terms = Terms(
            answering: request.answering,
            minorVersion: request.minorVersion,
            keepsAlive: request.keepsAlive,
            expectsContinue: request.expectsContinue
        )
        response = nil
        isAnsweredEarly = false
        closesClient = false
        uploadFailure = nil
        hasPassedEnd = false
        hasSaidClose = false
        firstEnd = nil
        hasContinued = inspection?.hasContinued ?? false
        self.inspection = inspection
        before = (up.moved, down.moved)
        up.meter = meter
        down.stage = head.stage
        phase = .head
        do throws(MessageFailure) {
            try up.begin(head.octets, request.framing, inspection: inspection?.ofRequest())
        } catch {
            return finish(Exchanged.Outcome(ofRequest: error), on: loop)
        }
        client.socket.observer = self
        upstream.socket.observer = self
        goOn(on: loop)
    }

    /// Ends it wherever it is; both sides are then to be closed.
    package func abort(on loop: isolated EventLoop) {
        guard phase != .over else { return }
        finish(.aborted, on: loop)
    }

    /// Goes on where one of the two ends may be read or written again.
    package func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        if !isScheduled { goOn(on: loop) }
    }

    /// Moves what can be moved now, in both directions.
    package func goOn(on loop: isolated EventLoop) {
        isScheduled = false
        guard phase != .over else { return }
        // Of a request whose answer the client has only to take, no more goes up.
        let isOver = phase == .body && down.isFinished && !mayFinishUpload
        guard let hasMoreUp = isOver ? false : pumpUp(on: loop) else { return }
        passEnd()
        noteEnd()
        guard let hasMoreDown = pumpDown(on: loop) else { return }
        noteEnd()
        if phase == .tunnel, up.isFinished, down.isFinished { return finish(.switched, on: loop) }
        if phase == .body, down.isFinished, up.isFinished || !mayFinishUpload {
            do throws(SystemCallError) {
                // Who is not kept has all of the answer before the connection goes.
                let isTaken = closesClient ? try client.socket.isClear() : true
                if isTaken { return finish(.answered, on: loop) }
            } catch {
                return finish(.clientFailed(error), on: loop)
            }
        }
        if isClientGone, !hasMoreUp { return finish(.clientFailed(nil), on: loop) }
        if hasMoreUp || hasMoreDown {
            isScheduled = true
            loop.runAgain(self)
        } else if phase == .tunnel, client.socket.hasFailed || upstream.socket.hasFailed {
            watchStall(on: loop)
        }
    }

    /// The client has reset the connection, perhaps before this exchange began; one that has only said its last is not gone.
    ///
    /// While it waits for its answer, or its request for the server, nobody reads from it, and no other call would tell.
    private var isClientGone: Bool {
        guard client.socket.isEnding, phase != .tunnel else { return false }
        return (try? isConnected(client.socket.descriptor)) == false
    }

    /// Whether the rest of a request may go up behind its answer, so that the client can ask again.
    ///
    /// Not where the client was told that it is over, nor to a server that said so.
    private var mayFinishUpload: Bool {
        !closesClient && uploadFailure == nil && (response?.keepsAlive ?? false)
    }

    /// Notes who is the first to end a changed protocol: what the other does then may be no more than its answer to that.
    private func noteEnd() {
        guard phase == .tunnel, firstEnd == nil else { return }
        if up.sourceEnded {
            firstEnd = (.client, client.socket.endedInOrder)
        } else if down.sourceEnded {
            firstEnd = (.upstream, upstream.socket.endedInOrder)
        }
    }

    func finish(_ outcome: Exchanged.Outcome, on loop: isolated EventLoop) {
        noteEnd()
        sayClose(outcome)
        let result = result(outcome)
        phase = .over
        if let stallTimer { loop.cancel(stallTimer) }
        inspection = nil
        up.abandon(means)
        down.abandon(means)
        up.meter = nil
        down.stage = nil
        client.socket.observer = nil
        upstream.socket.observer = nil
        party.take()?.exchangeIsOver(result, on: loop)
    }

    /// A task that waits.
    private final class WaitingTask: ExchangeParty {
        private let continuation: CheckedContinuation<Exchanged, Never>

        init(_ continuation: CheckedContinuation<Exchanged, Never>) { self.continuation = continuation }

        func exchangeIsOver(_ exchanged: Exchanged, on loop: isolated EventLoop) {
            continuation.resume(returning: exchanged)
        }
    }

    /// The server of the last answer wants credentials that are good for its whole connection.
    package var authenticatesConnection: Bool {
        response.map(HTTP1ConnectionAuthentication.isAsked) ?? false
    }

    /// All of the request has gone up.
    var hasSentRequest: Bool { up.isFinished && uploadFailure == nil }

    private var keepsUpstream: Bool {
        hasSentRequest && !hasPassedEnd && !isAnsweredEarly && (response?.keepsAlive ?? false)
            && upstream.unreadCount == 0
    }

    private func result(_ outcome: Exchanged.Outcome) -> Exchanged {
        let isWhole = if case .answered = outcome { true } else { false }
        let isCutShort = isWhole && response?.framing == .untilClose && !upstream.socket.endedInOrder
        return Exchanged(
            outcome: outcome,
            status: response?.status,
            bytesUp: up.moved - before.up,
            bytesDown: down.moved - before.down,
            keepsClient: isWhole && !closesClient && hasSentRequest,
            keepsUpstream: isWhole && keepsUpstream,
            hasAnswered: response != nil && !down.holdsHead,
            leavesBody: !up.isFinished || uploadFailure != nil,
            hasPassedEnd: hasPassedEnd,
            mayBeTruncated: isCutShort || firstEnd?.isInOrder == false,
            firstToEnd: firstEnd?.side,
            hasSaidClose: hasSaidClose,
            findings: inspection?.findings ?? Findings()
        )
    }
}
