import AuditTrail
import LinuxBindings

/// Reads the lines of one file from the first to the last, through a window: memory does not grow with the file.
package struct SegmentLines: ~Copyable {
    /// Large enough that the calls do not count.
    private static let windowBytes = 1 << 18
    /// How long a line may take that is being written while it is read.
    private static let patience = 4
    private static let patienceMilliseconds: UInt32 = 25

    /// A line in the window.
    package struct Piece: Hashable, Sendable {
        /// Its bytes in `window`, without the newline, until the next call.
        package let bytes: Range<Int>
        /// Whether its newline is there; only a last line may lack it.
        package let isTerminated: Bool
        /// Whether it is longer than any line of ours; its bytes are not kept then.
        package let isTooLong: Bool
    }

    /// Where the bytes of a line stand.
    package private(set) var window: [UInt8]
    private var source: SegmentSource
    private let lineLimit: Int
    /// What of the window was read and not handed out.
    private var unread = 0..<0
    /// The line that is being read is longer than any of ours.
    private var isTooLong = false
    /// Up to where no newline stands in what is unread.
    private var searched = 0

    /// Opens a file, to be read from its beginning.
    package init(_ path: String, limits: RecordLimits = .standard) throws(AuditReadingError) {
        source = try SegmentSource.open(path)
        lineLimit = limits.lineBytes
        window = [UInt8](repeating: 0, count: Self.windowBytes)
    }

    /// Bytes of the file that were read: of the compressed ones, where it is compressed.
    package var bytesRead: Int { source.bytesRead }

    /// Where the next line of a plain file begins.
    package var position: Int { source.position - unread.count }

    /// What the kernel knows of the file.
    package func status() throws(AuditReadingError) -> FileStatus { try source.status() }

    /// Whether it is compressed, so that it can be read from its beginning only.
    package var isCompressed: Bool { source.isCompressed }

    /// Goes on with the first line that begins at this offset or behind it; the file must be a plain one.
    package mutating func skip(to offset: Int) throws(AuditReadingError) {
        try source.skip(to: max(0, offset - 1))
        unread = 0..<0
        searched = 0
        // What is left of the line before: only its newline, where a line begins just there.
        if offset > 0 { _ = try nextTerminated() }
    }

    /// The next line; nil behind the last.
    ///
    /// For a last line without a newline it waits a moment: the daemon may be writing it.
    package mutating func next() throws(AuditReadingError) -> Piece? {
        for _ in 0..<Self.patience {
            if let piece = try nextTerminated() { return piece }
            guard !unread.isEmpty || isTooLong else { return nil }
            guard !source.isCompressed else { break }
            sleepMilliseconds(Self.patienceMilliseconds)
        }
        return try nextTerminated() ?? piece(upTo: unread.upperBound, isTerminated: false)
    }

    /// The next line that has its newline; nil where there is none yet.
    package mutating func nextTerminated() throws(AuditReadingError) -> Piece? {
        while true {
            if let newline = nextNewline() { return piece(upTo: newline, isTerminated: true) }
            searched = unread.upperBound
            if unread.count > lineLimit {
                isTooLong = true
                unread = unread.upperBound..<unread.upperBound
            }
            guard try load() else { return nil }
        }
    }

    private func nextNewline() -> Int? {
        firstIndex(of: UInt8(ascii: "\n"), in: window.span.extracting(..<unread.upperBound), from: searched)
    }

    private mutating func piece(upTo end: Int, isTerminated: Bool) -> Piece {
        let bytes = isTooLong ? end..<end : unread.lowerBound..<end
        unread = min(end + 1, unread.upperBound)..<unread.upperBound
        searched = unread.lowerBound
        defer { isTooLong = false }
        return Piece(bytes: bytes, isTerminated: isTerminated, isTooLong: isTooLong)
    }

    /// Reads more behind what is unread; false at the end of the file.
    private mutating func load() throws(AuditReadingError) -> Bool {
        if unread.upperBound == window.count { makeRoom() }
        let count = try source.read(into: &window, from: unread.upperBound)
        unread = unread.lowerBound..<unread.upperBound + count
        return count > 0
    }

    /// Moves what is unread to the beginning, and makes the window larger where it is full of one line.
    private mutating func makeRoom() {
        if unread.lowerBound == 0 {
            window.append(contentsOf: repeatElement(0, count: window.count))
            return
        }
        for index in 0..<unread.count { window[index] = window[unread.lowerBound + index] }
        searched -= unread.lowerBound
        unread = 0..<unread.count
    }
}
