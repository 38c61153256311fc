import AuditIndex
import AuditTrail
import LinuxBindings
import NetworkTypes

/// What `penstock audit query` is asked.
struct QueryRequest: Hashable {
    /// The most rows, where nobody says.
    static let usualLimit = 1000
    /// The name of an index that nobody names.
    static let indexName = "audit.index.sqlite"

    var files: [String]
    var index: String
    var updates: Bool
    var wantsProgress: Bool
    var form: QueryForm
    /// Without the parts of the index that it is about.
    var query: AuditQuery

    /// Reads the words after `audit query`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, Self.forms, .query)
        guard !options.wantsHelp else { return nil }
        files = AuditCommand.files(options.operands)
        index = options.value("--index") ?? Self.index(beside: files)
        updates = !options.has("--no-update")
        wantsProgress = options.has("--progress")
        form = try Self.form(options)
        query = try AuditQuery(options)
    }

    private static let forms: [Options.Form] = [
        .value("--host"), .value("--since"), .value("--until"), .flag("--deny"), .flag("--allow"), .value("--rule"),
        .value("--uid"), .value("--kind"), .value("--text"), .value("--limit"), .value("--format"), .value("--index"),
        .flag("--no-update"), .flag("--progress"),
    ]

    /// The index of these files where none is named: beside the one that is written last.
    static func index(beside files: [String]) -> String {
        guard let file = files.last, let slash = file.lastIndex(of: "/") else { return indexName }
        return file[...slash] + indexName
    }

    private static func form(_ options: Options) throws(Misuse) -> QueryForm {
        guard let text = options.value("--format") else { return OutputStream.output.isTerminal ? .table : .json }
        guard let form = QueryForm(rawValue: text) else {
            throw Misuse(unknown: "format", text, among: QueryForm.allCases.map(\.rawValue), .query)
        }
        return form
    }
}

extension AuditQuery {
    /// Reads the options of `audit query`.
    fileprivate init(_ options: Options) throws(Misuse) {
        self.init(segments: [])
        switch try options.host() {
        case nil: break
        case .pattern(let pattern): host = pattern
        case .address(let address): self.address = address
        }
        since = try options.pastTime("--since")
        until = try options.pastTime("--until")
        guard !(options.has("--deny") && options.has("--allow")) else {
            throw options.misuse("--deny or --allow, not both")
        }
        verdict = options.has("--deny") ? .denied : options.has("--allow") ? .allowed : nil
        rule = options.value("--rule")
        uid = try Self.uid(options)
        kind = try Self.kind(options)
        words = try Self.words(options)
        limit = try Self.limit(options)
    }

    private static func uid(_ options: Options) throws(Misuse) -> UInt32? {
        guard let text = options.value("--uid") else { return nil }
        guard let uid = UInt32(text), text.allSatisfy(\.isNumber) else {
            throw options.misuse("--uid '\(text)' is no user number; write 0 to 4294967295")
        }
        return uid
    }

    private static func kind(_ options: Options) throws(Misuse) -> String? {
        guard let text = options.value("--kind") else { return nil }
        let kinds = RecordKind.allCases.map(\.rawValue)
        guard kinds.contains(text) else { throw Misuse(unknown: "kind", text, among: kinds, .query) }
        return text
    }

    private static func words(_ options: Options) throws(Misuse) -> [String] {
        guard let text = options.value("--text") else { return [] }
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard !words.isEmpty, words.allSatisfy(isSearchable) else {
            throw options.misuse("--text '\(text)' has no letters or digits to look for in every word")
        }
        return words
    }

    private static func limit(_ options: Options) throws(Misuse) -> Int? {
        guard let text = options.value("--limit") else { return QueryRequest.usualLimit }
        if text == "all" { return nil }
        guard let limit = Int(text), (1...1_000_000_000).contains(limit) else {
            throw options.misuse("--limit '\(text)' is no number of rows; write 1 to 1000000000, or all")
        }
        return limit
    }
}

extension QueryRequest {
    /// Brings the index up to date and shows what is found.
    func run() throws(IndexError) -> ExitCode {
        let index = try AuditIndex(index, for: updates ? .updating : .reading, besideTrail: files.last)
        var query = query
        if updates {
            let summary = try withProgress(isWanted: wantsProgress, of: files) { report throws(IndexError) in
                try index.update(files, progress: report)
            }
            sayForeign(summary.unreadable)
            query.segments = summary.segments
        } else {
            query.segments = try index.segments(of: files)
        }
        var output = QueryOutput(form)
        let hasMore = try index.find(query) { row in
            output.show(row)
            return true
        }
        output.flush()
        if hasMore, let limit = query.limit { say("only the last \(limit) are shown; --limit all shows all") }
        return .done
    }
}

/// Does something long, and shows meanwhile how far it has come.
func withProgress<Result>(
    isWanted: Bool,
    of files: [String],
    _ body: ((IndexProgress) -> Void) throws(IndexError) -> Result
) throws(IndexError) -> Result {
    var progress = Progress(isWanted: isWanted, of: files)
    defer { progress.finish() }
    return try body { progress.reached($0.bytesRead) }
}
