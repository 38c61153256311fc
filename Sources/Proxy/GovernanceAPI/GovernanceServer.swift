import AuditStore
import AuditTrail
import ByteRelay
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import PolicyEngine
import WireFormats

/// Serves the governance API on one loop.
///
/// Lives on that loop.
package final class GovernanceServer: AcceptingParty {
    private let services: GovernanceServices
    private let api: GovernanceAPI
    private let netlink: NetlinkQuestions
    private let gate: AuditGate
    private let pacer: DecisionPacer
    private let means = RelayMeans(bufferBytes: 65536, pipes: 0)
    private var identifiers = IdentifierSequence(random: KernelRandomness())
    private var acceptors: [Acceptor] = []
    private var policy: GovernancePolicy
    /// Who is being talked to, the oldest first: each until its descriptor is closed.
    private var open: [Caller] = []

    /// Conversations of one loop at a time; one more ends the oldest that can be ended, so that idle ones never keep a caller waiting.
    ///
    /// Those who are let go are there until the next turn: at most as many more as are accepted in one.
    package static let capacity = 128
    /// How long a caller may take to send a question, and to take an answer, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000
    /// How often it is looked whether records can be written again, in nanoseconds.
    private static let look: UInt64 = 100_000_000
    /// How long a connection may be idle, in nanoseconds: longer than the pools of usual clients keep one.
    private static let idleness: UInt64 = 300_000_000_000

    /// Makes a server on its loop; it accepts nobody before `serve`.
    package init(
        _ services: GovernanceServices,
        _ policy: GovernancePolicy,
        on loop: isolated EventLoop
    ) throws(SystemCallError) {
        let netlink = try NetlinkQuestions()
        let ownPorts = services.ownPorts
        self.services = services
        self.policy = policy
        self.netlink = netlink
        gate = try AuditGate(services.audit, patience: services.auditNanoseconds, on: loop)
        pacer = DecisionPacer(perSecond: services.decisionsPerSecond)
        api = GovernanceAPI(
            services.settings,
            isOwnListener: { netlink.isLocal($0, among: ownPorts) },
            clock: services.clock,
            obstacle: services.obstacle
        )
    }

    /// Takes over a socket that listens, and answers whoever comes to it.
    package func serve(adopting listener: consuming OwnedDescriptor, on loop: isolated EventLoop)
        throws(SystemCallError)
    {
        try sendWithoutDelay(listener)
        let acceptor = Acceptor(adopting: listener)
        try acceptor.start(for: self, on: loop)
        acceptors.append(acceptor)
    }

    /// Answers by a new policy from now on.
    package func adopt(_ policy: GovernancePolicy) {
        self.policy = policy
    }

    /// Accepts nobody more, and ends every conversation behind the answer that is due.
    package func stop(on loop: isolated EventLoop) {
        for acceptor in acceptors { acceptor.stop(on: loop) }
        acceptors = []
        for caller in open { caller.end.socket.hearNoMore(on: loop) }
    }

    /// Talks to somebody who has come.
    package func take(_ accepted: consuming AcceptedSocket, on loop: isolated EventLoop) {
        let peer = accepted.peer
        let socket = StreamSocket(accepted.takeDescriptor())
        guard makeRoom(on: loop) else { return turnAway(socket) }
        guard (try? socket.attach(to: loop)) != nil else { return }
        let caller = Caller(HTTPEnd(socket, limits: HTTP1Limits()), uid: owner(of: socket, at: peer))
        open.append(caller)
        loop.startTask(with: (self, caller)) { state, loop in await state.0.converse(with: state.1, on: loop) }
    }

    /// Lets the oldest caller go who keeps nothing but itself waiting, if there are too many; false where there is none.
    private func makeRoom(on loop: isolated EventLoop) -> Bool {
        guard open.count >= Self.capacity else { return true }
        guard open.count < Self.capacity + Acceptor.turn,
            let oldest = open.first(where: { $0.isListening && !$0.end.socket.hearsNoMore })
        else { return false }
        oldest.end.socket.hearNoMore(on: loop)
        oldest.end.socket.interrupt(on: loop)
        return true
    }

    /// Says that there are too many callers, to one who is not talked to.
    ///
    /// What has come of the question is read first: closing would else reset the connection, and the answer be lost.
    private func turnAway(_ socket: StreamSocket) {
        _ = try? socket.receive(into: means.buffer)
        let answer = OwnAnswer.detail("Too many callers", status: 503, fields: [OwnAnswer.Field("Retry-After", "1")])
        _ = try? socket.send(answer.octets(closes: true)[...])
        try? socket.endSending()
    }

    /// The user that owns the caller's end; nil where the kernel does not know or cannot be asked.
    private func owner(of socket: StreamSocket, at peer: SocketAddress) -> UInt32? {
        guard let ours = (try? localAddress(socket.descriptor)) ?? nil else { return nil }
        guard let owner = try? netlink.owner(local: peer, remote: ours) else { return nil }
        // Somebody else may have the port of a caller who is gone: while the connection exists, nobody can.
        return (try? isConnected(socket.descriptor)) == true ? owner : nil
    }

    private func converse(with caller: Caller, on loop: isolated EventLoop) async {
        caller.isListening = true
        while await answerNext(of: caller, on: loop) {}
        caller.end.socket.detach(from: loop)
        open.removeAll { $0 === caller }
    }

    /// Answers one request; false where the conversation is over.
    private func answerNext(of caller: Caller, on loop: isolated EventLoop) async -> Bool {
        // Many are accepted in one turn: one that is dismissed in it has not begun.
        guard !caller.end.socket.hearsNoMore else { return false }
        let arrival = await caller.end.nextRequest(
            HeadPatience(idle: Self.idleness, head: Self.patience),
            means,
            on: loop
        )
        switch arrival {
        case .request(let request): return await answer(request, of: caller, on: loop)
        case .malformed(let violation):
            await sendLast(.malformed(violation), to: caller, on: loop)
            return false
        case .ended, .timedOut, .interrupted, .failed: return false
        }
    }

    private func answer(_ request: HTTP1Request, of caller: Caller, on loop: isolated EventLoop) async -> Bool {
        let deadline = loop.now &+ Self.patience
        if case .length(let length) = request.framing, length > services.settings.json.bytes {
            // Told at once: a client that waits for 100 would send what nobody reads.
            await sendLast(GovernanceAPI.tooLarge, to: caller, on: loop)
            return false
        }
        if request.expectsContinue {
            guard await caller.end.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), until: deadline, on: loop) else {
                return false
            }
        }
        let body: [UInt8]
        switch await caller.end.readBody(
            request.framing,
            limit: services.settings.json.bytes,
            limits: HTTP1Limits(),
            until: deadline,
            means,
            on: loop
        ) {
        case .body(let octets): body = octets
        case .tooLong:
            await sendLast(GovernanceAPI.tooLarge, to: caller, on: loop)
            return false
        case .malformed(let violation):
            await sendLast(.malformed(violation), to: caller, on: loop)
            return false
        case .timedOut, .interrupted, .failed: return false
        }
        caller.isListening = false
        let recorded = await recordedAnswer(GovernanceQuestion(request, body), of: caller, on: loop)
        caller.isListening = true
        guard let answer = recorded else {
            // An answer that cannot be accounted for is not given.
            await sendLast(.detail("The audit stream cannot be written", status: 503), to: caller, on: loop)
            return false
        }
        let stays = request.keepsAlive && !caller.end.socket.hearsNoMore
        let octets = answer.message.octets(
            closes: !stays,
            isToHead: request.method == "HEAD",
            requestMinorVersion: request.minorVersion
        )
        guard await caller.end.send(octets, until: loop.now &+ Self.patience, on: loop) else { return false }
        if !stays { await caller.end.linger(means, on: loop) }
        return stays
    }

    /// Answers a question and waits until the record is written; nil where that takes too long.
    ///
    /// While nothing new may pass, at the trail's budget among it, no question is decided: its record would take the room that
    /// is set aside for the ends of what is open.
    private func recordedAnswer(
        _ question: GovernanceQuestion,
        of caller: Caller,
        on loop: isolated EventLoop
    ) async -> GovernanceAnswer? {
        var answer = api.answer(question, in: situation(of: caller))
        guard answer.check != nil else { return answer }
        // Not recorded: what is asked beyond the pace would push older records out of the trail.
        guard pacer.turn(of: caller.owner, now: loop.now, patience: 0) != nil else { return .tooFast }
        if !services.audit.takesDecisions {
            guard await mayDecide(on: loop) else { return nil }
            answer = api.answer(question, in: situation(of: caller))
        }
        guard let check = answer.check else { return answer }
        return await gate.wait(for: services.audit.submit(check, pressing: false), on: loop) ? answer : nil
    }

    /// Waits while no record can be written; false where that takes too long.
    private func mayDecide(on loop: isolated EventLoop) async -> Bool {
        let deadline = loop.now &+ services.auditNanoseconds
        while !services.audit.takesDecisions {
            guard loop.now < deadline else { return false }
            await withCheckedContinuation { continuation in
                _ = loop.schedule(afterNanoseconds: Self.look) { continuation.resume() }
            }
        }
        return true
    }

    private func sendLast(_ answer: OwnAnswer, to caller: Caller, on loop: isolated EventLoop) async {
        let octets = answer.octets(closes: true)
        guard await caller.end.send(octets, until: loop.now &+ Self.patience, on: loop) else { return }
        await caller.end.linger(means, on: loop)
    }

    private func situation(of caller: Caller) -> GovernanceSituation {
        let time = services.audit.clock()
        return GovernanceSituation(
            policy: policy.policy,
            generation: policy.generation,
            isReady: services.isReady(),
            callerUID: caller.uid,
            id: identifiers.next(at: time),
            time: time,
            mask: services.audit.mask
        )
    }
}

/// Somebody who asks, for as long as the connection lasts.
private final class Caller {
    let end: HTTPEnd
    /// Who owns the other end.
    let uid: UInt32?
    /// It may be let go: it is waited for, and not the other way round.
    ///
    /// One who has just come is not: what it asks is on its way.
    var isListening = false

    init(_ end: HTTPEnd, uid: UInt32?) {
        self.end = end
        self.uid = uid
    }

    var owner: ConnectionOwner? { uid.map(ConnectionOwner.user) }
}

extension GovernanceQuestion {
    fileprivate init(_ request: HTTP1Request, _ body: [UInt8]) {
        // Two say nothing that two readers would agree on.
        let types = request.fields.values(of: "content-type")
        self.init(
            method: request.method,
            path: String(decoding: request.path, as: UTF8.self),
            contentType: types.count == 1 ? String(decoding: types[0], as: UTF8.self) : nil,
            authority: request.host.authority,
            body: body
        )
    }
}

extension GovernanceAnswer {
    /// To who asks more than may be decided in a second; it leaves no record.
    fileprivate static var tooFast: GovernanceAnswer {
        let later = OwnAnswer.Field("Retry-After", "1")
        return GovernanceAnswer(.detail("Too many questions in a second", status: 429, fields: [later]))
    }
}

extension OwnAnswer {
    fileprivate static func malformed(_ violation: HTTP1Violation) -> OwnAnswer {
        .detail("Malformed request: \(violation.rawValue)", status: 400)
    }
}
