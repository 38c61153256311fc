/// What there is help about.
enum HelpTopic: String, Hashable, CaseIterable {
    case penstock
    case policy
    case check = "policy check"
    case explain = "policy explain"
    case test = "policy test"
    case diff = "policy diff"
    case learn = "policy learn"
    case audit
    case verify = "audit verify"
    case tail = "audit tail"
    case show = "audit show"
    case stats = "audit stats"
    case keys = "audit keys"
    case query = "audit query"
    case reindex = "audit reindex"
    case doctor
    case inject
    case authority = "ca"
    case create = "ca create"
    case showAuthority = "ca show"
    case bundle = "ca bundle"
    case rotate = "ca rotate"
    case env = "ca env"
    case version
    case help

    /// The commands below `policy`, as they are typed.
    static let ofPolicy = [check, explain, test, diff, learn].map(\.rawValue)
    /// The commands below `audit`, as they are typed.
    static let ofAudit = [verify, tail, show, stats, keys, query, reindex].map(\.rawValue)

    /// The commands below `ca`, as they are typed.
    static let ofAuthority = [create, showAuthority, bundle, rotate, env].map(\.rawValue)

    /// Reads the words after `help`.
    init(words: ArraySlice<String>) throws(Misuse) {
        let words = words.filter { $0 != "--help" && $0 != "-h" }
        guard !words.isEmpty else {
            self = .penstock
            return
        }
        let asked = words.joined(separator: " ")
        guard let topic = HelpTopic(rawValue: asked) else {
            throw Misuse(unknown: "command", asked, among: Self.allCases.map(\.rawValue), .penstock)
        }
        self = topic
    }

    /// What to type to read it.
    var invocation: String {
        switch self {
        case .penstock: "penstock help"
        case .policy, .check, .explain, .test, .diff, .learn, .audit, .verify, .tail, .show, .stats, .keys, .query,
            .reindex, .inject, .doctor, .authority, .create, .showAuthority, .bundle, .rotate, .env, .version, .help:
            "penstock help \(rawValue)"
        }
    }
}
