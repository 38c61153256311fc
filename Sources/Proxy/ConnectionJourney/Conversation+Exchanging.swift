import AuditTrail
import Credentials
import EventLoops
import HTTPExchange
import LinuxBindings
import NetworkTypes
import OpenSSLBindings
import PolicyEngine
import TLSInterception
import WireFormats

extension Conversation {
    /// What sending a request up came to.
    enum ExchangeStep {
        case exchanged(Exchanged)
        /// Nobody could be asked.
        case unreachable(DialFailure)
        case cut
    }

    /// Sends an allowed request up and its answer down.
    func exchange(_ request: HTTP1Request, _ decision: Decision, on loop: isolated EventLoop) async -> ExchangeStep {
        if isOutdated(request) { return cutOutdated(on: loop) }
        if let upstream = upstreamToAskAgain(decision) {
            meter?.flow = upstream.exchange
            let exchanged = await run(request, on: upstream, loop)
            return await goOn(behind: exchanged, request, decision, on: loop)
        }
        let step = await exchangeAnew(request, decision, mayBorrow: true, on: loop)
        guard case .exchanged(let exchanged) = step else { return step }
        return await goOn(behind: exchanged, request, decision, on: loop)
    }

    /// Goes on behind an attempt on the upstream that was open: where it failed for its age alone, on a new one.
    func goOn(
        behind exchanged: Exchanged,
        _ request: HTTP1Request,
        _ decision: Decision,
        on loop: isolated EventLoop
    ) async -> ExchangeStep {
        guard let upstream, mayAskAgain(exchanged, request, upstream) else { return .exchanged(exchanged) }
        bytesUp &+= exchanged.bytesUp
        bytesInVain &+= exchanged.bytesUp
        closeUpstream(on: loop)
        if connection.cutting != nil { return .cut }
        return await exchangeAnew(request, decision, mayBorrow: false, on: loop)
    }

    private func exchangeAnew(
        _ request: HTTP1Request,
        _ decision: Decision,
        mayBorrow: Bool,
        on loop: isolated EventLoop
    ) async -> ExchangeStep {
        switch await dial(request, decision, mayBorrow: mayBorrow, on: loop) {
        case .connected: break
        case .unreachable(let problem): return .unreachable(problem)
        case .cut: return .cut
        }
        // Dialling takes time.
        if isOutdated(request) { return cutOutdated(on: loop) }
        guard let upstream else { return .cut }
        upstream.exchange.mayKeepClient = !worker.isDraining
        meter?.flow = upstream.exchange
        return .exchanged(await run(request, on: upstream, loop))
    }

    private func run(
        _ request: HTTP1Request,
        on upstream: OpenUpstream,
        _ loop: isolated EventLoop
    ) async -> Exchanged {
        await upstream.exchange.run(
            request,
            head: headSent(for: request),
            meter: meter,
            inspection: inspection,
            on: loop
        )
    }

    private func cutOutdated(on loop: isolated EventLoop) -> ExchangeStep {
        connection.cut(Cut(outcome: .policyChanged, reason: .policyChanged), on: loop)
        return .cut
    }

    /// The upstream that is open, where the decision is for it.
    func upstreamToAskAgain(_ decision: Decision) -> OpenUpstream? {
        guard let upstream, isOfToday(upstream.line), upstream.line.isQuiet,
            let permit = worker.snapshot.policy?.permit(for: decision),
            borrowUpstream(permit, upstream.line)
        else { return nil }
        upstream.exchange.mayKeepClient = !worker.isDraining
        return upstream
    }

    /// False where it was dialled with credentials, or with trust, that others have taken the place of.
    func isOfToday(_ line: UpstreamLine) -> Bool {
        guard line.key.way == .direct || line.key.generation == worker.snapshot.generation else { return false }
        return line.key.tls.map { $0.number == worker.snapshot.upstreamTLS?.number } ?? true
    }

    /// True where a server that has waited for us closed just when we asked, and asking twice is no harm (RFC 9110,
    /// section 9.2.2; RFC 9112, section 9.3.1).
    private func mayAskAgain(_ exchanged: Exchanged, _ request: HTTP1Request, _ upstream: OpenUpstream) -> Bool {
        guard case .upstreamFailed = exchanged.outcome, upstream.line.hasServed, exchanged.bytesDown == 0 else {
            return false
        }
        // One that has answered, or was told that nobody says any more, has not closed for its age alone.
        return exchanged.status == nil && !exchanged.hasPassedEnd && isRepeatable(request)
    }

    /// True where sending it twice is no harm, and nothing of it is gone once it was sent.
    private func isRepeatable(_ request: HTTP1Request) -> Bool {
        guard request.framing == .none else { return false }
        switch facts.request?.method?.text {
        case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE": return true
        default: return false
        }
    }

    private enum DialStep {
        case connected
        case unreachable(DialFailure)
        case cut
    }

    private func dial(
        _ request: HTTP1Request,
        _ decision: Decision,
        mayBorrow: Bool,
        on loop: isolated EventLoop
    ) async -> DialStep {
        closeUpstream(on: loop)
        if mayBorrow, borrow(request, decision, on: loop) { return .connected }
        let snapshot = worker.snapshot
        guard let permit = snapshot.policy?.permit(for: decision) else { return .cut }
        let name = permit.name
        switch await openUpstream(permit, awaiting: rest(decision), for: connection, worker, on: loop) {
        case .connected(let reached):
            if let cut = cutReached(reached, since: snapshot.generation) {
                drop(reached, on: loop)
                connection.cut(cut, on: loop)
                return .cut
            }
            let peer = peer(at: reached.target)
            if let failure = await prepare(reached, peer, on: loop) {
                drop(reached, on: loop)
                // Nothing of the request has gone, and no ticket is offered twice.
                if failure.isOfTicket, connection.cutting == nil {
                    return await dial(request, decision, mayBorrow: false, on: loop)
                }
                return connection.cutting == nil ? .unreachable(failure) : .cut
            }
            if let peer, peer.terms.number != worker.snapshot.upstreamTLS?.number, connection.cutting == nil {
                // It was verified by trust that is taken away meanwhile, and may have kept us waiting for that.
                drop(reached, on: loop)
                return await dial(request, decision, mayBorrow: false, on: loop)
            }
            let key = poolKey(of: name, peer, by: reached.route.way, snapshot)
            upstream = OpenUpstream(UpstreamLine(reached, under: key, worker), client: client, worker)
            return connection.cutting == nil ? .connected : .cut
        case .failed(let failure): return .unreachable(failure)
        case .abandoned: return .cut
        }
    }

    /// Begins TLS where requests go up in it; what is wrong with an upstream that was reached, if anything is.
    private func prepare(_ reached: Reached, _ peer: UpstreamPeer?, on loop: isolated EventLoop) async -> DialFailure? {
        // Neither in HTTP nor in TLS does a server speak first.
        guard reached.unread.isEmpty else { return DialFailure(.malformed, "early_octets", route: reached.route) }
        guard scope.isIntercepted else { return nil }
        var failure = DialFailure("upstream_tls_failed")
        if let peer {
            guard let fault = await secure(reached.socket, with: peer, connection, worker, on: loop) else { return nil }
            failure = DialFailure(fault.detail)
            failure.status = fault.status
            failure.isOfTicket = fault.isOfTicket
        }
        failure.route = reached.route
        return failure
    }

    /// Whom TLS is begun with: the one whom the client has asked for, wherever policy has it dialled.
    private func peer(at address: UpstreamAddress?) -> UpstreamPeer? {
        guard scope.isIntercepted, let tls = worker.snapshot.upstreamTLS,
            let certified = facts.name.map(CertifiedName.host) ?? address.map({ .address($0.socket.address) })
        else { return nil }
        let terms = tls.terms(for: certified, port: facts.port, oldest: connection.oldestUpstreamTLS)
        return UpstreamPeer(terms: terms, tls: tls)
    }

    /// Takes a connection that nobody uses; false where none is for this request.
    private func borrow(_ request: HTTP1Request, _ decision: Decision, on loop: isolated EventLoop) -> Bool {
        // Whose it is must be known: what nobody is known by would be shared by all of them.
        guard !isPinned, facts.owner != nil, let permit = worker.snapshot.policy?.permit(for: decision) else {
            return false
        }
        let peer = peer(at: permit.addresses.first)
        // What is asked inside TLS never goes up a connection without it.
        guard peer != nil || !scope.isIntercepted else { return false }
        // Another way that is stated is for when the first cannot be reached.
        let key = poolKey(of: permit.name, peer, by: permit.egress.first?.name ?? .direct, worker.snapshot)
        let isRepeatable = isRepeatable(request)
        if !worker.pool.has(key) { worker.lending.reclaim(key, on: loop) }
        guard let found = worker.pool.take(permit, under: key, isRepeatable: isRepeatable, on: loop) else {
            return false
        }
        upstream = OpenUpstream(found, client: client, worker)
        return true
    }

    private func poolKey(
        of name: HostName?,
        _ peer: UpstreamPeer?,
        by way: EgressName,
        _ snapshot: PolicySnapshot
    ) -> PoolKey {
        PoolKey(
            name: name,
            port: facts.port,
            tls: peer?.terms,
            way: way,
            workload: facts.owner,
            generation: snapshot.generation
        )
    }

    /// The head as it is sent, what was judged, written anew; and what its answer passes through.
    func headSent(for request: HTTP1Request) -> OutgoingHead {
        var forwarding = HTTP1RequestForwarding(closes: false, upgrades: request.asksUpgrade)
        // What was judged: inside TLS the session's name, wherever the agent's kernel was asked to go.
        if case .known(_, let name?) = facts.opening {
            forwarding.hostIfAbsent = .name(name, port: facts.port == scope.customaryPort ? nil : facts.port)
        } else if let original = facts.original?.socket {
            forwarding.hostIfAbsent = .address(
                original.address,
                port: original.port == scope.customaryPort ? nil : original.port
            )
        }
        forwarding.revision = revision?.fields
        var octets: [UInt8] = []
        octets.reserveCapacity(request.headBytes + 64)
        request.append(to: &octets, forwarding: forwarding)
        return OutgoingHead(octets, answeredThrough: answerStage())
    }
}
