import AuditReading
import AuditTrail
import LinuxBindings
import Telemetry

/// What `penstock audit show` is asked.
struct ShowRequest: Hashable {
    /// The least characters of an identifier: those that only tell the time.
    private static let leastCharacters = 10

    /// An identifier, or how it begins.
    var identifier: String
    var files: [String]
    var isJSON: Bool

    /// Reads the words after `audit show`; `nil` where they ask for help.
    init?(_ words: ArraySlice<String>) throws(Misuse) {
        let options = try Options(words, [.flag("--json")], .show)
        guard !options.wantsHelp else { return nil }
        guard let identifier = options.operands.first?.uppercased() else {
            throw options.misuse("the identifier of a connection, a request or a check is needed")
        }
        guard (Self.leastCharacters...RecordIdentifier.length).contains(identifier.utf8.count),
            identifier.utf8.allSatisfy({ (48...57).contains($0) || (65...90).contains($0) })
        else {
            throw options.misuse(
                "'\(identifier)' is no identifier; write 26 characters, or the first 10 or more of them"
            )
        }
        self.identifier = identifier
        files = AuditCommand.files(Array(options.operands.dropFirst()))
        isJSON = options.has("--json")
    }
}

extension ShowRequest {
    /// Finds the connection, and tells everything that there is about it.
    func run() throws(AuditReadingError) -> ExitCode {
        var search = StorySearch(identifier)
        _ = try readRecords(files) { record, line, _ throws(AuditReadingError) in search.consider(record, line) }
        guard let owner = search.owners.first else {
            say("no record of \(identifier) in \(files.joined(separator: ", "))")
            return .problems
        }
        guard search.owners.count == 1 else {
            say("\(identifier) may be any of these; write more of it")
            deliver(search.owners.map { printable($0) + "\n" }.joined())
            return .problems
        }
        var story = Story(of: owner, isJSON: isJSON, palette: .forOutput())
        let foreign = try readRecords(files) { record, line, place throws(AuditReadingError) in
            story.add(record, line, place)
        }
        deliver(story.text)
        sayForeign(foreign)
        return .done
    }
}

/// Looks for what an identifier belongs to: a connection, or a check.
///
/// A request is told as a part of its connection's story.
struct StorySearch {
    private let identifier: String
    private let quoted: [UInt8]
    private(set) var owners: [String] = []
    /// Requests that were met: an end that was written after a crash does not know its connection any more.
    private var requests: Set<String> = []

    init(_ identifier: String) {
        self.identifier = identifier
        quoted = Array("\"\(identifier)".utf8)
    }

    /// Looks at a record.
    mutating func consider(_ record: StoredRecord, _ line: borrowing Span<UInt8>) {
        // Nearly every line is passed over by this alone.
        guard firstIndex(of: quoted, in: line) != nil, let id = record.text("id", in: line) else { return }
        let connection = record.text("connection", in: line)
        guard id.hasPrefix(identifier) || connection?.hasPrefix(identifier) == true, !requests.contains(id) else {
            return
        }
        if connection != nil { requests.insert(id) }
        let owner = connection ?? id
        if !owners.contains(owner) { owners.append(owner) }
    }
}
