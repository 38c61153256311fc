import LinuxBindings

/// How far a long reading has come, on standard error: where that is a terminal, or where it was asked for.
struct Progress {
    /// Often enough to be seen moving, and not more.
    private static let everyNanoseconds: UInt64 = 200_000_000

    private let isShown: Bool
    private let total: Int
    private let start = monotonicNanoseconds()
    private var next: UInt64
    private var hasLine = false

    /// Nothing is shown in the first moment: what is quick needs none.
    init(isWanted: Bool, of files: [String]) {
        isShown = isWanted || OutputStream.errors.isTerminal
        total = isShown ? files.reduce(0) { $0 + fileSize($1) } : 0
        next = isWanted ? 0 : start + Self.everyNanoseconds
    }

    /// So many bytes of all files are done.
    mutating func reached(_ bytes: Int) {
        guard isShown else { return }
        let now = monotonicNanoseconds()
        guard now >= next else { return }
        next = now + Self.everyNanoseconds
        hasLine = true
        // To the first column; and what an earlier, longer line left is cleared.
        writeToStandardError("\r\(line(bytes, now))\u{1b}[K")
    }

    /// Takes the line away.
    mutating func finish() {
        if hasLine { writeToStandardError("\r\u{1b}[K") }
        hasLine = false
    }

    private func line(_ bytes: Int, _ now: UInt64) -> String {
        let seconds = Double(now - start) / 1e9
        let rate = seconds > 0 ? Double(bytes) / seconds : 0
        let speed = "\(byteText(UInt64(rate)))/s"
        guard total > 0, bytes <= total else { return "\(byteText(UInt64(clamping: bytes))), \(speed)" }
        let share = Double(bytes) / Double(total)
        let left = rate > 0 ? Double(total - bytes) / rate : 0
        let bar = Bar(share: share, width: 24).text
        return
            "\(bar) \(Int(share * 100))% of \(byteText(UInt64(clamping: total))), \(speed), \(Int(left.rounded(.up))) s left"
    }
}

private func fileSize(_ path: String) -> Int {
    guard let file = try? openForReading(path), let status = try? fileStatus(file), status.isRegular else { return 0 }
    return status.size
}
