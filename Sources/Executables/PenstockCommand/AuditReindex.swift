import AuditIndex
import LinuxBindings
import Telemetry

/// What `penstock audit reindex` is asked.
struct ReindexRequest: Hashable {
    var files: [String]
    var index: String
    var wantsProgress: Bool

    /// Reads the words after `audit reindex`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.value("--index"), .flag("--progress")], .reindex)
        guard !options.wantsHelp else { return nil }
        files = AuditCommand.files(options.operands)
        index = options.value("--index") ?? QueryRequest.index(beside: files)
        wantsProgress = options.has("--progress")
    }
}

extension ReindexRequest {
    /// Makes the index anew, and says how large it has become.
    func run() throws(IndexError) -> ExitCode {
        let start = monotonicNanoseconds()
        let summary = try withProgress(isWanted: wantsProgress, of: files) { report throws(IndexError) in
            try AuditIndex.rebuild(index, from: files, progress: report)
        }
        let span = spanText(milliseconds: (monotonicNanoseconds() - start) / 1_000_000)
        let counted = "\(summary.records) record\(summary.records == 1 ? "" : "s")"
        let sources = "\(summary.files) file\(summary.files == 1 ? "" : "s")"
        deliver(printable("\(index): \(counted) of \(sources), in \(span)") + "\n")
        sayForeign(summary.unreadable)
        return .done
    }
}

extension Complaint {
    /// What became of the trail or of the index is a problem; that a file cannot be had is another matter.
    init(_ error: IndexError) {
        let code: ExitCode
        switch error {
        case .trail(let error):
            self.init(error)
            return
        case .damaged, .changedTrail: code = .problems
        case .notRegular, .notATrail, .notIndexed, .missing, .notAnIndex, .otherVersion, .busy, .full, .readOnly,
            .database:
            code = .unreadable
        }
        self.init("\(error)", code)
    }
}
