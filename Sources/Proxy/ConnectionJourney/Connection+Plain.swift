import AuditStore
import AuditTrail
import EventLoops
import LinuxBindings
import PolicyEngine

/// How far a connection has come when its story is taken up in a task.
enum Waypoint {
    /// Its destination has been asked for.
    case registered
    /// `sniffed` says what it says.
    case heard
    /// Its turn to be judged was taken.
    case due
    /// It is judged and counted among the decided; nothing of it goes on before the ticket is written.
    case recorded(Decision, ticket: UInt64)
}

/// The way of a connection that nothing is out of the ordinary with: what it says comes in one piece, its decision waits for
/// nothing but its record, and it goes out directly.
///
/// Each step is set off by a socket, by the audit gate or by the dial, in the order of `carry`. No task waits for it: that takes the
/// story up where something is out of the ordinary, and where something is refused. Every step of a task into another costs more
/// than what is done in it.
extension Connection: SocketObserver, AuditGateParty {
    /// What is waited for, each with an end of its own: no task is there that would end with the connection.
    enum Plainness {
        /// Nothing, or the story is told elsewhere.
        case no
        /// What the client says.
        case hearing
        /// The record of its decision.
        case recording
        /// The upstream.
        case dialling
        /// The end of its tunnel.
        case relaying
    }

    /// Goes the way from its beginning.
    func setOut(on loop: isolated EventLoop) {
        recoverDestination(worker)
        guard capture == .transparent, mayBeHeard else { return tellStory(from: .registered, on: loop) }
        plainness = .hearing
        client.observer = self
        hearPlainly(on: loop)
    }

    /// Goes on with the story in a task.
    private func tellStory(from waypoint: Waypoint, on loop: isolated EventLoop) {
        plainness = .no
        client.observer = nil
        loop.startTask(with: (self, waypoint)) { state, loop in
            await carry(state.0, from: state.1, state.0.worker, on: loop)
        }
    }

    /// The client has said something while that is waited for; else it is noted by the socket, for whoever reads next.
    func socketIsReady(_ socket: StreamSocket, on loop: isolated EventLoop) {
        if plainness == .hearing { hearPlainly(on: loop) }
    }

    private func hearPlainly(on loop: isolated EventLoop) {
        var examination = OpeningExamination()
        if examine(&examination, worker) { return decidePlainly(on: loop) }
        // What has begun has its own time, and the story keeps it.
        guard openingBytes.isEmpty else {
            stopSilence(on: loop)
            return tellStory(from: .registered, on: loop)
        }
        guard silence == nil else { return }
        let patience = min(worker.settings.sniffNanoseconds, worker.settings.silenceNanoseconds)
        silence = loop.schedule(afterNanoseconds: patience) {
            self.silence = nil
            guard self.plainness == .hearing else { return }
            self.sniffed = .silent
            self.decidePlainly(on: loop)
        }
    }

    private func stopSilence(on loop: isolated EventLoop) {
        guard let silence else { return }
        self.silence = nil
        loop.cancel(silence)
    }

    /// Ends the wait for what the client says, if it waits.
    func stopHearing(because cut: Cut, on loop: isolated EventLoop) {
        guard plainness == .hearing else { return }
        stopSilence(on: loop)
        sniffed = .unfinished(cut.reason ?? .draining)
        tellStory(from: .heard, on: loop)
    }

    private func decidePlainly(on loop: isolated EventLoop) {
        stopSilence(on: loop)
        // Of its two parts: asked itself, the facts would be copied whole.
        let owner = ConnectionOwner(user: facts.workloadUID, address: facts.clientAddress)
        guard cutting == nil, worker.audit.takesDecisions,
            worker.pacer.turn(of: owner, now: loop.now, patience: 0) != nil
        else { return tellStory(from: .heard, on: loop) }
        guard let decision = judgeAtOnce(worker), decision.verdict != .undetermined else {
            return tellStory(from: .due, on: loop)
        }
        let ticket = record(decision, worker)
        worker.registry.decided(self)
        switch decision.treatment {
        case .tunnel where decision.verdict == .allow && decision.egress.isEmpty:
            plainness = .recording
            worker.gate.tell(self, of: ticket, on: loop)
        case .http where requestScope != nil:
            plainness = .no
            client.observer = nil
            _ = beginConversation(on: loop)
        case .tunnel, .http, .intercept, .refuse: tellStory(from: .recorded(decision, ticket: ticket), on: loop)
        }
    }

    /// Has each request judged and written down for itself, behind this record; false where it carries none.
    func beginConversation(on loop: isolated EventLoop) -> Bool {
        guard let scope = requestScope else { return false }
        let conversation = Conversation(self, scope, worker)
        self.conversation = conversation
        conversation.begin(on: loop)
        return true
    }

    /// Dials: the record of the decision is written.
    func recordIsThrough(isWritten: Bool, on loop: isolated EventLoop) {
        guard plainness == .recording, let decision else { return }
        guard isWritten else { return leave(Ending(.auditUnavailable, closedBy: .ours), on: loop) }
        if let cutting { return leave(Ending(cutting), on: loop) }
        guard let permit = worker.snapshot.policy?.permit(for: decision) else {
            return leave(Ending(Cut(outcome: .policyChanged)), on: loop)
        }
        plainness = .dialling
        dialledSince = loop.now
        dialledGeneration = worker.snapshot.generation
        openUpstream(permit, awaiting: rest(decision), tellingConnection: self, on: loop)
    }

    /// Relays: the dial has come to something.
    func dialIsOver(_ dialled: Dialled, on loop: isolated EventLoop) {
        race = nil
        switch dialled {
        case .connected(let reached):
            reach(reached, after: loop.now &- dialledSince)
            if let cut = cutReached(since: dialledGeneration) {
                drop(reached, on: loop)
                return leave(Ending(cut), on: loop)
            }
            let tunnel = Tunnel(self, to: reached, worker)
            self.tunnel = tunnel
            plainness = .relaying
            tunnel.begin(on: loop)
        case .failed(let failure):
            route = failure.route
            leave(failure.ending, on: loop)
        case .abandoned: leave(Ending(cutting ?? Cut(outcome: .drained)), on: loop)
        }
    }

    /// Leaves: the tunnel is over; `nil` where its client asks for something instead.
    func tunnelIsOver(_ ending: Ending?, on loop: isolated EventLoop) {
        plainness = .no
        if let ending = ending ?? turnToRequests(on: loop) { leave(ending, on: loop) }
    }

    /// Carries requests from now on: a client that was let through while it was silent has begun one.
    ///
    /// - Returns: how the connection ended, where it was cut meanwhile.
    func turnToRequests(on loop: isolated EventLoop) -> Ending? {
        hasTurned = true
        meter = nil
        tunnel = nil
        decision = .perRequest(port: facts.port)
        if let opening { facts.opening = opening }
        if cutting == nil, beginConversation(on: loop) { return nil }
        return Ending(cutting ?? Cut(outcome: .cut, reason: .perRequest))
    }

    private func leave(_ ending: Ending, on loop: isolated EventLoop) {
        plainness = .no
        end(ending, worker, on: loop)
        worker.leave(self, on: loop)
    }
}
