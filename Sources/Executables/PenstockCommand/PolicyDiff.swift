import AuditReading
import AuditTrail
import Configuration
import LinuxBindings
import PolicyEngine
import PolicyTrials
import Telemetry

/// What `penstock policy diff` is asked.
struct DiffRequest: Hashable {
    var old: String
    var new: String
    /// `nil` where rules alone are compared.
    var files: [String]?
    /// How many groups of changed traffic are shown.
    var top: Int
    var isJSON: Bool
    var wantsProgress: Bool
    var daemon: DaemonKind

    /// Reads the words after `policy diff`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let forms: [Options.Form] = [
            .values("--audit"), .value("--top"), .flag("--json"), .flag("--progress"),
        ]
        let options = try Options(words, forms + DaemonKind.options, .diff)
        guard !options.wantsHelp else { return nil }
        guard options.operands.count >= 2 else { throw options.misuse("two policies are needed, the old and the new") }
        old = options.operands[0]
        new = options.operands[1]
        // A shell that expands a pattern puts all but the first file behind the option's value.
        let more = Array(options.operands.dropFirst(2))
        if !options.has("--audit") { try options.refuseOperands(after: 2) }
        files = options.has("--audit") ? options.all("--audit") + more : nil
        let text = options.value("--top") ?? "20"
        guard let top = Int(text), (1...10_000).contains(top) else {
            throw options.misuse("--top '\(text)' is no number of rows; write 1 to 10000")
        }
        self.top = top
        isJSON = options.has("--json")
        wantsProgress = options.has("--progress")
        daemon = DaemonKind(options)
    }
}

extension DiffRequest {
    /// Compares the policies, and what they do with the traffic; tells of both.
    func run() throws(Complaint) -> ExitCode {
        let before = try loadedPolicy(old, for: daemon, or: .wrong)
        let after = try loadedPolicy(new, for: daemon, or: .wrong)
        let rules = PolicyComparison(old: before.policy, new: after.policy)
        guard let files else {
            let lines = isJSON ? rules.json : rules.lines
            deliver(lines.map { printable($0) + "\n" }.joined())
            return rules.isEmpty ? .done : .problems
        }
        let traffic = try replay(files, before.policy, after.policy)
        let text = isJSON ? traffic.json(top: top) : traffic.text(top: top, .forOutput())
        deliver(text.map { $0 + "\n" }.joined())
        return traffic.changed == 0 ? .done : .problems
    }

    private func replay(_ files: [String], _ before: Policy, _ after: Policy) throws(Complaint) -> TrafficComparison {
        var traffic = TrafficComparison(old: before, new: after)
        let foreign = try readTraffic(files, wantsProgress: wantsProgress) { record, line in
            traffic.add(record, in: line)
        }
        sayForeign(foreign)
        return traffic
    }
}

/// Goes through the records of files, with progress on a terminal; gives the number of lines that are none.
func readTraffic(
    _ files: [String],
    wantsProgress: Bool,
    _ body: (StoredRecord, borrowing Span<UInt8>) -> Void
) throws(Complaint) -> Int {
    var progress = Progress(isWanted: wantsProgress, of: files)
    defer { progress.finish() }
    var foreign = 0
    var done = 0
    do throws(AuditReadingError) {
        for path in files {
            var lines = try SegmentLines(path)
            var reader: StoredRecord?
            var count = 0
            let before = foreign
            while let piece = try lines.next() {
                let line = lines.window.span.extracting(piece.bytes)
                if read(line, into: &reader), let record = reader { body(record, line) } else { foreign += 1 }
                count += 1
                if count & 0xff == 0 { progress.reached(done + lines.bytesRead) }
            }
            // A policy that is tried against nothing would pass.
            if count > 0, foreign - before == count { throw .notATrail(path: path) }
            done += lines.bytesRead
            progress.reached(done)
        }
    } catch {
        throw Complaint(error)
    }
    return foreign
}
