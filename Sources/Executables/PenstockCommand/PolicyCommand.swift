/// The commands below `policy`: they read policies and files of the trail, and need no daemon.
enum PolicyCommand: Hashable {
    case check(CheckRequest)
    case explain(ExplainRequest)
    case test(TestRequest)
    case diff(DiffRequest)
    case learn(LearnRequest)

    /// Reads the words after `policy`; the topic where they ask for help.
    static func read(_ words: ArraySlice<String>) throws(Misuse) -> Command {
        var words = words
        switch words.popFirst() {
        case nil: throw Misuse("'penstock policy' needs a command", .policy)
        case "--help", "-h", "help": return .help(.policy)
        case "check": return try CheckRequest(words).map { .policy(.check($0)) } ?? .help(.check)
        case "explain": return try ExplainRequest(words).map { .policy(.explain($0)) } ?? .help(.explain)
        case "test": return try TestRequest(words).map { .policy(.test($0)) } ?? .help(.test)
        case "diff": return try DiffRequest(words).map { .policy(.diff($0)) } ?? .help(.diff)
        case "learn": return try LearnRequest(words).map { .policy(.learn($0)) } ?? .help(.learn)
        case .some(let word): throw Misuse(unknown: "command", "policy \(word)", among: HelpTopic.ofPolicy, .policy)
        }
    }

    func run() throws(Complaint) -> ExitCode {
        switch self {
        case .check(let request): try request.run()
        case .explain(let request): try request.run()
        case .test(let request): try request.run()
        case .diff(let request): try request.run()
        case .learn(let request): try request.run()
        }
    }
}
