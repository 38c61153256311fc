import AuditStore
import AuditTrail
import ContentInspection
import Credentials
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import PolicyEngine
import WireFormats

/// The requests of one client's connection, one after the other: each is judged, recorded, and passed on or refused.
///
/// Lives on one loop.
final class Conversation: SocketObserver {
    let connection: Connection
    let worker: Worker
    let scope: RequestScope
    let client: HTTPEnd
    /// What is known of the request in hand.
    var facts: Facts
    var upstream: OpenUpstream?
    /// What the request in hand still owes; `nil` between requests.
    var entry: JudgedRequestEntry?
    /// What was decided of the request in hand; `nil` between requests.
    var decision: Decision?
    /// What was decided of a request before, and goes for every one like it; `nil`: each is asked about.
    var standing: StandingDecision?
    /// What the requests before have left for the next one.
    var repetition = Repetition()
    /// What is left of the decisions of its user; `nil` before the first.
    private var bucket: DecisionPacer.Bucket?
    /// Which policy decided.
    var judgedGeneration: UInt64 = 0
    /// What was reserved of rates and budgets for the request in hand.
    ///
    /// Made when a policy first has any.
    var hold: CounterHold?
    /// What bounds the bytes of the request in hand; `nil`: nothing does.
    var meter: ByteMeter?
    /// What looks into the content of the request in hand; `nil`: nobody does.
    var inspection: ExchangeInspection?
    /// What the body of the request in hand takes that was read ahead.
    var aheadShare: InspectionShare?
    /// We have told the client to go on with the body of the request in hand.
    var hasContinued = false
    /// What an inspector denied the request in hand for.
    var denial: Denial?
    /// What the body of the request in hand calls; `nil`: nobody had to know.
    var spoken: SpokenCalls?
    /// When the head of the request in hand was read, in nanoseconds of the loop's clock.
    var begun: UInt64 = 0
    /// What the record of the request in hand is known by.
    var requestID: RecordIdentifier?
    /// How the request in hand was to go out, where that came to nothing.
    var failedRoute = Route.direct
    /// What went wrong with the request in hand.
    var detail: String?
    /// What is changed in the request in hand; `nil`: it goes up as it came.
    var revision: HeadRevision?
    /// What the policy that judged the request in hand asks of it, beside letting it through; `nil`: nothing.
    var terms: RequestTerms?
    /// Finds secrets in the answer to the request in hand; `nil`: there are none to find.
    var scrubbing: AnswerScrubbing?
    var texts: RequestTexts
    /// Encodes its records; made anew behind a pause.
    private var keptEncoding: RequestRecordEncoding?
    /// Set while it is known to `UpstreamLending`.
    var isWatchedForLending = false
    /// Set where the client has authenticated its connection, and not each request (NTLM, Negotiate): the upstream is its own.
    var isPinned = false
    /// Octets of the request in hand that an upstream took before it was sent again, on another.
    var bytesInVain: UInt64 = 0
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    /// Set while the client has not begun another request: since when, in nanoseconds of the loop's clock.
    private(set) var idleSince: UInt64?
    /// Where the requests are that nothing is out of the ordinary with.
    var steadiness = Steadiness.no
    /// The request in hand, of the steady state.
    var request: HTTP1Request?
    /// Set while the steady state is being entered; the story takes over at once where there is something out of the ordinary.
    var isEntering = false
    var departure: Departure?

    init(_ connection: Connection, _ scope: RequestScope, _ worker: Worker) {
        self.connection = connection
        self.worker = worker
        self.scope = scope
        client =
            connection.proxied?.end
            ?? HTTPEnd(connection.client, unread: connection.openingBytes, limits: worker.settings.http)
        connection.openingBytes = []
        facts = connection.facts
        texts = RequestTexts()
    }

    /// Carries requests until one side has had enough, and ends the connection's journey then.
    ///
    /// A task keeps the most memory that its calls ever took. Each part of the story has one of its own, and while the client asks
    /// nothing there is none.
    func begin(on loop: isolated EventLoop) {
        if let proxied = connection.proxied {
            connection.proxied = nil
            return tellStory(from: .arrival(.request(proxied.first)), on: loop)
        }
        if let departure = steadyState(on: loop) { tellStory(from: departure, on: loop) }
    }

    /// Goes on with the story in a task of its own.
    func tellStory(from departure: Departure, on loop: isolated EventLoop) {
        loop.startTask(with: (self, departure)) { state, loop in await state.0.goOn(from: state.1, on: loop) }
    }

    private func goOn(from departure: Departure, on loop: isolated EventLoop) async {
        var next: Departure? = departure
        while let departure = next {
            if let ending = await carryOn(departure, on: loop) { return await finish(ending, on: loop) }
            if worker.isDraining { return await finish(.orderly(closedBy: .ours), on: loop) }
            next = steadyState(on: loop)
        }
    }

    /// How long a client may take for what waits for it when the connection ends, in nanoseconds.
    private static let longestFlush: UInt64 = 60_000_000_000
    private static let longestFlushOfCut: UInt64 = 1_000_000_000

    private func finish(_ how: Ending, on loop: isolated EventLoop) async {
        var ending = how
        giveBackUpstream(on: loop)
        if ending.isOrderly {
            let limit = connection.cutting == nil ? Self.longestFlush : Self.longestFlushOfCut
            if await client.flush(until: loop.now &+ limit, on: loop) {
                // In TLS an end has to be said: a stream that only stops may have been cut by anybody.
                if client.socket.isCoded { try? client.socket.endSending() }
            } else if connection.cutting == nil {
                // An answer that the client has not taken whole is not to look as if it had.
                ending.isOrderly = false
                ending.outcome = .reset
                ending.closedBy = .client
            }
        }
        ending.bytesUp = bytesUp
        ending.bytesDown = bytesDown
        connection.end(ending, worker, on: loop)
        worker.leave(connection, on: loop)
    }

    private func carryOn(_ departure: Departure, on loop: isolated EventLoop) async -> Ending? {
        switch departure {
        case .arrival(let arrival):
            if let cut = connection.cutting { return Ending(cut) }
            switch arrival {
            case .request(let request):
                begun = loop.now
                // Is it its turn, and can it be written down?
                await connection.waitForDecision(worker, on: loop)
                return await carry(request, on: loop)
            case .malformed(let violation): return await refuse(violation, on: loop)
            case .ended: return leaving(.orderly(closedBy: .client), on: loop)
            case .timedOut: return Ending(.timedOut, closedBy: .ours, detail: "head")
            case .interrupted: return Ending(Cut(outcome: .drained))
            case .failed(let error):
                return leaving(Ending(.reset, closedBy: .client, detail: error.description), on: loop)
            }
        case .quiet: return await carryOn(.arrival(await nextRequest(on: loop)), on: loop)
        case .due(let request): return await carry(request, on: loop)
        case .recorded(let request, let decision, let isWritten):
            defer { forgetRequest() }
            return await carry(request, decision, isWritten: isWritten, on: loop)
        case .exchanged(let request, let decision, let exchanged):
            defer { forgetRequest() }
            return await settle(await goOn(behind: exchanged, request, decision, on: loop), request, on: loop)
        }
    }

    /// The end of a client that goes by itself.
    private func leaving(_ how: Ending, on loop: isolated EventLoop) -> Ending {
        begun == 0 && client.unreadCount == 0 ? connection.withoutRequest(how, worker, at: loop.now) : how
    }

    /// One request's way; an ending where it was the connection's last.
    private func carry(_ request: HTTP1Request, on loop: isolated EventLoop) async -> Ending? {
        defer { forgetRequest() }

        // Whom is it for, and is it allowed?
        let decision = await judgeWithContent(request, on: loop)

        // Write it down. Only with the record in the file does anything go on, an answer of ours too.
        let ticket = record(decision, request)
        meter = hold?.spend(on: decision, isEnforced: worker.isEnforcing, connection, on: loop)
        let isWritten = await worker.gate.wait(for: ticket, on: loop)
        return await carry(request, decision, isWritten: isWritten, on: loop)
    }

    /// The way of a request that is written down, or could not be.
    private func carry(
        _ request: HTTP1Request,
        _ decision: Decision,
        isWritten: Bool,
        on loop: isolated EventLoop
    ) async -> Ending? {
        guard isWritten else { return end(Ending(.auditUnavailable, closedBy: .ours), on: loop) }
        if let cut = connection.cutting { return end(Ending(cut), on: loop) }
        guard decision.verdict == .allow else { return await refuse(request, decision, on: loop) }

        // Send it up, on the connection that is open if that is the right one, and the answer down.
        return await settle(await exchange(request, decision, on: loop), request, on: loop)
    }

    private func settle(_ step: ExchangeStep, _ request: HTTP1Request, on loop: isolated EventLoop) async -> Ending? {
        switch step {
        case .exchanged(let exchanged): return await conclude(exchanged, request, on: loop)
        case .unreachable(let problem): return await giveUp(problem, request, on: loop)
        case .cut: return end(Ending(connection.cutting ?? Cut(outcome: .drained)), on: loop)
        }
    }

    /// Waits for the rest of a request's head that has begun to come.
    private func nextRequest(on loop: isolated EventLoop) async -> RequestArrival {
        await client.nextRequest(HeadPatience(head: worker.settings.sniffNanoseconds), worker.means, on: loop)
    }

    func beginIdling(on loop: isolated EventLoop) {
        idleSince = loop.now
        worker.registry.idle.append(connection)
        if upstream?.socket.isEnding ?? false { closeUpstream(on: loop) }
        upstream?.socket.observer = self
        if upstream != nil || client.socket.isCoded { worker.lending.watch(self, on: loop) } else { forgetRepetition() }
    }

    func endIdling() {
        if idleSince != nil { worker.registry.idle.remove(connection) }
        idleSince = nil
    }

    /// The client says something between two requests; or an upstream speaks, or ends, while nobody has asked it anything, and is
    /// of no more use.
    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        if socket === client.socket { return readSteadily(on: loop) }
        guard let upstream, upstream.socket === socket, !upstream.line.isQuiet else { return }
        closeUpstream(on: loop)
    }

    func closeUpstream(on loop: isolated EventLoop) {
        repetition.forgetUpstream()
        upstream?.socket.detach(from: loop)
        upstream = nil
    }

    /// Lets somebody else have the upstream, which is between two messages.
    func giveBackUpstream(on loop: isolated EventLoop) {
        guard let upstream, !isPinned, !worker.isDraining, connection.cutting == nil, entry == nil else {
            return closeUpstream(on: loop)
        }
        repetition.forgetUpstream()
        self.upstream = nil
        worker.pool.give(upstream.line, on: loop)
    }

    func forgetRequest() {
        entry = nil
        request = nil
        decision = nil
        meter?.finish()
        meter = nil
        inspection = nil
        aheadShare = nil
        denial = nil
        spoken = nil
        hasContinued = false
        detail = nil
        failedRoute = .direct
        revision = nil
        terms = nil
        scrubbing = nil
        bytesInVain = 0
        requestID = nil
    }

    /// Ends the request in hand wherever it is; the connection has been told why.
    func abort(on loop: isolated EventLoop) {
        upstream?.exchange.abort(on: loop)
        if steadiness == .idle { leaveSteadyState(.arrival(.interrupted), on: loop) }
    }

    var encoding: RequestRecordEncoding {
        if let keptEncoding { return keptEncoding }
        let encoding = RequestRecordEncoding(limits: worker.audit.limits)
        keptEncoding = encoding
        return encoding
    }

    private func forgetRepetition() {
        client.rest()
        repetition = Repetition()
    }

    /// Takes a turn of its user, if it comes at once.
    func takeTurn(on loop: isolated EventLoop) -> Bool {
        let now = loop.now
        let own: DecisionPacer.Bucket
        if let bucket, !bucket.isForgotten {
            own = bucket
        } else {
            own = worker.pacer.bucket(of: connection.facts.owner, now: now)
            bucket = own
        }
        return worker.pacer.turn(in: own, now: now, patience: 0) != nil
    }

    /// Gives back what is only needed while requests come: this client has asked nothing for a moment.
    func beQuiet(on loop: isolated EventLoop) {
        client.socket.cipher?.rest()
        keptEncoding = nil
        forgetRepetition()
        if isPinned { upstream?.rest() } else { giveBackUpstream(on: loop) }
    }

    /// Gives back what is only needed while octets move: an exchange may last for days, and say nothing.
    func rest() {
        client.socket.cipher?.rest()
        upstream?.socket.cipher?.rest()
        forgetRepetition()
        upstream?.rest()
    }

    /// Has the kernel find out if the upstream of an exchange that lasts is gone.
    func watchUpstream() {
        guard idleSince == nil, let upstream, !upstream.line.isWatched else { return }
        upstream.line.isWatched = true
        // An exchange whose upstream cannot be watched lives on until somebody writes.
        try? probeSilentPeers(upstream.socket.descriptor)
    }

    /// Lets the connection end: at once where it is idle, else behind the answer that is on its way.
    func endSoon(on loop: isolated EventLoop) {
        upstream?.exchange.mayKeepClient = false
        if idleSince != nil { connection.cut(Cut(outcome: .closed, isOrderly: true), on: loop) }
    }
}
