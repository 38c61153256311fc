import AuditTrail
import LinuxBindings
import Synchronization

/// Looks after the files that the writer has left: compresses them, removes what is over, keeps where the chain has come to.
///
/// It runs on a thread of its own, behind every other of the machine: the writer never waits for it.
struct KeeperThread: ~Copyable {
    /// How often it looks, whatever happens.
    private static let tickMilliseconds: Int32 = 1000
    /// How often, in ticks, what was written is brought to the disk and its end kept.
    private static let ticksForState = 60

    let writer: AuditWriter
    var account: StoreAccount { writer.account }
    private var ticks = 0
    private var kept = ChainPosition.beginning

    init(writer: AuditWriter) {
        self.writer = writer
    }

    /// Works until the writer ends.
    mutating func run() {
        yieldToOtherThreads()
        while !writer.isEnding {
            // The writer looks whether its file still has its name, and whether a key waits.
            account.change { $0.wantsReopening = true }
            if let directory = account.directory {
                if account.settings.rotation != nil { lookAfterSegments(in: directory) }
                if ticks % Self.ticksForState == 0 || account.now.position.sequence > kept.sequence + 100_000 {
                    keepState(in: directory)
                }
            }
            // The writer weighs the budget, and looks how old its file is.
            writer.queue.nudge()
            ticks &+= 1
            _ = account.bell.wait(milliseconds: Self.tickMilliseconds)
        }
    }

    private func lookAfterSegments(in directory: AuditDirectory) {
        attempt(.compression) { () throws(AuditError) in
            var foreign: AuditError?
            for segment in try count(in: directory) where !segment.isCompressed {
                guard !writer.isEnding else { return }
                do throws(AuditError) {
                    try compress(segment, in: directory)
                } catch {
                    // One that others put there is no reason to leave ours as they are.
                    guard case .foreignSegment = error else { throw error }
                    foreign = foreign ?? error
                }
            }
            if let foreign { throw foreign }
        }
        attempt(.retention) { () throws(AuditError) in
            guard let keeping = account.settings.keeping else { return }
            try removeOld(keeping, in: directory)
        }
    }

    func count(in directory: AuditDirectory) throws(AuditError) -> [SegmentName] {
        try onFiles { () throws(SystemCallError) in try account.count(in: directory) }
    }

    private mutating func keepState(in directory: AuditDirectory) {
        let reached = account.now
        let position = reached.position
        guard account.state != nil, position.sequence > kept.sequence else { return }
        do throws(AuditError) {
            // Only what the disk has is kept as written: a loss of power is no tampering.
            try synchronizeFiles(in: directory)
            writer.keepPosition(position, checkpoint: reached.checkpoint)
            kept = position
        } catch {
            account.report(.state, "\(error)")
        }
    }

    /// Brings the file that is being written to the disk, its name, and those that it followed and that are not compressed.
    func synchronizeFiles(in directory: AuditDirectory) throws(AuditError) {
        let plain = try onFiles { () throws(SystemCallError) in try directory.segments() }.filter { !$0.isCompressed }
        for name in plain.map(\.text) { try synchronizeFile(name, in: directory, isForeignAllowed: true) }
        try synchronizeFile(directory.activeName, in: directory, isForeignAllowed: false)
        try onFiles { () throws(SystemCallError) in try directory.synchronize() }
    }

    /// Brings a file to the disk, or passes over one that others put there.
    private func synchronizeFile(
        _ name: String,
        in directory: AuditDirectory,
        isForeignAllowed: Bool
    ) throws(AuditError) {
        do throws(AuditError) {
            let open = try openSegment(name, in: directory)
            try onFiles { () throws(SystemCallError) in try synchronizeData(open.file) }
        } catch {
            guard isForeignAllowed, case .foreignSegment = error else { throw error }
        }
    }

    private func attempt(_ task: AuditTask, _ body: () throws(AuditError) -> Void) {
        do throws(AuditError) {
            try body()
            account.report(task, nil)
        } catch {
            account.report(task, "\(error)")
        }
    }
}

extension AuditWriter {
    /// Starts the keeper's thread, where there is anything to keep.
    func startKeeper() throws(AuditError) {
        let settings = account.settings
        guard settings.rotation != nil || settings.budget != nil || settings.statePath != nil else {
            return keeperEnded.signal()
        }
        do throws(SystemCallError) {
            try startThread(named: "audit-keeper") {
                var keeper = KeeperThread(writer: self)
                keeper.run()
                self.keeperEnded.signal()
            }
        } catch {
            throw .noThread(error)
        }
    }
}
