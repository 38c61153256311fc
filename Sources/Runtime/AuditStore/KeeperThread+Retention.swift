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
            record.after = try lastHash(before: next, in: directory)
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
        let segments = try count(in: directory)
        guard let oldest = segments.first, oldest.isCompressed else { return nil }
        let shared = account.now
        let age = writer.clock() / 1_000_000 - oldest.closed
        let isTooOld = keeping.seconds.map { age > $0 } ?? false
        let isTooMuch = keeping.bytes.map { shared.otherBytes + shared.activeBytes > $0 } ?? false
        guard isTooOld || isTooMuch else { return nil }
        return (oldest, segments.count > 1 ? segments[1].text : directory.activeName)
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
