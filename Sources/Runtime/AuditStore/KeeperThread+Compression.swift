import AuditTrail
import LinuxBindings
import ZstdBindings

extension KeeperThread {
    private static let blockBytes = 1 << 18

    /// Puts a compressed file in the place of a plain segment.
    ///
    /// At every moment one of the two is whole and has its name: the compressed one is written under another name, read back,
    /// brought to the disk and renamed, and only then the plain one is removed. The file that is being written goes to the
    /// disk before that: what its first lines say of the segment must not be all that is left of it.
    func compress(_ segment: SegmentName, in directory: AuditDirectory) throws(AuditError) {
        var compressed = segment
        compressed.isCompressed = true
        let part = directory.partName(of: segment)
        let plain = try openSegment(segment.text, in: directory)
        try onFiles { () throws(SystemCallError) in
            try directory.remove(part)
            try directory.remove(compressed.text)
        }
        do throws(AuditError) {
            guard let length = try write(plain, to: part, in: directory) else {
                return try onFiles { () throws(SystemCallError) in try directory.remove(part) }
            }
            guard try decompressedLength(of: part, in: directory) == length else {
                throw .notOpened(.inputOutput("compress"))
            }
            try synchronizeFiles(in: directory)
            try onFiles { () throws(SystemCallError) in
                // The writer may have undone the rotation meanwhile.
                guard try directory.status(segment.text) != nil else { return try directory.remove(part) }
                try directory.rename(part, to: compressed.text)
                try directory.synchronize()
                try directory.remove(segment.text)
                try directory.synchronize()
            }
        } catch {
            try? directory.remove(part)
            throw error
        }
        _ = try count(in: directory)
    }

    /// Writes the compressed bytes to a new file and to the disk.
    ///
    /// - Returns: How many plain bytes there are; nil where the writer ends and there is no time for more.
    private func write(
        _ plain: borrowing OpenSegment,
        to part: String,
        in directory: AuditDirectory
    ) throws(AuditError) -> Int? {
        let file = try onFiles { () throws(SystemCallError) in
            try directory.open(part, [.readWrite, .create, .exclusive])
        }
        var compressor = try makeCompressor()
        var offset = 0
        while true {
            guard !writer.isEnding else { return nil }
            let from = offset
            let block = try onFiles { () throws(SystemCallError) in
                try readBytes(plain.file, atMost: Self.blockBytes, at: from)
            }
            offset += block.count
            var made = 0
            try onFiles { () throws(SystemCallError) in
                try compressor.compress(block, isLast: block.isEmpty) {
                    (bytes: borrowing Span<UInt8>) throws(SystemCallError) in
                    var done = 0
                    while done < bytes.count { done += try writeBytes(file, bytes.extracting(done...)) }
                    made += bytes.count
                }
            }
            let more = made
            account.change { $0.otherBytes += more }
            if block.isEmpty { break }
        }
        try onFiles { () throws(SystemCallError) in try synchronize(file) }
        return offset
    }

    private func makeCompressor() throws(AuditError) -> ZstdCompressor {
        do throws(ZstdError) {
            // Of lines that repeat each other but for their hashes, the fastest level makes less than the usual one, in half the time.
            return try ZstdCompressor(level: 1)
        } catch {
            throw .notOpened(SystemCallError(call: "compress", code: 12))
        }
    }

    /// How many bytes a compressed file holds.
    ///
    /// Each of them has been read back: the frame's checksum stands for what they were (RFC 8878, section 3.1.1). A hash of our own
    /// beside it, twice over each byte of the trail, took a third of the keeper's time.
    private func decompressedLength(of part: String, in directory: AuditDirectory) throws(AuditError) -> Int {
        var length = 0
        try readCompressed(part, in: directory) { bytes in
            length += bytes.count
            return true
        }
        return length
    }
}
