import AuditTrail
import LinuxBindings
import Synchronization

/// What only one thread touches at a time, mostly the writer's: the file, the chain, and the lines on their way from one to the other.
struct WriterThread: ~Copyable {
    /// Lines are handed to the kernel at the latest when they fill so much.
    private static let chunkBytes = 1 << 20
    /// How long to wait before writing is tried again: at first, and at most.
    private static let backoffMilliseconds: ClosedRange<Int32> = 50...1000

    let writer: AuditWriter
    var file: AuditFile
    var chain: RecordChain
    var lines: [UInt8] = []
    /// How many bytes of `lines` are in the file.
    private var done = 0
    /// What `lines` hold that a loop could not write; nil: nothing.
    private var leftover: Leftover?
    private var batch: [AuditRecord] = []
    /// The first line of the file.
    var beginning: FileBeginning
    /// What was let through and has no end yet.
    var open: Set<StoredLine.OwedEnd> = []
    /// The number of the last of the lines that a new file begins with; 0 in a file that was not begun by this daemon.
    var headEnd: UInt64 = 0
    /// What signs the chain, where that is asked for.
    var signer: ChainSigner?
    /// Rotation failed: it is not tried again before this time, in microseconds.
    var noRotationBefore = Int64.min

    /// Takes the file over.
    init(writer: AuditWriter, file: consuming AuditFile, opening: AuditOpening) {
        chain = RecordChain(after: opening.position)
        beginning = opening.beginning
        self.writer = writer
        self.file = file
        lines.reserveCapacity(Self.chunkBytes)
    }

    deinit { file.unlock() }

    /// Prepares the file: after it, what is submitted can be written.
    ///
    /// - Returns: False where the writer is to give up.
    /// - Throws: What keeps the file from being used any longer.
    mutating func begin(_ opening: AuditOpening) throws(AuditError) -> Bool {
        try recover(from: opening)
        return try flush()
    }

    /// Writes what waits, or does what is due.
    mutating func step(isDozing: Bool) throws(AuditError) -> Step {
        if let leftover {
            guard try flush() else { return .end }
            self.leftover = nil
            writer.publish(writtenThrough: leftover.ticket, bytes: leftover.bytes)
        }
        switch writer.queue.take(into: &batch, dozing: isDozing) {
        case .records(let lastTicket):
            guard try write(upTo: lastTicket) else { return .end }
            try attend()
            return .goOn
        case .nothing:
            let before = chain.position.sequence
            try attend()
            // Who wrote may have slept on a full disk, and have taken the signal of what came meanwhile.
            return chain.position.sequence == before ? .sleep : .goOn
        case .stop:
            try sign(now: writer.clock(), isLast: true)
            try file.synchronize()
            writer.keepPosition(chain.position, checkpoint: signer?.lastCheckpoint ?? 0)
            writer.become(.finished)
            return .end
        }
    }

    /// Writes what waits with one call, on a loop's thread; what that does not write is left to the writer's own.
    ///
    /// - Returns: Whether the writer's own thread has something to do.
    mutating func writeHere() -> Bool {
        guard leftover == nil, lines.isEmpty else { return true }
        let ticket = writer.queue.takeHere(into: &batch)
        guard ticket != 0 else { return false }
        var bytes = 0
        for record in batch {
            chain.append(record, to: &lines)
            account(for: record.turn)
            bytes += record.body.count
        }
        batch.removeAll(keepingCapacity: true)
        leftover = Leftover(ticket: ticket, bytes: bytes)
        writer.flushBegins()
        // Whatever it is that goes wrong, the writer's thread meets it again.
        do throws(AuditError) {
            _ = try attempt()
        } catch {}
        writer.flushEnds()
        guard done == lines.count else { return true }
        clearLines()
        leftover = nil
        publishPosition()
        writer.settle(writtenThrough: ticket, bytes: bytes)
        return isDue
    }

    /// Prepares what is written before anything submitted.
    ///
    /// What was lost is told before `started`, because the search goes back to the last `started`: if the daemon dies in
    /// between, the next start finds what is missing and writes no end twice.
    private mutating func recover(from opening: AuditOpening) throws(AuditError) {
        let tail = opening.tail
        let lost = file.isStream ? [] : try LostEnds.find(in: file, after: tail, limits: writer.limits)
        if tail.needsRepair { try repair(tail, started: opening.started) }
        if let missing = opening.missing {
            var record = opening.started
            record.event = .missing
            record.after = missing.hashText
            record.detail = "lines up to number \(missing.sequence) had been written and are not here"
            append(record)
        }
        // Requests first, so that none is open on a connection that is over.
        for case .request(let identifier) in lost { append(RequestEndRecord(id: identifier, outcome: .lost)) }
        for case .connection(let identifier) in lost { append(ConnectionEndRecord(id: identifier, outcome: .lost)) }
        append(opening.started)
        try beginSigning(after: opening)
    }

    /// Closes the last line and says so.
    ///
    /// A line that was cut off has lost the hash of the line before it: `after` ties the repair to that line as well.
    private mutating func repair(_ tail: AuditTail, started: LifecycleRecord) throws(AuditError) {
        if !tail.endsInNewline { lines.append(UInt8(ascii: "\n")) }
        var record = started
        record.event = .repaired
        var after = ChainPosition.beginning
        if let whole = tail.lastWhole {
            let line = try file.read(whole)
            after.hash = RecordChain.hexadecimalHash(of: line.span)
        }
        record.after = after.hashText
        record.detail = tail.cutOffLines == 0 ? "the last line had no end" : "lines cut off: \(tail.cutOffLines)"
        append(record)
    }

    /// Puts a record of the store's own among the lines.
    mutating func append(_ content: some RecordBody) {
        chain.append(AuditRecord(content, at: writer.clock(), limits: writer.limits), to: &lines)
    }

    /// Writes the batch, and publishes what is written as often as a chunk is full; false where it is to give up.
    private mutating func write(upTo lastTicket: UInt64) throws(AuditError) -> Bool {
        var ticket = lastTicket - UInt64(batch.count)
        var bytes = 0
        for record in batch {
            chain.append(record, to: &lines)
            account(for: record.turn)
            ticket += 1
            bytes += record.body.count
            guard ticket == lastTicket || lines.count >= Self.chunkBytes else { continue }
            guard try flush() else { return false }
            writer.publish(writtenThrough: ticket, bytes: bytes)
            bytes = 0
        }
        batch.removeAll(keepingCapacity: true)
        return true
    }

    /// Writes the lines that are ready, and waits where that fails; false where it is to give up.
    ///
    /// After a part of them was written exactly the rest is, whatever happens in between: no line is torn, none twice.
    mutating func flush() throws(AuditError) -> Bool {
        guard !lines.isEmpty else { return true }
        writer.flushBegins()
        defer { writer.flushEnds() }
        try noteIntent()
        var backoff = Self.backoffMilliseconds.lowerBound
        while done < lines.count {
            guard let failure = try attempt() else { continue }
            writer.stall(failure)
            if backoff > Self.backoffMilliseconds.lowerBound { writer.account.report(writer.state) }
            guard writer.queue.stopRequest != .now else { return false }
            writer.queue.sleep(milliseconds: backoff)
            backoff = min(backoff * 2, Self.backoffMilliseconds.upperBound)
        }
        clearLines()
        if writer.durability == .synced {
            try file.synchronize()
            writer.syncs.wrappingAdd(1, ordering: .relaxed)
        }
        writer.recover()
        try noteDone()
        publishPosition()
        return true
    }

    /// Forgets the lines, which are in the file, or never were.
    mutating func clearLines() {
        lines.removeAll(keepingCapacity: true)
        done = 0
    }

    private mutating func account(for turn: RecordTurn) {
        switch turn {
        case .opens(let owed): open.insert(owed)
        case .closes(let owed): open.remove(owed)
        case .neither: break
        }
    }

    /// Writes once; gives back the failure where it may pass.
    private mutating func attempt() throws(AuditError) -> SystemCallError? {
        let isUntouched: Bool
        do throws(SystemCallError) {
            isUntouched = try file.isUntouched()
            if isUntouched { done += try file.append(lines, from: done) }
        } catch {
            return error
        }
        guard isUntouched else { throw .changedByOthers }
        return nil
    }
}

extension WriterThread {
    /// What is to be done after a step.
    enum Step {
        case goOn
        /// Nothing waits: sleep, until more comes or for a moment.
        case sleep
        case end
    }

    private struct Leftover {
        let ticket: UInt64
        let bytes: Int
    }
}

extension AuditWriter {
    /// Notes that writing fails; since when is kept.
    fileprivate func stall(_ error: SystemCallError) {
        if case .stalled(let reason, _) = state, reason == error.description { return }
        become(.stalled(reason: error.description, since: clock()))
    }

    /// Notes that writing works again.
    fileprivate func recover() {
        if case .stalled = state { become(.writable) }
    }

    fileprivate func flushBegins() { writingSince.store(clock(), ordering: .relaxed) }

    fileprivate func flushEnds() { writingSince.store(0, ordering: .relaxed) }
}
