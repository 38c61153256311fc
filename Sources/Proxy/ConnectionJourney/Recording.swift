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
        let record = worker.memory.encode(
            RecordedConnection(self, decision, by: worker.recordedPolicy),
            facts,
            id,
            client: entry?.beginning.client,
            worker.settings.workload,
            at: worker.audit.clock()
        )
        guard let ticket = entry?.judged(record) else { preconditionFailure("a connection is judged before it ends") }
        return ticket
    }

    /// Whose it is, for the records of its requests.
    func workload(_ worker: Worker) -> WorkloadIdentity { worker.settings.workload.of(facts) }

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
        let end = RecordedEnd(ending, dialled: dialled, by: route)
        // What a rule let through while it was silent would count its requests' bytes as that rule's, once more.
        let figures = ConnectionFigures(
            bytesUp: hasTurned ? 0 : ending.bytesUp,
            bytesDown: hasTurned ? 0 : ending.bytesDown,
            durationMilliseconds: (loop.now &- accepted) / 1_000_000,
            connectMilliseconds: connectNanoseconds.map { $0 / 1_000_000 }
        )
        entry.take()?.finish { worker.memory.encode(end, $0, figures, at: worker.audit.clock()) }
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
