import SourceDocuments

/// What the command line asks for.
enum Command: Hashable {
    case help(HelpTopic)
    case version
    case policy(PolicyCommand)
    case audit(AuditCommand)
    case doctor(DoctorRequest)
    case inject(InjectRequest)
    case authority(AuthorityCommand)

    /// Reads the arguments after the program's name.
    init(_ words: some Sequence<String>) throws(Misuse) {
        var words = Array(words)[...]
        switch words.popFirst() {
        case nil: throw Misuse("a command is needed", .penstock)
        case "help": self = .help(try HelpTopic(words: words))
        case "--help", "-h": self = .help(.penstock)
        case "version": self = try Self.version(words)
        case "--version": self = .version
        case "policy": self = try PolicyCommand.read(words)
        case "audit": self = try AuditCommand.read(words)
        case "doctor": self = try DoctorRequest(words).map(Command.doctor) ?? .help(.doctor)
        case "inject": self = try InjectRequest(words).map(Command.inject) ?? .help(.inject)
        case "ca": self = try AuthorityCommand.read(words)
        case .some(let word):
            let commands = ["audit", "ca", "doctor", "help", "inject", "policy", "version"]
            throw Misuse(unknown: "command", word, among: commands, .penstock)
        }
    }

    private static func version(_ words: ArraySlice<String>) throws(Misuse) -> Command {
        let options = try Options(words, [], .version)
        guard !options.wantsHelp else { return .help(.version) }
        try options.refuseOperands()
        return .version
    }
}

/// Why a command line asks for nothing, and where it is told what to write.
struct Misuse: Error, Hashable {
    let text: String
    let topic: HelpTopic

    /// How many words are named where none is near.
    private static let longestList = 16

    init(_ text: String, _ topic: HelpTopic) {
        self.text = text
        self.topic = topic
    }

    /// A word that is none of those expected.
    ///
    /// Where nothing that there is is near it, all of it is named, if that is not too much.
    init(unknown kind: String, _ word: String, among words: [String], _ topic: HelpTopic) {
        let all = words.count > Self.longestList ? "" : "; write one of \(words.joined(separator: ", "))"
        let suggestion = nearest(to: word, among: words).map { "; did you mean '\($0)'?" } ?? all
        self.init("unknown \(kind) '\(word)'\(suggestion)", topic)
    }
}
