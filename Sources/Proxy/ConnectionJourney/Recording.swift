import AuditStore
import AuditTrail
import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine
import Telemetry
import WireFormats

extension Connection {
    /// Writes the decision down, and returns the ticket that must be written before a byte goes upstream.
    func record(_ decision: Decision, _ worker: Worker) -> UInt64 {
        self.decision = decision
        worker.metrics.count(decision)
        // What was known when it was accepted; the decision is written over it.
        guard var record = entry?.facts else { preconditionFailure("a connection is judged before it ends") }
        let allows = decision.verdict == .allow
        record.decision = allows ? .allow : .deny
        record.would = decision.wouldDeny ? .deny : nil
        record.treatment = AuditTrail.Treatment(decision.treatment)
        record.rule = decision.rule?.text
        record.reason = decision.reason.rawValue
        record.policyHash = worker.snapshot.policy?.hash
        record.mode = worker.snapshot.policy?.mode == .audit ? .audit : .enforce
        record.policyGeneration = worker.snapshot.generation
        record.workload = workload(worker)
        describeOpening(in: &record)
        if comesFromUs(worker) { record.detail = "loop" }
        record.destination = RecordedDestination(
            name: facts.recordedName?.text,
            port: facts.original?.socket.port ?? (facts.port == 0 ? nil : facts.port),
            original: facts.original?.description,
            dialled: decision.addresses?.first?.description
        )
        record.egress = decision.egress.texts
        if let authority {
            record.authority = authority.description
            if authority.name != nil, let proxyRequest { record.binding.append(proxyRequest.rawValue) }
        }
        if let addresses = facts.addresses, case .name? = decision.dial, !decision.leavesLookingUp {
            record.binding.append("dns")
            if let original = facts.original, addresses.contains(original.socket.address) {
                record.binding.append("address")
            }
        }
        guard let ticket = entry?.judged(record) else { preconditionFailure("a connection is judged before it ends") }
        return ticket
    }

    /// Whose it is, for its own records and for those of its requests.
    func workload(_ worker: Worker) -> WorkloadIdentity {
        var workload = worker.settings.workload
        workload.uid = facts.workloadUID
        workload.address = facts.clientAddress?.description
        return workload
    }

    private func describeOpening(in record: inout ConnectionRecord) {
        switch sniffed {
        case .silent: record.protocol = .serverFirst
        case .connect: break
        case .tls(let hello):
            record.protocol = .tls
            record.encryptedHello = hello.offersEncryptedClientHello
            record.tlsVersion = hello.highestVersion.text
            record.alpn = hello.protocolNames
            if case .name(let name) = hello.serverName {
                record.sni = name.text
                record.binding = ["sni"]
            }
        case .http(let opening):
            record.protocol = .http
            record.detail = opening.method
            if let name = facts.recordedName {
                record.authority = name.text
                record.binding = ["host"]
            }
        case .h2c: record.protocol = .h2c
        case .opaque, .unfinished: record.protocol = .opaque
        case .refused(_, let kind, let detail):
            record.protocol = kind.flatMap { RecordedProtocol(rawValue: $0.rawValue) }
            record.detail = detail
        case .gone: record.detail = "client_gone"
        case nil: break
        }
    }

    /// Writes down how an allowed connection went, and lets its client go.
    ///
    /// A tunnel has closed both of its sides by now; of the others, whoever was not let go in order is reset.
    func end(_ ending: Ending, _ worker: Worker, on loop: isolated EventLoop) {
        meter?.finish()
        if tunnel == nil, !ending.isOrderly { resetOnClose(client.descriptor) }
        if ending.outcome == .upstreamFailed { worker.metrics.dialFailures.increment() }
        worker.metrics.connectionEnds.increment()
        worker.metrics.bytesUp.add(ending.bytesUp)
        worker.metrics.bytesDown.add(ending.bytesDown)
        let record = ConnectionEndRecord(
            id: id,
            outcome: ending.outcome,
            closedBy: ending.closedBy,
            reason: ending.reason?.rawValue,
            rule: ending.rule?.text,
            bytesUp: ending.bytesUp,
            bytesDown: ending.bytesDown,
            durationMilliseconds: (loop.now &- accepted) / 1_000_000,
            connectMilliseconds: connectNanoseconds.map { $0 / 1_000_000 },
            dialled: dialled?.description,
            egress: route.recordedWay,
            via: route.recordedProxy,
            detail: ending.detail
        )
        entry.take()?.finish(record)
    }
}

extension Decision {
    /// True where it is let through and a proxy looks the name up.
    var leavesLookingUp: Bool { verdict == .allow && addresses == nil && !egress.isEmpty }
}

extension AuditTrail.Treatment {
    init(_ treatment: PolicyEngine.Treatment) {
        self =
            switch treatment {
            case .tunnel: .tunnel
            case .http: .http
            case .intercept: .inspect
            case .refuse: .refuse
            }
    }
}

extension Facts {
    /// The name that the client asked for, whatever it speaks.
    var recordedName: HostName? {
        switch opening {
        case .silent: nil
        case .known(_, let name), .asked(let name): name
        }
    }
}
