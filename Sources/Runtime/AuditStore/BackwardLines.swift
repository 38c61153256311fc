/// Reads a file's lines from the last to the first, in blocks: the memory it takes does not grow with the file.
struct BackwardLines {
    /// One block: large enough that the calls do not count.
    private static let blockBytes = 1 << 20

    /// Where a line stands.
    struct Place: Hashable, Sendable {
        /// Of its first byte in the file.
        let offset: Int
        /// Of its bytes in `window`, without the newline, until the next call.
        let bytes: Range<Int>
    }

    private(set) var window: [UInt8] = []
    /// Whether the last line has its newline; known after the first call.
    private(set) var endsInNewline = true
    private let lineLimit: Int
    private var windowOffset: Int
    /// What of the window was not handed out yet.
    private var unread = 0
    private var isAtEnd = true
    private var isFinished = false

    /// Starts at the end of a file of `size` bytes; a line has at most `lineLimit`.
    init(size: Int, lineLimit: Int) {
        self.lineLimit = lineLimit
        windowOffset = size
        isFinished = size == 0
    }

    /// The next line towards the beginning; nil before the first.
    mutating func next(in file: borrowing AuditFile) throws(AuditError) -> Place? {
        if isFinished { return nil }
        if isAtEnd { try startAtEnd(file) }
        while true {
            if let newline = lastNewline() {
                let place = Place(offset: windowOffset + newline + 1, bytes: newline + 1..<unread)
                unread = newline
                return place
            }
            guard windowOffset > 0 else {
                isFinished = true
                return Place(offset: 0, bytes: 0..<unread)
            }
            guard unread <= lineLimit else { throw .foreignLine(offset: windowOffset) }
            try load(file)
        }
    }

    private mutating func startAtEnd(_ file: borrowing AuditFile) throws(AuditError) {
        isAtEnd = false
        try load(file)
        endsInNewline = window.last == UInt8(ascii: "\n")
        if endsInNewline { unread -= 1 }
    }

    /// Puts the block before the window in front of what is unread of it.
    private mutating func load(_ file: borrowing AuditFile) throws(AuditError) {
        let start = max(0, windowOffset - Self.blockBytes)
        var block = try file.read(start..<windowOffset)
        let count = block.count
        block += window[..<unread]
        window = block
        unread += count
        windowOffset = start
    }

    private func lastNewline() -> Int? {
        let span = window.span
        var index = unread
        while index > 0 {
            index -= 1
            if span[index] == UInt8(ascii: "\n") { return index }
        }
        return nil
    }
}
