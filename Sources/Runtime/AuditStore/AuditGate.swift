import EventLoops
import LinuxBindings
import Synchronization

/// Somebody who is told that a record is written, instead of a task that waits for it.
///
/// Lives on one loop.
package protocol AuditGateParty: AnyObject {
    /// Called once, in a later step than the one that asked; `isWritten` is false where it took too long.
    func recordIsThrough(isWritten: Bool, on loop: isolated EventLoop)
}

/// Where connections of one loop wait until their decision is in the audit file.
///
/// Lives on that loop.
///
/// Whoever writes wakes the loop through an eventfd, and only while somebody waits. The other way the writer is woken once for
/// all that the loop has submitted, or the loop writes it by itself (`AuditPen`): in the next turn where a task waits, whose connection
/// has not begun to carry anything; else, of requests that come one upon the other, by the time the loop has nothing else to do.
package final class AuditGate: EventHandler, DeferredWork {
    private let writer: AuditWriter
    /// Whether the loop writes by itself while somebody waits.
    private let writes: Bool
    private let bell: Bell
    private let afterwards = Afterwards()
    private var waiters: [Waiter] = []
    /// The first of `waiters` that still waits: they stand in the order of their tickets, and so do their answers come.
    private var first = 0
    private let patience: UInt64
    private var sweep: TimerToken?
    /// Set while the writer is to be woken when the loop has nothing else to do.
    private var willPress = false
    /// Set while it is to be woken in the next turn.
    private var willPressSoon = false

    private struct Waiter {
        let ticket: UInt64
        let since: UInt64
        /// `nil` once it was told: what it holds is not kept open by others that wait.
        var party: (any AuditGateParty)?
    }

    /// What comes behind a write of the loop's own.
    private final class Afterwards: DeferredWork {
        weak var gate: AuditGate?

        func goOn(on loop: isolated EventLoop) { gate?.hasWritten(on: loop) }
    }

    /// A task that waits.
    private final class WaitingTask: AuditGateParty {
        private let continuation: CheckedContinuation<Bool, Never>

        init(_ continuation: CheckedContinuation<Bool, Never>) { self.continuation = continuation }

        func recordIsThrough(isWritten: Bool, on loop: isolated EventLoop) {
            continuation.resume(returning: isWritten)
        }
    }

    /// What the writer's thread rings, once for each time that the loop asks for it.
    ///
    /// The loop asks and then looks what is written; the writer writes and then looks whether it was asked. One of them has to see
    /// what the other did, so that both are in the one order of all such steps (sequentially consistent): with less, each may look
    /// before its own word is out, and the loop would sleep on what is written.
    private final class Bell: Sendable {
        let event: EventDescriptor
        /// The ticket that is waited for; the greatest number where nobody waits.
        private let wanted = Atomic<UInt64>(.max)

        init() throws(SystemCallError) { event = try EventDescriptor() }

        /// Asks to be rung when this ticket is written.
        func want(_ ticket: UInt64) { wanted.store(ticket, ordering: .sequentiallyConsistent) }

        /// Rings where what is written was waited for.
        func ring(writtenThrough written: UInt64) {
            guard wanted.load(ordering: .sequentiallyConsistent) <= written else { return }
            wanted.store(.max, ordering: .sequentiallyConsistent)
            event.signal()
        }
    }

    /// Opens the gate.
    ///
    /// - Parameters:
    ///   - writer: Whose records are waited for.
    ///   - patience: How long a decision may wait, in nanoseconds.
    ///   - writes: The loop writes what it waits for by itself, where the file may be written at once.
    ///   - loop: Whose connections wait here.
    /// - Throws: Where there is no descriptor for the bell.
    package init(
        _ writer: AuditWriter,
        patience: UInt64,
        writes: Bool = false,
        on loop: isolated EventLoop
    ) throws(SystemCallError) {
        let bell = try Bell()
        self.writer = writer
        self.bell = bell
        self.patience = patience
        self.writes = writes
        afterwards.gate = self
        _ = try loop.watch(bell.event.descriptor, self)
        writer.addWatcher { written in bell.ring(writtenThrough: written) }
    }

    /// Waits until everything up to `ticket` is written; false where that took too long.
    package func wait(for ticket: UInt64, on loop: isolated EventLoop) async -> Bool {
        if writer.writtenThrough >= ticket { return true }
        return await withCheckedContinuation { continuation in
            add(WaitingTask(continuation), ticket, on: loop)
            pressSoon(on: loop)
        }
    }

    /// Has `party` told when everything up to `ticket` is written: a task that waits costs more than what it waits for.
    package func tell(_ party: any AuditGateParty, of ticket: UInt64, on loop: isolated EventLoop) {
        add(party, ticket, on: loop)
        pressWhenIdle(on: loop)
    }

    private func add(_ party: any AuditGateParty, _ ticket: UInt64, on loop: isolated EventLoop) {
        let waiter = Waiter(ticket: ticket, since: loop.now, party: party)
        // Taken out meanwhile: a property that is held open would be checked as it runs.
        var line: [Waiter] = []
        swap(&line, &waiters)
        var place = line.count
        // A task may come when others wait already whose records came behind its own.
        while place > first, line[place - 1].ticket > ticket { place -= 1 }
        if place == line.count { line.append(waiter) } else { line.insert(waiter, at: place) }
        waiters = line
        startSweeping(on: loop)
        // Others who wait for an earlier one are rung for first, and the bell is asked again then.
        if place == first { askToBeRung() }
    }

    /// Asks for the first of those who wait; there is one.
    private func askToBeRung() {
        bell.want(waiters[first].ticket)
        // What was written meanwhile has rung for nobody.
        bell.ring(writtenThrough: writer.writtenThrough)
    }

    private func pressSoon(on loop: isolated EventLoop) {
        guard !willPressSoon else { return }
        willPressSoon = true
        loop.runAgain(self)
    }

    private func pressWhenIdle(on loop: isolated EventLoop) {
        guard !willPress, !willPressSoon else { return }
        willPress = true
        loop.runWhenIdle(self)
    }

    /// Has the writer woken, once or, where both were asked for, once too often; or what waits written by this loop.
    package func goOn(on loop: isolated EventLoop) {
        willPress = false
        willPressSoon = false
        guard writes, first < waiters.count else { return writer.press() }
        loop.run(writer, then: afterwards)
    }

    /// Lets those go on whose decisions this loop has written, and has other loops told of theirs.
    private func hasWritten(on loop: isolated EventLoop) {
        // It need not be woken for what it sees here; for whoever waits longer it asks again.
        bell.want(.max)
        writer.notifyWatchers()
        release(on: loop)
    }

    /// Lets those go on whose decisions are written: the writer has rung.
    package func ready(_ events: ReadyEvents, on loop: isolated EventLoop) {
        // The signal is not taken: each new one is an edge of its own.
        release(on: loop)
    }

    private func release(on loop: isolated EventLoop) {
        let written = writer.writtenThrough
        while first < waiters.count, waiters[first].ticket <= written {
            goOnWithFirst(isWritten: true, on: loop)
        }
        compact()
        if first < waiters.count { askToBeRung() }
    }

    private func goOnWithFirst(isWritten: Bool, on loop: isolated EventLoop) {
        // It may come back at once to wait for its next record.
        var waiters = self.waiters
        self.waiters = []
        let party = waiters[first].party
        waiters[first].party = nil
        self.waiters = waiters
        first += 1
        party?.recordIsThrough(isWritten: isWritten, on: loop)
    }

    private func startSweeping(on loop: isolated EventLoop) {
        guard sweep == nil else { return }
        sweep = loop.schedule(afterNanoseconds: 1_000_000_000) { [weak self] in self?.expire(on: loop) }
    }

    /// Sends away whoever has waited too long; the decisions stay queued and are written when that is possible again.
    private func expire(on loop: isolated EventLoop) {
        sweep = nil
        release(on: loop)
        while first < waiters.count, waiters[first].since &+ patience <= loop.now {
            goOnWithFirst(isWritten: writer.writtenThrough >= waiters[first].ticket, on: loop)
        }
        compact()
        if first < waiters.count { startSweeping(on: loop) }
    }

    private func compact() {
        guard first > 0, first == waiters.count || first > 1024 else { return }
        var waiters = self.waiters
        self.waiters = []
        waiters.removeSubrange(..<first)
        self.waiters = waiters
        first = 0
    }
}
