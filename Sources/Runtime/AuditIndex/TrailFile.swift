import AuditReading
import AuditTrail
import LinuxBindings
import OpenSSLBindings

/// A file of the trail as it is read for the index: whole lines only, and where they stand.
final class TrailFile {
    let path: String
    let place: FilePlace
    let isCompressed: Bool
    /// The SHA-256 of the first line; nil where there is none so far.
    let firstLine: [UInt8]?
    private var lines: SegmentLines
    /// A line that was read and not handed out.
    private var waiting: SegmentLines.Piece?

    private init(_ path: String, _ status: FileStatus, _ lines: consuming SegmentLines, first: SegmentLines.Piece?) {
        let line: [UInt8]? = if let first { Array(lines.window[first.bytes]) } else { nil }
        self.path = path
        place = FilePlace(device: status.device, inode: status.inode, size: status.size)
        isCompressed = lines.isCompressed
        firstLine = line.map { SHA256Digest(of: $0.span).bytes }
        waiting = first
        self.lines = lines
    }

    /// Opens a file and reads its first line.
    static func open(_ path: String) throws(IndexError) -> TrailFile {
        let file: TrailFile?
        do throws(AuditReadingError) {
            var lines = try SegmentLines(path)
            let status = try lines.status()
            // Of a pipe nobody can say what of it was read before.
            let first = status.isRegular ? try lines.nextTerminated() : nil
            file = status.isRegular ? TrailFile(path, status, lines, first: first) : nil
        } catch {
            throw .trail(error)
        }
        guard let file else { throw .notRegular(path: path) }
        guard file.mayBeOfTheTrail else { throw .notATrail(path: path) }
        return file
    }

    private var mayBeOfTheTrail: Bool {
        guard let waiting else { return true }
        let line = Array(lines.window[waiting.bytes])
        return StoredFrame(line.span) != nil || StoredLine.mayBeCutOff(line.span)
    }

    /// Where the next line begins, in bytes of what the file holds decompressed.
    var offset: Int {
        let behind = lines.position
        guard let waiting else { return behind }
        return behind - waiting.bytes.count - 1
    }

    /// Bytes read, as they are on the disk.
    var bytesRead: Int { lines.bytesRead }

    /// The next line that has its newline, in the window, until the next call; nil where there is none yet.
    func next() throws(IndexError) -> SegmentLines.Piece? {
        if let waiting = waiting.take() { return waiting }
        do throws(AuditReadingError) { return try lines.nextTerminated() } catch { throw .trail(error) }
    }

    /// Puts the bytes of the line handed out last into the array, in place of what it holds.
    func copy(_ piece: SegmentLines.Piece, into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: lines.window[piece.bytes])
    }

    /// Has the next line be the one that begins at an offset; false where none does.
    ///
    /// What stands before it is not read, where the file is not compressed.
    func skip(to offset: Int) throws(IndexError) -> Bool {
        if !isCompressed, offset > self.offset {
            waiting = nil
            do throws(AuditReadingError) { try lines.skip(to: offset) } catch { throw .trail(error) }
        }
        while self.offset < offset {
            guard try next() != nil else { return false }
        }
        return self.offset == offset
    }
}
