import AuditTrail
import LinuxBindings
import Synchronization

/// What the loops hand to the writer's thread, in the order of their tickets.
final class SubmissionQueue: Sendable {
    /// How urgently the writer is to stop.
    enum StopRequest: Sendable {
        /// When all is written.
        case drained
        /// Now, whatever waits.
        case now
    }

    /// What `take` found.
    enum Taken: Sendable {
        /// Records; the last has this ticket, and the others the ones just before.
        case records(lastTicket: UInt64)
        /// Nothing yet: wait to be woken.
        case nothing
        /// Nothing, and nothing is to come.
        case stop
    }

    /// Whom the writer's thread wants to be woken by.
    private enum WriterState: Sendable {
        /// Nobody: it looks by itself.
        case awake
        /// Records that somebody waits for; it looks by itself soon.
        case dozing
        /// Every record.
        case asleep
    }

    private struct Inbox: Sendable {
        var records: [AuditRecord] = []
        var lastTicket: UInt64 = 0
        var writer = WriterState.awake
        var stop: StopRequest?
    }

    private let inbox = Mutex(Inbox())
    private let wake = ThreadSignal()
    private let waitingBytes = Atomic<Int>(0)

    /// The ticket of the last record submitted.
    var lastTicket: UInt64 { inbox.withLock { $0.lastTicket } }

    /// The bytes of the bodies that are not yet written.
    var backlogBytes: Int { waitingBytes.load(ordering: .relaxed) }

    var stopRequest: StopRequest? { inbox.withLock { $0.stop } }

    /// Puts a record at the end and returns its ticket.
    ///
    /// It never waits for the writer. What is not `pressing` does not wake a writer that looks again soon anyway.
    func submit(_ record: AuditRecord, pressing: Bool = true) -> UInt64 {
        waitingBytes.wrappingAdd(record.body.count, ordering: .relaxed)
        let (ticket, mustWake) = inbox.withLock { inbox in
            inbox.records.append(record)
            inbox.lastTicket += 1
            let mustWake =
                switch inbox.writer {
                case .awake: false
                case .dozing: pressing
                case .asleep: true
                }
            if mustWake { inbox.writer = .awake }
            return (inbox.lastTicket, mustWake)
        }
        if mustWake { wake.signal() }
        return ticket
    }

    /// Takes all that waits, in exchange for `batch`, which is empty and lends its room.
    ///
    /// If there is nothing, the caller sleeps next: `dozing` for a moment, or until it is woken.
    func take(into batch: inout [AuditRecord], dozing: Bool) -> Taken {
        inbox.withLock { inbox in
            if inbox.stop == .now { return .stop }
            guard inbox.records.isEmpty else {
                inbox.writer = .awake
                swap(&inbox.records, &batch)
                return .records(lastTicket: inbox.lastTicket)
            }
            if inbox.stop != nil { return .stop }
            inbox.writer = dozing ? .dozing : .asleep
            return .nothing
        }
    }

    /// Takes all that waits, for a loop that writes it in the thread's place; 0 where there is nothing.
    ///
    /// - Returns: The ticket of the last.
    func takeHere(into batch: inout [AuditRecord]) -> UInt64 {
        inbox.withLock { inbox in
            guard !inbox.records.isEmpty, inbox.stop == nil else { return 0 }
            swap(&inbox.records, &batch)
            return inbox.lastTicket
        }
    }

    /// Says that so many bytes of bodies are written.
    func written(bytes: Int) {
        waitingBytes.wrappingSubtract(bytes, ordering: .relaxed)
    }

    /// Tells the writer to stop, and wakes it.
    func stop(_ request: StopRequest) {
        inbox.withLock { $0.stop = request }
        wake.signal()
    }

    /// Wakes a writer that dozes while records wait.
    func press() {
        let mustWake = inbox.withLock { inbox in
            guard case .dozing = inbox.writer, !inbox.records.isEmpty else { return false }
            inbox.writer = .awake
            return true
        }
        if mustWake { wake.signal() }
    }

    /// Has the writer look after its files, if it sleeps.
    func nudge() { wake.signal() }

    /// Sleeps until a record comes or the writer is to stop.
    func sleep() { wake.wait() }

    /// Sleeps so long, or until the writer is to stop.
    func sleep(milliseconds: Int32) { _ = wake.wait(milliseconds: milliseconds) }
}
