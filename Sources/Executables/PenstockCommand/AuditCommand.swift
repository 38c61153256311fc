import AuditIndex
import AuditReading

/// The commands below `audit`: they read files of the trail, and need no daemon.
enum AuditCommand: Hashable {
    case verify(VerifyRequest)
    case tail(TailRequest)
    case show(ShowRequest)
    case stats(StatsRequest)
    case keys(KeysRequest)
    case query(QueryRequest)
    case reindex(ReindexRequest)

    /// Where the daemon writes, unless it was told otherwise.
    static let defaultFile = "/var/log/penstock/audit.jsonl"

    /// Reads the words after `audit`; the topic where they ask for help.
    static func read(_ words: ArraySlice<String>) throws(Misuse) -> Command {
        var words = words
        switch words.popFirst() {
        case nil: throw Misuse("'penstock audit' needs a command", .audit)
        case "--help", "-h", "help": return .help(.audit)
        case "verify": return try VerifyRequest(words).map { .audit(.verify($0)) } ?? .help(.verify)
        case "tail": return try TailRequest(words).map { .audit(.tail($0)) } ?? .help(.tail)
        case "show": return try ShowRequest(words).map { .audit(.show($0)) } ?? .help(.show)
        case "stats": return try StatsRequest(words).map { .audit(.stats($0)) } ?? .help(.stats)
        case "keys": return try KeysRequest(words).map { .audit(.keys($0)) } ?? .help(.keys)
        case "query": return try QueryRequest(words).map { .audit(.query($0)) } ?? .help(.query)
        case "reindex": return try ReindexRequest(words).map { .audit(.reindex($0)) } ?? .help(.reindex)
        case .some(let word): throw Misuse(unknown: "command", "audit \(word)", among: HelpTopic.ofAudit, .audit)
        }
    }

    func run() throws(Complaint) -> ExitCode {
        switch self {
        case .verify(let request): try Self.reading { () throws(AuditReadingError) in try request.run() }
        case .tail(let request): try Self.reading { () throws(AuditReadingError) in try request.run() }
        case .show(let request): try Self.reading { () throws(AuditReadingError) in try request.run() }
        case .stats(let request): try Self.reading { () throws(AuditReadingError) in try request.run() }
        case .keys(let request): try Self.reading { () throws(AuditReadingError) in try request.run() }
        case .query(let request): try Self.indexing { () throws(IndexError) in try request.run() }
        case .reindex(let request): try Self.indexing { () throws(IndexError) in try request.run() }
        }
    }

    private static func reading(_ body: () throws(AuditReadingError) -> ExitCode) throws(Complaint) -> ExitCode {
        do throws(AuditReadingError) { return try body() } catch { throw Complaint(error) }
    }

    private static func indexing(_ body: () throws(IndexError) -> ExitCode) throws(Complaint) -> ExitCode {
        do throws(IndexError) { return try body() } catch { throw Complaint(error) }
    }

    /// The files that were named; the daemon's own where none was.
    static func files(_ operands: [String]) -> [String] { operands.isEmpty ? [defaultFile] : operands }
}

extension Complaint {
    /// What was found in a file is a problem of it; that it cannot be had is another matter.
    init(_ error: AuditReadingError) {
        let code: ExitCode =
            switch error {
            case .damaged, .cutShort: .problems
            case .file, .noMemory, .notATrail: .unreadable
            case .notFollowable: .usage
            }
        self.init("\(error)", code)
    }
}

/// Says how many lines were passed over because they are no records.
func sayForeign(_ count: Int) {
    guard count > 0 else { return }
    say(
        "\(count) line\(count == 1 ? " is no record" : "s are no records"); `penstock audit verify` says which is the first"
    )
}
