import AuditTrail
import ByteRelay
import EventLoops
import LinuxBindings
import NetworkTypes
import PolicyEngine
import WireFormats

/// Sniffs what a client says that had been silent and was let through as `server_first`.
///
/// Lives on one loop.
///
/// Not a byte of it goes upstream before it is judged.
final class LateSniffer {
    private var examination = OpeningExamination()
    private var limit: TimerToken?

    /// What a look came to.
    enum Outcome {
        case waiting
        case passed([UInt8])
        /// A request, to be judged for itself like each behind it.
        case requests
        case denied(Cut)
    }

    /// Reads what the client says, and judges it once it is known what that is.
    ///
    /// Requests are for `mayCarryRequests` alone: nothing has come down that they would be an answer to.
    func look(
        _ connection: Connection,
        mayCarryRequests: Bool,
        _ worker: Worker,
        on loop: isolated EventLoop
    ) -> Outcome {
        while connection.client.isReadable {
            guard let completion = try? worker.means.buffer.receive(from: connection.client.descriptor) else {
                return .denied(Cut(outcome: .reset))
            }
            switch completion {
            case .wouldBlock:
                connection.client.isReadable = false
            case .done(0) where connection.client.hasFailed:
                return .denied(Cut(outcome: .reset))
            case .done(0):
                return ended(connection, on: loop)
            case .done(let count):
                connection.hear(count, of: worker.means.buffer)
                startLimit(connection, worker, on: loop)
                guard let sniffed = read(connection, worker) else { break }
                connection.sniffed = sniffed
                stop(on: loop)
                if case .http = sniffed, mayCarryRequests { return .requests }
                return judge(sniffed, connection, worker)
            }
        }
        return .waiting
    }

    func stop(on loop: isolated EventLoop) {
        guard let limit else { return }
        self.limit = nil
        loop.cancel(limit)
    }

    private func read(_ connection: Connection, _ worker: Worker) -> Sniffed? {
        guard connection.openingBytes.count >= examination.wanted else { return nil }
        return Sniffed(examination.read(connection.openingBytes, worker.settings.sniffing))
    }

    private func judge(_ sniffed: Sniffed, _ connection: Connection, _ worker: Worker) -> Outcome {
        if case .refused(let reason, _, _) = sniffed { return .denied(Cut(outcome: .cut, reason: reason)) }
        if let opening = connection.opening { connection.facts.opening = opening }
        connection.facts.hasServerName = connection.saysServerName
        if let objection = connection.objectionToName {
            let refusal = worker.snapshot.policy?.refuse(connection.facts, because: objection)
            // `mode: audit` lets it go on, as it does where it comes at once.
            guard refusal?.verdict == .allow else { return .denied(Cut(outcome: .cut, reason: objection)) }
        }
        if let cut = connection.cutNow(by: worker.snapshot, at: worker.policyTime, outcome: .cut) {
            return .denied(cut)
        }
        defer { connection.openingBytes = [] }
        return .passed(connection.openingBytes)
    }

    private func ended(_ connection: Connection, on loop: isolated EventLoop) -> Outcome {
        stop(on: loop)
        guard connection.openingBytes.isEmpty else {
            return .denied(Cut(outcome: .cut, reason: .malformedOpening))
        }
        return .passed([])
    }

    /// From the first byte on, the client has as long to say what it is as every other.
    private func startLimit(_ connection: Connection, _ worker: Worker, on loop: isolated EventLoop) {
        guard limit == nil else { return }
        limit = loop.schedule(afterNanoseconds: worker.settings.sniffNanoseconds) { [weak self, weak connection] in
            self?.limit = nil
            connection?.cut(Cut(outcome: .cut, reason: .sniffLimit), on: loop)
        }
    }
}

extension Connection {
    /// Asks whether the address that was reached may be used, where another policy came while it was dialled; `nil` where it may.
    ///
    /// What was dialled was asked for all its addresses together then, of which one was enough.
    func cutReached(since generation: UInt64) -> Cut? {
        let snapshot = worker.snapshot
        guard snapshot.generation != generation else { return nil }
        return cutNow(by: snapshot, at: worker.policyTime, outcome: .policyChanged)
    }

    /// Asks whether an allowed connection may go on; `nil` where it may.
    ///
    /// `now` is the time, in seconds since 1970-01-01T00:00:00Z, where the policy asks for it.
    func cutNow(by snapshot: PolicySnapshot, at now: Int64?, outcome: ConnectionOutcome) -> Cut? {
        guard let decision else { return nil }
        if let conversation { return conversation.cutNow(by: snapshot, at: now, outcome: outcome) }
        guard let policy = snapshot.policy else { return Cut(outcome: outcome, reason: .noPolicy) }
        facts.now = now
        // Before anything is connected to, what the decision let be dialled; the rest of the name's addresses is no matter.
        facts.addresses = dialled.map { [$0.socket.address] } ?? addressesInDial(decision)?.map(\.socket.address)
        let isReplaced = outcome == .policyChanged
        let verdict = isReplaced ? policy.stillAllows(decision, facts) : policy.stillAllowsNow(decision, facts)
        guard verdict.verdict != .allow else { return nil }
        return Cut(outcome: outcome, reason: verdict.reason, rule: verdict.rule)
    }
}
