import AuditStore
import AuditTrail
import ContentInspection
import Credentials
import EventLoops
import HTTPExchange
import NetworkTypes
import PolicyEngine
import Telemetry
import WireFormats

extension Conversation {
    /// Writes the decision down, and returns the ticket that must be written before anything goes on.
    ///
    /// `request` is `nil` where it could not be read.
    func record(_ decision: Decision, _ request: HTTP1Request?) -> UInt64 {
        if let request {
            revise(request, decision)
            terms = terms(behind: decision)
        }
        return recordInFull(decision, request)
    }

    /// Writes the decision down; what is changed in the request is known.
    func recordInFull(_ decision: Decision, _ request: HTTP1Request?) -> UInt64 {
        repetition.recorded = nil
        self.decision = decision
        judgedGeneration = worker.snapshot.generation
        worker.metrics.count(request: decision)
        let allows = decision.verdict == .allow
        let now = worker.audit.clock()
        var record = RequestRecord(
            id: worker.nextIdentifier(at: now),
            connection: connection.id,
            decision: allows ? .allow : .deny,
            would: decision.wouldDeny ? .deny : nil,
            treatment: allows ? (scope.isIntercepted ? .inspect : .http) : .refuse,
            rule: decision.rule?.text,
            reason: decision.reason.rawValue,
            policy: worker.recordedPolicy,
            workload: connection.workload(worker),
            scheme: scope.isIntercepted ? .https : .http,
            destination: request == nil ? RecordedDestination() : destination(of: decision),
            detail: detail
        )
        if let request { describe(request, decision, in: &record) }
        return submit(encoding.encode(record, at: now), record.id, isAllowed: allows)
    }

    /// Submits the record of the request in hand, and returns its ticket.
    func submit(_ record: AuditRecord, _ id: RecordIdentifier, isAllowed: Bool) -> UInt64 {
        requestID = id
        // Whoever waits for it stands at the gate, which wakes the writer when the loop's turn is over.
        let ticket = worker.audit.submit(record, pressing: false)
        entry = JudgedRequestEntry(judged: id, isAllowed: isAllowed, writer: worker.audit)
        return ticket
    }

    private func describe(_ request: HTTP1Request, _ decision: Decision, in record: inout RequestRecord) {
        record.method = facts.request?.method?.text ?? request.method
        record.authority = texts.authority(request.host)
        record.path = facts.request?.path?.text ?? String(decoding: request.path, as: UTF8.self)
        record.hasQuery = request.query != nil
        record.masked = masked(request, by: worker.audit.mask, &isPinned)
        record.credentials = revision?.secrets.map(\.text) ?? []
        record.egress = decision.egress.texts
        record.binding = binding(facts.recordedName, decision)
        record.message = spoken?.recorded
    }

    private func destination(of decision: Decision) -> RecordedDestination {
        RecordedDestination(
            name: facts.recordedName?.text,
            port: facts.port,
            original: texts.original(facts.original),
            dialled: texts.dialled(decision.addresses?.first, upstream)
        )
    }

    /// By what the destination is bound to the name.
    private func binding(_ name: HostName?, _ decision: Decision) -> [String] {
        guard name != nil else { return [] }
        guard let addresses = facts.addresses, decision.dial != .original, !decision.leavesLookingUp else {
            return Self.boundByHost
        }
        guard let original = facts.original, addresses.contains(original.socket.address) else {
            return Self.boundByName
        }
        return Self.boundByAddress
    }

    // Made once: every request has one of them.
    private static let boundByHost = ["host"]
    private static let boundByName = ["host", "dns"]
    private static let boundByAddress = ["host", "dns", "address"]

    /// Writes down how an allowed request went; once.
    func record(_ ending: Ending, _ exchanged: Exchanged?, at now: UInt64) {
        worker.metrics.requestEnds.increment()
        repetition.ended = nil
        let line = exchanged == nil ? nil : upstream?.line
        let route = line?.route ?? failedRoute
        entry.take()?.finish { id in
            encoding.encode(
                RequestEndRecord(
                    id: id,
                    connection: connection.id,
                    outcome: ending.outcome,
                    status: exchanged?.status.map { UInt16(clamping: $0) },
                    closedBy: ending.closedBy,
                    reason: ending.reason?.rawValue,
                    rule: ending.rule?.text,
                    bytesUp: (exchanged?.bytesUp ?? 0) &+ bytesInVain,
                    bytesDown: exchanged?.bytesDown ?? 0,
                    durationMilliseconds: (now &- begun) / 1_000_000,
                    dialled: line?.addressText,
                    egress: route.recordedWay,
                    via: line?.proxyText ?? route.recordedProxy,
                    detail: ending.detail ?? finding,
                    findings: exchanged?.findings.notes ?? []
                ),
                at: worker.audit.clock()
            )
        }
    }

    /// Asks whether the request in hand may go on under a new policy; `nil` where it may.
    ///
    /// With `reached` the address is known, and it alone is asked about.
    func cutNow(
        by snapshot: PolicySnapshot,
        at now: Int64?,
        outcome: ConnectionOutcome,
        reached: UpstreamAddress? = nil
    ) -> Cut? {
        guard let decision, decision.verdict == .allow else { return nil }
        guard let policy = snapshot.policy else { return Cut(outcome: outcome, reason: .noPolicy) }
        noteDialled(by: decision, at: now)
        if let reached { facts.addresses = [reached.socket.address] }
        let isReplaced = outcome == .policyChanged
        let verdict = isReplaced ? policy.stillAllows(decision, facts) : policy.stillAllowsNow(decision, facts)
        guard verdict.verdict != .allow else { return nil }
        return Cut(outcome: outcome, reason: verdict.reason, rule: verdict.rule)
    }

    /// Asks whether the address that was reached may be used, where another policy came while it was dialled; `nil` where it may.
    func cutReached(_ reached: Reached, since generation: UInt64) -> Cut? {
        let snapshot = worker.snapshot
        guard snapshot.generation != generation else { return nil }
        return cutNow(by: snapshot, at: worker.policyTime, outcome: .policyChanged, reached: reached.target)
    }

    /// Has the facts say what is dialled for the request in hand, or may be.
    func noteDialled(by decision: Decision, at now: Int64?) {
        repetition.forgetFacts()
        facts.now = now
        // The upstream that is open may be the one of the request before, as long as this one's is not dialled.
        let inDial = connection.addressesInDial(decision)
        let own = upstream?.address.flatMap { inDial?.contains($0) ?? false ? $0 : nil }
        facts.addresses = own.map { [$0.socket.address] } ?? inDial?.map(\.socket.address)
    }
}

/// Texts of records that stay the same from one request of a connection to the next.
struct RequestTexts {
    private var host: HTTPHost = .absent
    private var hostText: String?
    private var originalDestination: OriginalDestination?
    private var originalText: String?

    /// What Host says, as it is recorded.
    mutating func authority(_ host: HTTPHost) -> String? {
        if host != self.host {
            self.host = host
            hostText =
                switch host {
                case .absent, .malformed: nil
                case .name(let name, nil): name.text
                case .name(let name, let port?): "\(name):\(port)"
                case .address(let address, let port):
                    port.map { SocketAddress(address, port: $0).description } ?? address.authorityText
                }
        }
        return hostText
    }

    /// Where the agent's kernel was asked to go.
    mutating func original(_ destination: OriginalDestination?) -> String? {
        if destination != originalDestination {
            originalDestination = destination
            originalText = destination?.description
        }
        return originalText
    }

    /// The address chosen to be dialled.
    func dialled(_ address: UpstreamAddress?, _ upstream: OpenUpstream?) -> String? {
        guard let address else { return nil }
        if let upstream, upstream.address == address { return upstream.addressText }
        return address.description
    }
}

extension IPAddress {
    /// The address as Host has it.
    fileprivate var authorityText: String {
        switch self {
        case .v4(let address): "\(address)"
        case .v6(let address): "[\(address)]"
        }
    }
}
