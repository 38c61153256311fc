import AuditReading
import AuditTrail
import LinuxBindings

/// What `penstock audit tail` is asked.
struct TailRequest: Hashable {
    /// How records are shown.
    enum Form: Hashable {
        /// A table on a terminal, lines elsewhere.
        case automatic
        case table
        case json
    }

    var file: String
    var follows: Bool
    var deniedOnly: Bool
    var host: HostQuery?
    /// In microseconds since 1970-01-01T00:00:00Z.
    var since: Int64?
    /// The most records at the beginning; nil: all since then.
    var count: Int?
    var form: Form

    /// Reads the words after `audit tail`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, Self.forms, .tail)
        guard !options.wantsHelp else { return nil }
        try options.refuseOperands(after: 1)
        file = options.operands.first ?? AuditCommand.defaultFile
        follows = options.has("-f") || options.has("--follow")
        deniedOnly = options.has("--deny")
        host = try options.host()
        since = try options.pastTime("--since")
        count = try Self.count(options) ?? (since == nil ? 20 : nil)
        guard !(options.has("--table") && options.has("--json")) else {
            throw options.misuse("--table or --json, not both")
        }
        form = options.has("--table") ? .table : options.has("--json") ? .json : .automatic
    }

    private static let forms: [Options.Form] = [
        .flag("-f"), .flag("--follow"), .flag("--deny"), .value("--host"), .value("--since"), .value("-n"),
        .flag("--table"), .flag("--json"),
    ]

    private static func count(_ options: Options) throws(Misuse) -> Int? {
        guard let text = options.value("-n") else { return nil }
        guard let count = Int(text), (0...1_000_000).contains(count) else {
            throw options.misuse("-n '\(text)' is no number of records; write 0 to 1000000")
        }
        return count
    }
}

/// A time in RFC 3339, or so long ago: `90s`, `10m`, `2h`, `7d`; nil where it is neither.
func readPastTime(_ text: String, now: Int64) -> Int64? {
    if let time = microseconds(rfc3339: text) { return time }
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int64(text.dropLast()), number >= 0,
        text.first?.isNumber == true
    else { return nil }
    let (seconds, isTooMuch) = number.multipliedReportingOverflow(by: unit * 1_000_000)
    return isTooMuch ? nil : now.subtractingReportingOverflow(seconds).partialValue
}

extension TailRequest {
    /// Shows what was asked for, and then what comes.
    func run() throws(AuditReadingError) -> ExitCode {
        var output = TailOutput(self)
        let end = try showEnd(&output)
        output.flush()
        if follows { try follow(from: end, &output) }
        sayForeign(output.foreign)
        return .done
    }

    /// Shows the end of the file as it is, and returns where that was.
    ///
    /// It is looked for backwards, each time from four times as far, until there is enough.
    private func showEnd(_ output: inout TailOutput) throws(AuditReadingError) -> Int {
        var lines = try SegmentLines(file)
        let status = try lines.status()
        let canSkip = !lines.isCompressed && status.isRegular
        guard !follows || canSkip else { throw .notFollowable(path: file) }
        var reach = 1 << 20
        while true {
            let start = canSkip ? max(0, status.size - reach) : 0
            if start > 0 { try lines.skip(to: start) }
            var found = TailSelection(filter: output.filter, count: count)
            while let piece = try canSkip ? lines.nextTerminated() : lines.next() {
                found.consider(lines.window.span.extracting(piece.bytes))
            }
            if start == 0 || (found.isEnough && (follows || found.hasRecords)) {
                if !follows, !found.hasRecords { try lookAtRest(&lines, &found) }
                output.show(found)
                return lines.position
            }
            reach *= 4
            lines = try SegmentLines(file)
        }
    }

    /// Looks at a last line without its newline too, and sees whether there is a record anywhere.
    private func lookAtRest(_ lines: inout SegmentLines, _ found: inout TailSelection) throws(AuditReadingError) {
        while let piece = try lines.next() { found.consider(lines.window.span.extracting(piece.bytes)) }
        if !found.hasRecords, found.foreign > 0 { throw .notATrail(path: file) }
    }

    private func follow(from offset: Int, _ output: inout TailOutput) throws(AuditReadingError) {
        var segment = try FollowedSegment(file, from: offset)
        while output.isRead {
            while let piece = try segment.next() {
                output.show(segment.lines.window.span.extracting(piece.bytes))
            }
            output.flush()
            if try segment.turnOver() { continue }
            sleepMilliseconds(200)
        }
    }
}
