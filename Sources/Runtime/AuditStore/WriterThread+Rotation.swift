import AuditTrail
import LinuxBindings

/// What the writer's thread does to its files between two batches.
extension WriterThread {
    /// How many identifiers stand in one line of what was open when a file began.
    private static let carriedInLine = 1000
    /// How long after a failed rotation the next is tried, in microseconds.
    private static let rotationPause: Int64 = 10_000_000

    /// Looks whether the file is to be left for another, and whether new traffic may pass.
    mutating func attend() throws(AuditError) {
        let now = writer.clock()
        try sign(now: now)
        let directory = writer.account.directory
        if writer.account.change({ shared in
            defer { shared.wantsReopening = false }
            return shared.wantsReopening
        }) {
            if let directory { try reopen(in: directory, now: now) }
            try lookForKey(now: now)
        }
        guard let directory else { return }
        if let rotation = writer.account.settings.rotation, now >= noRotationBefore,
            file.size >= rotation.bytes || now - beginning.time >= rotation.microseconds,
            chain.position.sequence > headEnd
        {
            try rotate(in: directory, now: now)
        }
        weighBudget()
    }

    /// Whether `attend` has something to do that comes of what was written, and not of the time.
    var isDue: Bool {
        let settings = writer.account.settings
        if let signing = settings.signing, let signer, signer.key != nil,
            chain.position.sequence - min(signer.lastCheckpoint, chain.position.sequence) >= UInt64(signing.records)
        {
            return true
        }
        guard writer.account.directory != nil else { return false }
        if let rotation = settings.rotation, file.size >= rotation.bytes, chain.position.sequence > headEnd,
            noRotationBefore == .min || writer.clock() >= noRotationBefore
        {
            return true
        }
        guard let budget = settings.budget else { return false }
        let used = file.size + writer.account.now.otherBytes
        return budget.room(used: used, waiting: writer.queue.backlogBytes, owed: open.count) != .enough
    }

    /// Tells the keeper where the file stands.
    func publishPosition() {
        let (position, bytes, owed, checkpoint) = (chain.position, file.size, open.count, signer?.lastCheckpoint ?? 0)
        writer.account.change {
            $0.position = position
            $0.checkpoint = checkpoint
            $0.activeBytes = bytes
            $0.open = owed
        }
    }

    /// A key that cannot be taken over is no reason to stop: the old one signs on, or the new one without its file in place.
    private mutating func lookForKey(now: Int64) throws(AuditError) {
        let before = signer?.takeover
        do throws(AuditError) {
            try changeKey(now: now)
            signer?.takeover = nil
        } catch {
            switch error {
            case .noKey, .noState, .foreignState: signer?.takeover = "\(error)"
            default: throw error
            }
        }
        // A checkpoint that is signed by the key before says nothing of this one.
        if signer?.takeover != before { writer.account.report(.signing, signer?.takeover) }
    }

    private func weighBudget() {
        guard let budget = writer.account.settings.budget else { return }
        let shared = writer.account.now
        let used = file.size + shared.otherBytes
        let room = budget.room(used: used, waiting: writer.queue.backlogBytes, owed: open.count)
        switch writer.state {
        case .writable, .overBudget: writer.become(AuditState(room, used: used, budget: budget.bytes) ?? .writable)
        case .recovering, .stalled, .failed, .finished: break
        }
    }

    /// Goes on in a new file if somebody gave the old one another name, as logrotate does.
    private mutating func reopen(in directory: AuditDirectory, now: Int64) throws(AuditError) {
        do throws(AuditError) {
            guard try !isNamed(in: directory) else { return }
            try begin(in: directory, segment: nil, now: now)
            writer.account.report(.reopening, nil)
        } catch {
            try tolerate(error, task: .reopening, now: now)
        }
    }

    private mutating func rotate(in directory: AuditDirectory, now: Int64) throws(AuditError) {
        let segment = SegmentName(
            stem: directory.stem,
            closed: now / 1_000_000,
            firstSequence: beginning.sequence
        )
        do throws(AuditError) {
            // What has our name and is not ours must not become a segment.
            try begin(in: directory, segment: try isNamed(in: directory) ? segment : nil, now: now)
            writer.account.report(.rotation, nil)
        } catch {
            try tolerate(error, task: .rotation, now: now)
        }
    }

    /// As long as the old file can be written, a new one that cannot be made is no reason to stop.
    private mutating func tolerate(_ error: AuditError, task: AuditTask, now: Int64) throws(AuditError) {
        guard error != .changedByOthers else { throw error }
        noRotationBefore = now + Self.rotationPause
        writer.account.report(task, "\(error)")
    }

    private func isNamed(in directory: AuditDirectory) throws(AuditError) -> Bool {
        let isUntouched = try onFiles { () throws(SystemCallError) in try file.isUntouched() }
        guard isUntouched else { throw .changedByOthers }
        return try onFiles { () throws(SystemCallError) in try file.isNamed(directory.activeName, in: directory) }
    }

    /// Writes the first lines of a new file, has it take the old one's name, and goes on in it.
    ///
    /// It takes the name whole: whoever finds it finds in it everything that a restart must know of the files before.
    /// `segment` is what the old file is called from now on; nil where it has another name already.
    private mutating func begin(
        in directory: AuditDirectory,
        segment: SegmentName?,
        now: Int64
    ) throws(AuditError) {
        let before = chain.position
        let signerBefore = signer
        do throws(AuditError) {
            let next = try prepare(in: directory, segment: segment, now: now)
            try onFiles { () throws(SystemCallError) in try takeName(in: directory, segment: segment) }
            let old = file.size
            file.unlock()
            file = next
            headEnd = chain.position.sequence
            beginning = FileBeginning(sequence: before.sequence + 1, time: now)
            writer.account.change { shared in
                shared.otherBytes += segment == nil ? 0 : old
                shared.generation += 1
            }
            publishPosition()
            writer.account.bell.signal()
        } catch {
            chain.goBack(to: before)
            signer = signerBefore
            clearLines()
            if error != .changedByOthers { try? directory.remove(directory.nextName) }
            throw error
        }
    }

    /// Makes the new file with its first lines in it.
    private mutating func prepare(
        in directory: AuditDirectory,
        segment: SegmentName?,
        now: Int64
    ) throws(AuditError) -> AuditFile {
        var record = writer.started
        record.event = .rotated
        record.segment = segment?.text
        if segment == nil { record.detail = "the file had been given another name" }
        let carried = Array(open)
        for start in stride(from: 0, to: max(1, carried.count), by: Self.carriedInLine) {
            let some = carried[start..<min(start + Self.carriedInLine, carried.count)]
            record.open = some.compactMap { if case .connection(let identifier) = $0 { identifier } else { nil } }
                .sorted()
            record.openRequests =
                some.compactMap { if case .request(let identifier) = $0 { identifier } else { nil } }.sorted()
            append(record)
        }
        appendKey()
        appendCheckpoint(now: now)
        // What a crash left under this name was never part of the trail.
        try onFiles { () throws(SystemCallError) in try directory.remove(directory.nextName) }
        var next = try AuditFile.make(directory.nextName, in: directory)
        var done = 0
        while done < lines.count {
            done += try onFiles { () throws(SystemCallError) in try next.append(lines, from: done) }
        }
        clearLines()
        if writer.durability == .synced { try next.synchronize() }
        return next
    }

    private func takeName(in directory: AuditDirectory, segment: SegmentName?) throws(SystemCallError) {
        if let segment {
            try directory.rename(directory.activeName, to: segment.text)
        } else if let made = try directory.status(directory.activeName), made.size == 0,
            AuditFile.fault(of: made) == nil
        {
            // logrotate's `create` makes an empty file in place of the one that it takes away.
            try directory.remove(directory.activeName)
        }
        do throws(SystemCallError) {
            try directory.rename(directory.nextName, to: directory.activeName)
        } catch {
            if let segment { try directory.rename(segment.text, to: directory.activeName) }
            throw error
        }
        if writer.durability == .synced { try directory.synchronize() }
    }
}
