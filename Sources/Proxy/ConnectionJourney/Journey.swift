import AuditStore
import AuditTrail
import EventLoops
import PolicyEngine

/// A connection's whole way through the daemon, in the order of time.
///
/// docs/life-of-a-connection.md tells it in words.
///
/// However it ends, `connection.entry` leaves exactly one decision record, and one end record if it was allowed. Nearly every
/// connection goes the same way in steps that wait for nothing (`Connection+Plain.swift`), and this function tells the rest of it
/// where something is out of the ordinary: `waypoint` is how far it had come.
func carry(_ connection: Connection, from waypoint: Waypoint, _ worker: Worker, on loop: isolated EventLoop) async {
    // 1. Registered since it was accepted: limits count it, and a policy that changes from there on is put to it too.
    // A conversation goes on when this task is over, and leaves by itself.
    defer { if connection.conversation == nil { worker.leave(connection, on: loop) } }

    // 2. Where was it going, and who opened it? That was asked when it was accepted.
    let decision: Decision
    let ticket: UInt64
    switch waypoint {
    case .registered:
        // 3. What does it say? A destination that nobody may reach is not worth a look.
        if connection.mayBeHeard { await connection.hear(worker, on: loop) }
        fallthrough
    case .heard:
        // 4. Is it its turn, and can it be written down? It waits for both, and is refused if that lasts.
        await connection.waitForDecision(worker, on: loop)
        fallthrough
    case .due:
        // 5. Is it allowed? Where only a name could allow a silent client, wait for the name.
        decision = await connection.judgeOpening(worker, on: loop)

        // 6. Write it down. Only what policy allowed, and only with the record in the file, goes on.
        ticket = connection.record(decision, worker)
        connection.meter = connection.hold?.spend(on: decision, isEnforced: worker.isEnforcing, connection, on: loop)
        worker.registry.decided(connection)
    case .recorded(let made, let given): (decision, ticket) = (made, given)
    }
    guard decision.verdict == .allow else { return await connection.reject(worker, on: loop) }

    // 7. TLS that policy wants to look into: it ends here, and what is inside are requests.
    if decision.treatment == .intercept {
        guard await worker.gate.wait(for: ticket, on: loop) else {
            return connection.end(Ending(.auditUnavailable, closedBy: .ours), worker, on: loop)
        }
        if let ending = await connection.intercept(worker, on: loop) {
            return connection.end(ending, worker, on: loop)
        }
    }

    // 8. HTTP: each request is judged and written down for itself, behind this record.
    if connection.beginConversation(on: loop) { return }
    guard await worker.gate.wait(for: ticket, on: loop) else {
        return connection.end(Ending(.auditUnavailable, closedBy: .ours), worker, on: loop)
    }
    if let cut = connection.cutting { return connection.end(Ending(cut), worker, on: loop) }
    guard let permit = worker.snapshot.policy?.permit(for: decision) else {
        return connection.end(Ending(Cut(outcome: .policyChanged)), worker, on: loop)
    }

    // 9. Anything else: dial what was allowed, and relay until both sides are done.
    let started = loop.now
    let generation = worker.snapshot.generation
    switch await openUpstream(permit, awaiting: connection.rest(decision), for: connection, worker, on: loop) {
    case .connected(let reached):
        connection.reach(reached, after: loop.now &- started)
        if let cut = connection.cutReached(since: generation) {
            drop(reached, on: loop)
            return connection.end(Ending(cut), worker, on: loop)
        }
        let tunnel = Tunnel(connection, to: reached, worker)
        connection.tunnel = tunnel
        let ending = await tunnel.run(on: loop)
        if let ending = ending ?? connection.turnToRequests(on: loop) { connection.end(ending, worker, on: loop) }
    case .failed(let failure):
        connection.route = failure.route
        connection.end(failure.ending, worker, on: loop)
    case .abandoned:
        connection.end(Ending(connection.cutting ?? Cut(outcome: .drained)), worker, on: loop)
    }
}
