import AuditStore
import EventLoops
import PolicyEngine

extension Connection {
    /// How often it is looked whether records can be written again, in nanoseconds.
    private static let look: UInt64 = 100_000_000

    /// Waits for the user's turn to have something decided, and while no record can be written.
    ///
    /// Where either lasts too long, `hindrance` is what it will be refused for.
    func waitForDecision(_ worker: Worker, on loop: isolated EventLoop) async {
        hindrance = nil
        guard
            let turn = worker.pacer.turn(
                of: facts.owner,
                now: loop.now,
                patience: worker.settings.sniffNanoseconds
            )
        else {
            hindrance = .decisionRate
            return
        }
        if turn > 0 { await pause(turn, on: loop) }
        let deadline = loop.now + worker.settings.auditNanoseconds
        while !worker.audit.takesDecisions, cutting == nil {
            guard loop.now < deadline else {
                hindrance = .auditUnavailable
                return
            }
            await pause(Self.look, on: loop)
        }
    }

    /// Lets so many nanoseconds go by.
    private func pause(_ nanoseconds: UInt64, on loop: isolated EventLoop) async {
        await withCheckedContinuation { continuation in
            _ = loop.schedule(afterNanoseconds: nanoseconds) { continuation.resume() }
        }
    }
}
