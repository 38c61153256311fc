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
        // A CONNECT that had no turn gets none now: its tunnel is not open.
        if hindrance != nil, sniffed == .connect { return }
        hindrance = nil
        guard await waitForTurn(worker, on: loop) else {
            hindrance = .decisionRate
            return
        }
        let deadline = loop.now + worker.settings.auditNanoseconds
        while !worker.audit.takesDecisions, cutting == nil {
            guard loop.now < deadline else {
                hindrance = .auditUnavailable
                return
            }
            await pause(Self.look, on: loop)
        }
    }

    /// Waits for the user's turn, which is taken once for what is judged in two steps; false where it would last too long.
    private func waitForTurn(_ worker: Worker, on loop: isolated EventLoop) async -> Bool {
        if hasTurn {
            hasTurn = false
            return true
        }
        let patience = worker.settings.sniffNanoseconds
        guard let turn = worker.pacer.turn(of: facts.owner, now: loop.now, patience: patience) else { return false }
        if turn > 0 { await pause(turn, on: loop) }
        return true
    }

    /// Takes the turn of a connection that is judged on its authority now, and on what it says inside later.
    ///
    /// False where it was not to be had, and the connection is refused for that.
    func takeTurnAhead(_ worker: Worker, on loop: isolated EventLoop) async -> Bool {
        hasTurn = await waitForTurn(worker, on: loop)
        if !hasTurn { hindrance = .decisionRate }
        return hasTurn
    }

    /// Lets so many nanoseconds go by.
    func pause(_ nanoseconds: UInt64, on loop: isolated EventLoop) async {
        await withCheckedContinuation { continuation in
            _ = loop.schedule(afterNanoseconds: nanoseconds) { continuation.resume() }
        }
    }
}
