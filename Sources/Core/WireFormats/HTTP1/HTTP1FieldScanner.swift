/// Reads the field lines of a section as they come, each octet but once.
struct HTTP1FieldScanner: Sendable {
    private(set) var lines = ContiguousArray<HTTP1FieldLine>()
    /// The start of the line that has not been read, and how many octets were there when it was last looked at.
    private var progress: LineProgress
    private let takesBlankBeforeColon: Bool

    /// The section begins at `start`; with `takesBlankBeforeColon` a blank behind a name is no fault.
    init(from start: Int, takesBlankBeforeColon: Bool = false) {
        progress = LineProgress(start: start)
        self.takesBlankBeforeColon = takesBlankBeforeColon
    }

    /// Reads on, to the end of the section; `nil` while it has not come within these bytes.
    mutating func read(_ bytes: Span<UInt8>, isAll: Bool, most: Int) throws(HTTP1Violation) -> Int? {
        while isAll || progress.isWorthReading(bytes) {
            switch try line(bytes, isAll: isAll) {
            case .needMore:
                progress.seen = bytes.count
                return nil
            case .endOfSection(let end):
                return end
            case .line(let line):
                guard lines.count < most else { throw .fieldsTooMany }
                // Most heads have fewer fields than this, so that their list is made once.
                if lines.isEmpty { lines.reserveCapacity(16) }
                lines.append(HTTP1FieldLine(line, in: bytes))
                progress = LineProgress(start: line.end)
            }
        }
        progress.seen = bytes.count
        return nil
    }

    /// Takes the lines of this kind from what is forwarded.
    mutating func withdraw(_ known: HTTP1KnownField) {
        for index in lines.indices where lines[index].known == known { lines[index].isForwarded = false }
    }

    /// Takes from what is forwarded the lines that no trailer may be, and those behind the first `most`.
    mutating func withdrawTrailers(beyond most: Int) {
        for index in lines.indices where index >= most || !lines[index].known.mayBeTrailer {
            lines[index].isForwarded = false
        }
    }

    private func line(_ bytes: Span<UInt8>, isAll: Bool) throws(HTTP1Violation) -> FieldLineReading {
        do throws(FieldLineFault) {
            return try readFieldLine(bytes, from: progress.start, takesBlankBeforeColon: takesBlankBeforeColon)
        } catch {
            guard isAll || progress.isDecided(bytes) else { return .needMore }
            throw HTTP1Violation(error)
        }
    }
}

/// How far the line that is now coming was looked at.
struct LineProgress: Sendable {
    var start: Int
    var seen: Int

    init(start: Int) {
        self.start = start
        seen = start
    }

    /// False while the octets that are new can neither end the line nor spoil it.
    func isWorthReading(_ bytes: Span<UInt8>) -> Bool {
        // One back: a carriage return that was last is judged by what follows it.
        seen == start || hasControl(bytes, from: min(seen - 1, bytes.count))
    }

    /// Whether what is wrong with the line is said now: it is once the line ends or is spoiled, however it comes.
    func isDecided(_ bytes: Span<UInt8>) -> Bool {
        hasControl(bytes, from: start)
    }
}

extension HTTP1Violation {
    init(_ fault: FieldLineFault) {
        self =
            switch fault {
            case .bareLineFeed: .bareLineFeed
            case .bareCarriageReturn: .bareCarriageReturn
            case .controlOctet: .controlOctet
            case .obsFold: .obsFold
            case .whitespaceBeforeColon: .whitespaceBeforeColon
            case .badName: .fieldLine
            }
    }
}
