import AuditTrail
import LinuxBindings
import OpenSSLBindings
import Synchronization

/// Some lines of a file in a row, each with its hash.
struct HashedLines: Sendable {
    /// A line among these.
    struct Line: Sendable {
        /// Where it stands in `bytes`, without its newline.
        let bytes: Range<Int>
        let isTerminated: Bool
        /// 32 bytes.
        let hash: [UInt8]
    }

    fileprivate(set) var bytes: [UInt8] = []
    fileprivate(set) var lines: [Line] = []
    /// Bytes of the file that were read when the last of them was.
    fileprivate(set) var bytesRead = 0

    /// Has room for so many bytes, and then some.
    fileprivate init(reserving bytes: Int) {
        self.bytes.reserveCapacity(bytes + bytes / 8)
        lines.reserveCapacity(bytes / 256)
    }

    fileprivate mutating func add(_ piece: SegmentLines.Piece, of source: borrowing SegmentLines) {
        let start = bytes.count
        bytes.append(contentsOf: source.window[piece.bytes])
        let hash = SHA256Digest(of: bytes.span.extracting(start...)).bytes
        lines.append(Line(bytes: start..<bytes.count, isTerminated: piece.isTerminated, hash: hash))
        bytesRead = source.bytesRead
    }
}

/// Reads a file and hashes its lines, a little ahead of whoever checks them: that is a third of the work.
///
/// Concurrency: a thread of its own reads, from `init` until the end of the file or until `abandon`. `next` and `abandon` are
/// for the thread that checks.
final class LineHasher: Sendable {
    /// So many bytes are handed over at once: enough that handing over costs nothing, and few enough that memory is used
    /// again and not given back to the kernel each time.
    private static let batchBytes = 1 << 16
    /// How many of them may wait.
    private static let batchesAhead = 16

    private struct State: Sendable {
        var waiting: [HashedLines] = []
        /// Set when there is nothing more to come; the reason, where that is not the end of the file.
        var end: AuditReadingError??
        var isAbandoned = false
    }

    private let path: String
    private let limits: RecordLimits
    private let state = Mutex(State())
    private let hasMore: EventDescriptor
    private let hasRoom: EventDescriptor

    /// Begins to read.
    init(_ path: String, limits: RecordLimits) throws(AuditReadingError) {
        self.path = path
        self.limits = limits
        do throws(SystemCallError) {
            hasMore = try EventDescriptor(blocking: true)
            hasRoom = try EventDescriptor(blocking: true)
            try startThread(named: "audit-hasher") { self.run() }
        } catch {
            throw .file(path: path, error)
        }
    }

    /// Waits for the next lines; nil behind the last.
    func next() throws(AuditReadingError) -> HashedLines? {
        while true {
            let (lines, end) = state.withLock { state in
                state.waiting.isEmpty ? (nil, state.end) : (state.waiting.removeFirst(), nil)
            }
            if let lines {
                hasRoom.signal()
                return lines
            }
            if let end {
                if let error = end { throw error }
                return nil
            }
            hasMore.wait()
        }
    }

    /// Has the reading end: nobody will ask for more.
    func abandon() {
        state.withLock { $0.isAbandoned = true }
        hasRoom.signal()
    }

    private func run() {
        let end: AuditReadingError?
        do throws(AuditReadingError) {
            try readAll()
            end = nil
        } catch {
            end = error
        }
        state.withLock { $0.end = .some(end) }
        hasMore.signal()
    }

    private func readAll() throws(AuditReadingError) {
        var source = try SegmentLines(path, limits: limits)
        var batch = HashedLines(reserving: Self.batchBytes)
        while let piece = try source.next() {
            batch.add(piece, of: source)
            guard batch.bytes.count >= Self.batchBytes else { continue }
            guard hand(over: batch) else { return }
            batch = HashedLines(reserving: Self.batchBytes)
        }
        if !batch.lines.isEmpty { _ = hand(over: batch) }
    }

    /// Waits until there is room; false where nobody wants it any more.
    private func hand(over batch: HashedLines) -> Bool {
        while true {
            let isTaken = state.withLock { state -> Bool? in
                if state.isAbandoned { return false }
                guard state.waiting.count < Self.batchesAhead else { return nil }
                state.waiting.append(batch)
                return true
            }
            if let isTaken {
                hasMore.signal()
                return isTaken
            }
            hasRoom.wait()
        }
    }
}
