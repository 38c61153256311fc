import LinuxBindings
import TLSInterception

/// The commands below `ca`: they make, show and hand on the authority that signs leaves.
enum AuthorityCommand: Hashable {
    case create(AuthorityCreation)
    case show(AuthorityShow)
    case bundle(AuthorityBundle)
    case rotate(AuthorityRotation)
    case env(TrustEnvironment)

    /// Reads the words after `ca`; the topic where they ask for help.
    static func read(_ words: ArraySlice<String>) throws(Misuse) -> Command {
        var words = words
        switch words.popFirst() {
        case nil: throw Misuse("'penstock ca' needs a command", .authority)
        case "--help", "-h", "help": return .help(.authority)
        case "create": return try AuthorityCreation(words).map { .authority(.create($0)) } ?? .help(.create)
        case "show": return try AuthorityShow(words).map { .authority(.show($0)) } ?? .help(.showAuthority)
        case "bundle": return try AuthorityBundle(words).map { .authority(.bundle($0)) } ?? .help(.bundle)
        case "rotate": return try AuthorityRotation(words).map { .authority(.rotate($0)) } ?? .help(.rotate)
        case "env": return try TrustEnvironment(words).map { .authority(.env($0)) } ?? .help(.env)
        case .some(let word):
            throw Misuse(unknown: "command", "ca \(word)", among: HelpTopic.ofAuthority, .authority)
        }
    }

    func run() throws(Complaint) -> ExitCode {
        // A key may come to be in memory: no dump, no tracing.
        do throws(SystemCallError) {
            try forbidDumping()
        } catch {
            throw Complaint("cannot keep the key from dumps: \(error)", .defect)
        }
        do throws(AuthorityError) {
            switch self {
            case .create(let request): return try request.run()
            case .show(let request): return try request.run()
            case .bundle(let request): return try request.run()
            case .rotate(let request): return try request.run()
            case .env(let request): return try request.run()
            }
        } catch {
            throw Complaint(error)
        }
    }
}

extension Complaint {
    /// What is wrong with an authority is a problem; that its files cannot be had or written is another matter.
    init(_ error: AuthorityError) {
        let code: ExitCode =
            switch error {
            case .badCertificate, .badKey, .mismatch, .keyAlone, .certificateAlone, .cutOff, .notAnAuthority,
                .notForServers, .cannotSign,
                .notARoot, .expired, .notYetValid, .exposed, .changeable,
                .foreignOwner, .foreignRoot, .notRegular, .tooLarge:
                .problems
            case .missing, .noBundle, .noRoots, .unreadable: .unreadable
            case .alreadyThere, .holdsKey, .inUse, .noParent, .unwritable: .unwritable
            case .failed: .defect
            }
        self.init("\(error)", code)
    }
}

/// The one operand of a command: a folder, without the slashes at its end.
extension Options {
    func folder() throws(Misuse) -> String {
        guard let path = operands.first else { throw misuse("DIR is needed") }
        try refuseOperands(after: 1)
        return try folder(path, "DIR")
    }

    /// The folder that an option names; nil where it was not given.
    func folder(option name: String) throws(Misuse) -> String? {
        guard let path = value(name) else { return nil }
        return try folder(path, name)
    }

    /// A number of days; nil where it was not given.
    func days(_ name: String, from least: Int64 = 1) throws(Misuse) -> Int64? {
        guard let text = value(name) else { return nil }
        // 100 years: what is longer is a slip, and the years of a certificate have four digits.
        guard let days = Int64(text), (least...36_500).contains(days) else {
            throw misuse("\(name) '\(text)' is no number of days; write \(least) to 36500")
        }
        return days
    }

    private func folder(_ path: String, _ name: String) throws(Misuse) -> String {
        guard !path.isEmpty else { throw misuse("\(name) is empty") }
        let trimmed = path.reversed().drop { $0 == "/" }.reversed()
        return trimmed.isEmpty ? "/" : String(trimmed)
    }
}
