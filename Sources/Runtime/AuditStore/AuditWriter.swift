import AuditTrail
import LinuxBindings
import Synchronization

/// Writes the audit file.
///
/// Concurrency: one thread owns the file, and lends it to the threads of loops (`AuditPen`); it is started by `init` and ends with
/// `finish`, or when the file can be used no longer. Everything else may be called from any thread and never waits for the file.
/// Nothing submitted is ever dropped: while the file cannot be written, records wait, and whoever submits them looks at `state` and
/// `backlog` and slows down.
package final class AuditWriter: Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let clock: @Sendable () -> Int64
    /// How large a record may grow.
    package let limits: RecordLimits
    let durability: AuditDurability
    let queue = SubmissionQueue()
    let pen = AuditPen()
    /// Loops may write as well: the file is one, nothing is wrong with it, and nobody waits for its disk.
    let isForLoops = Atomic(false)
    private let written = Atomic<UInt64>(0)
    private let currentState = Mutex(AuditState.recovering)
    /// The last line that `audit.chain` has been told of; who holds it writes that file.
    private let keptThrough = Mutex<UInt64>(0)
    private let watchers = Mutex<[@Sendable (UInt64) -> Void]>([])
    private let ended: EventDescriptor
    let keeperEnded: EventDescriptor
    let account: StoreAccount
    /// Hashes the secrets that records do not tell.
    package let mask: SecretMask
    /// What tells of turns in the daemon's life.
    let started: LifecycleRecord
    /// How often the disk was waited for.
    let syncs = Atomic<UInt64>(0)
    /// When the write that is on its way began, in microseconds since 1970-01-01T00:00:00Z; 0: none is.
    let writingSince = Atomic<Int64>(0)

    /// Opens the file and starts the writer's thread, which first reads back what was open when the file was left.
    ///
    /// The records `connection_end` with outcome `lost`, `lifecycle` `repaired` where it is due, and then `started` are
    /// written before anything submitted.
    ///
    /// - Parameters:
    ///   - path: The file; it is made with access for its owner only. No symbolic link is followed to it. `-` is standard
    ///     output, which is neither rotated nor read back.
    ///   - durability: When a record counts as written.
    ///   - store: How files are rotated, kept and bounded.
    ///   - version: The daemon's.
    ///   - pid: The daemon's.
    ///   - limits: How large a record may grow.
    ///   - clock: Microseconds since 1970-01-01T00:00:00Z.
    /// - Throws: Whatever of `AuditError` shows at once. What shows only when older lines are read is in `state`.
    package init(
        path: String,
        durability: AuditDurability,
        store: AuditStoreSettings = AuditStoreSettings(),
        version: String,
        pid: Int32,
        limits: RecordLimits = .standard,
        clock: @escaping @Sendable () -> Int64
    ) throws(AuditError) {
        self.clock = clock
        self.limits = limits
        self.durability = durability
        started = LifecycleRecord(event: .started, version: version, pid: pid)
        do throws(SystemCallError) {
            ended = try EventDescriptor(blocking: true)
            keeperEnded = try EventDescriptor(blocking: true)
        } catch {
            throw .noThread(error)
        }
        account = try StoreAccount(path: path, store)
        let earlier = try account.settle(limits: limits)
        let file = try account.openFile(durability: durability)
        // Only now, because the file is locked against another daemon that might make a key as well.
        mask = try SecretMask(in: account.state)
        let opening = try AuditOpening(
            of: file,
            earlier: earlier,
            kept: try account.keptChain(),
            started: started,
            limits: limits,
            now: clock(),
            checkpointBefore: { () throws(AuditError) in try account.lastCheckpoint(limits: limits) }
        )
        try start(file, opening)
    }

    /// Queues a record and returns its ticket; tickets increase from 1.
    ///
    /// It never waits and never drops. What is not `pressing` may reach the file some milliseconds later, unless somebody
    /// calls `press`.
    @discardableResult
    package func submit(_ record: AuditRecord, pressing: Bool = true) -> UInt64 {
        queue.submit(record, pressing: pressing)
    }

    /// Encodes a record of this moment and queues it; returns its ticket.
    @discardableResult
    package func submit(_ content: some RecordBody, pressing: Bool = true) -> UInt64 {
        queue.submit(AuditRecord(content, at: clock(), limits: limits), pressing: pressing)
    }

    /// Has what was submitted written now: somebody waits for it.
    package func press() { queue.press() }

    /// Every record with this ticket or a lower one is in the file.
    ///
    /// Whoever asks to be told of a ticket, and then finds here that it is not written, is told.
    package var writtenThrough: UInt64 { written.load(ordering: .sequentiallyConsistent) }

    /// How the writer is doing.
    package var state: AuditState { currentState.withLock { $0 } }

    /// What was submitted and is not yet written.
    package var backlog: AuditBacklog {
        // In this order: what is written in between must not make it negative.
        let written = writtenThrough
        return AuditBacklog(records: Int(queue.lastTicket - written), bytes: max(0, queue.backlogBytes))
    }

    /// Has `notify` called, on the writer's thread, after `writtenThrough` moved or `state` changed, with what is written through now.
    ///
    /// It must not block.
    package func addWatcher(_ notify: @escaping @Sendable (_ writtenThrough: UInt64) -> Void) {
        watchers.withLock { $0.append(notify) }
    }

    /// Writes what waits, has the disk take it, and ends the thread; what is submitted later is never written.
    ///
    /// - Parameter timeout: How long to wait where the file cannot be written.
    /// - Returns: Whether everything submitted before is in the file.
    package func finish(timeout: Duration) -> Bool {
        let ticket = queue.lastTicket
        queue.stop(.drained)
        account.bell.signal()
        if !hasEnded(within: timeout) {
            queue.stop(.now)
            // The thread sees it at once, unless the kernel holds it in a write.
            _ = hasEnded(within: .milliseconds(250))
        }
        // What the keeper has not finished, the next start does.
        if keeperEnded.wait(milliseconds: 1000) {
            keeperEnded.signal()
            account.state?.unlock()
        }
        return writtenThrough >= ticket
    }

    /// Says that the records up to this ticket are in the file, and tells the watchers.
    func publish(writtenThrough ticket: UInt64, bytes: Int) {
        settle(writtenThrough: ticket, bytes: bytes)
        notifyWatchers()
    }

    /// Says that the records up to this ticket are in the file; the watchers are to be told.
    func settle(writtenThrough ticket: UInt64, bytes: Int) {
        queue.written(bytes: bytes)
        written.store(ticket, ordering: .sequentiallyConsistent)
    }

    /// Changes the state, and tells the watchers where it is another.
    func become(_ state: AuditState) {
        let changed = currentState.withLock { current in
            defer { current = state }
            isForLoops.store(state == .writable && durability == .written && account.stream == nil, ordering: .relaxed)
            return current != state
        }
        if changed {
            // Of a write that fails once there is no need to tell: see `flush`.
            if case .stalled = state {} else { account.report(state) }
            notifyWatchers()
        }
    }

    func notifyWatchers() {
        let written = writtenThrough
        for notify in watchers.withLock({ $0 }) { notify(written) }
    }

    private func hasEnded(within timeout: Duration) -> Bool {
        let (seconds, attoseconds) = timeout.components
        let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
        let whole = milliseconds.overflow ? Int64.max : milliseconds.partialValue
        guard ended.wait(milliseconds: Int32(clamping: whole &+ attoseconds / 1_000_000_000_000_000)) else {
            return false
        }
        // For whoever asks next.
        ended.signal()
        return true
    }

    /// Whether the writer was told to stop, or has.
    var isEnding: Bool {
        if queue.stopRequest != nil { return true }
        return switch state {
        case .failed, .finished: true
        case .recovering, .writable, .stalled, .overBudget: false
        }
    }

    /// Has the writer go on in a new file if somebody gave the old one another name, as logrotate does.
    package func reopen() {
        account.change { $0.wantsReopening = true }
        queue.nudge()
    }

    /// Keeps where the chain has come to, for the next start; what goes wrong is told to the operator.
    ///
    /// Both threads come here. The keeper has waited for the disk and may be late: the end that the writer kept stays.
    func keepPosition(_ position: ChainPosition, checkpoint: UInt64) {
        guard let state = account.state, account.directory != nil else { return }
        let text = KeptChain(position: position, checkpoint: checkpoint, file: account.fileName).text
        keptThrough.withLock { kept in
            guard position.sequence >= kept else { return }
            do throws(SystemCallError) {
                try state.write(text, to: KeptChain.fileName)
                kept = position.sequence
                account.report(.state, nil)
            } catch {
                account.report(.state, "\(error)")
            }
        }
    }

    private func start(_ file: consuming AuditFile, _ opening: AuditOpening) throws(AuditError) {
        account.change { $0.numberBefore = opening.position.sequence }
        let (size, isStream) = (file.size, file.isStream)
        // A closure that escapes cannot consume the file itself: its number crosses over.
        let number = file.release()
        do throws(SystemCallError) {
            try startThread(named: "audit") {
                self.run(AuditFile(adopting: number, size: size, isStream: isStream), opening)
                self.ended.signal()
            }
        } catch {
            _ = AuditFile(adopting: number, size: size)
            throw .noThread(error)
        }
        try startKeeper()
    }

    private func run(_ file: consuming AuditFile, _ opening: AuditOpening) {
        do throws(AuditError) {
            var thread = WriterThread(writer: self, file: file, opening: opening)
            guard try thread.begin(opening) else { return }
            if case .recovering = state { become(.writable) }
            try pen.serve(thread, queue)
        } catch {
            // What is in the file up to there is ours, whatever happened to it since.
            let reached = account.now
            // What was kept by the daemon before stays where this one has written nothing.
            if reached.position != .beginning { keepPosition(reached.position, checkpoint: reached.checkpoint) }
            become(.failed(error))
        }
    }
}
