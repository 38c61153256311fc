import AuditTrail
import LinuxBindings

extension KeeperThread {
    /// How long the record of a removal is waited for: where the disk is full, removing is what makes room for it.
    private static let patienceMilliseconds: UInt32 = 10_000

    /// Removes the segments that are over, the oldest first, each after the record that says so.
    func removeOld(_ keeping: AuditStoreSettings.Keeping, in directory: AuditDirectory) throws(AuditError) {
        while let (oldest, next) = try candidate(keeping, in: directory) {
            guard !writer.isEnding else { return }
            var record = writer.started
            record.event = .removed
            record.segment = oldest.text
            record.after = knownHash(before: next, in: directory)
            waitUntilWritten(writer.submit(record))
            try onFiles { () throws(SystemCallError) in
                try directory.remove(oldest.text)
                try directory.synchronize()
            }
            _ = try count(in: directory)
        }
    }

    /// The oldest segment if it is over, and the name of the file that follows it.
    private func candidate(
        _ keeping: AuditStoreSettings.Keeping,
        in directory: AuditDirectory
    ) throws(AuditError) -> (SegmentName, String)? {
        var segments: [SegmentName] = []
        // A directory with a segment's name is no file of the trail, and is not removed like one.
        for segment in try count(in: directory) where try status(segment.text, in: directory)?.isDirectory != true {
            segments.append(segment)
        }
        guard let oldest = segments.first else { return nil }
        // One of ours waits until it is compressed, which one that others put there never is.
        if !oldest.isCompressed {
            guard let status = try status(oldest.text, in: directory), AuditFile.fault(of: status) != nil else {
                return nil
            }
        }
        let shared = account.now
        let age = writer.clock() / 1_000_000 - oldest.closed
        let isTooOld = keeping.seconds.map { age > $0 } ?? false
        let isTooMuch = keeping.bytes.map { shared.otherBytes + shared.activeBytes > $0 } ?? false
        guard isTooOld || isTooMuch else { return nil }
        return (oldest, segments.count > 1 ? segments[1].text : directory.activeName)
    }

    private func status(_ name: String, in directory: AuditDirectory) throws(AuditError) -> FileStatus? {
        try onFiles { () throws(SystemCallError) in try directory.status(name) }
    }

    /// The hash of the line before a file; nil where that file does not tell it, and the operator is told.
    ///
    /// A file that is damaged or not ours is no reason to keep those before it: the trail would fill its disk, or its budget.
    private func knownHash(before name: String, in directory: AuditDirectory) -> String? {
        var reason = "it does not begin with a line of Penstock's"
        do throws(AuditError) {
            if let hash = try lastHash(before: name, in: directory) { return hash }
        } catch {
            reason = "\(error)"
        }
        account.settings.report.say(
            "audit: retention: \(name) does not tell the hash of the line before it, and the record of the removal of what came before it has no `after`: \(reason)"
        )
        return nil
    }

    /// The hash of the line before a file, as its first line has it.
    private func lastHash(before name: String, in directory: AuditDirectory) throws(AuditError) -> String? {
        var head: [UInt8] = []
        if SegmentName(name, stem: directory.stem)?.isCompressed == true {
            try readCompressed(name, in: directory) { bytes in
                head += bytes
                return !bytes.contains(UInt8(ascii: "\n")) && head.count < writer.limits.lineBytes
            }
        } else {
            let segment = try openSegment(name, in: directory)
            head = try onFiles { () throws(SystemCallError) in
                try readBytes(segment.file, atMost: writer.limits.lineBytes, at: 0)
            }
        }
        let line = Array(head.prefix { $0 != UInt8(ascii: "\n") })
        return StoredLine.previousHash(of: line.span).map { "sha256:" + String(decoding: $0, as: UTF8.self) }
    }

    private func waitUntilWritten(_ ticket: UInt64) {
        var waited: UInt32 = 0
        while writer.writtenThrough < ticket, waited < Self.patienceMilliseconds, !writer.isEnding {
            sleepMilliseconds(20)
            waited += 20
        }
    }
}
