import Configuration

/// What the command line asks for.
enum Arguments: Hashable {
    /// `owner` is who it is to become, where it is started as root.
    case run(config: String, workload: WorkloadFlags, owner: ListenSettings.AdminOwner?)
    case check(config: String, workload: WorkloadFlags)
    case help
    case version

    /// Why a command line asks for nothing.
    struct Misuse: Error, Hashable {
        let text: String
    }

    /// Reads the arguments after the program's name.
    init(_ words: some Sequence<String>) throws(Misuse) {
        let words = Array(words)
        if let asked = try Self.alone(words) {
            self = asked
            return
        }
        var config: String?
        var isCheck = false
        var workload = WorkloadFlags()
        var owner: ListenSettings.AdminOwner?
        var rest = words.makeIterator()
        while let word = rest.next() {
            let (name, value) = Self.parts(word)
            switch name {
            case "--check-config" where value == nil: isCheck = true
            case "--config":
                guard config == nil else { throw Misuse(text: "--config is given twice") }
                guard let file = value ?? rest.next() else { throw Misuse(text: "--config needs a file") }
                config = file
            case "--run-as":
                guard owner == nil else { throw Misuse(text: "--run-as is given twice") }
                owner = (value ?? rest.next()).flatMap { ListenSettings.AdminOwner($0) }
                guard owner != nil else {
                    throw Misuse(text: "--run-as needs UID:GID, such as 10880:10880, without UID 0")
                }
            default:
                guard try workload.take(word, next: { rest.next() }) else {
                    throw Misuse(text: "unknown argument '\(word)'")
                }
            }
        }
        guard let config, !config.isEmpty else { throw Misuse(text: "--config FILE is required") }
        self =
            isCheck
            ? .check(config: config, workload: workload) : .run(config: config, workload: workload, owner: owner)
    }

    /// What is asked for with one word alone.
    ///
    /// Help is given whatever stands beside it.
    private static func alone(_ words: [String]) throws(Misuse) -> Arguments? {
        if words.contains("--help") || words.contains("-h") { return .help }
        guard words.contains("--version") else { return nil }
        guard words.count == 1 else { throw Misuse(text: "--version stands alone") }
        return .version
    }

    /// The name of an option, and its value where that stands behind `=`.
    private static func parts(_ word: String) -> (name: String, value: String?) {
        guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }

    static let helpText = """
        penstockd: judges, records, and tunnels or refuses every connection that the kernel hands it

        usage: penstockd --config FILE
               penstockd --config FILE --check-config

          --config FILE     the configuration, YAML; docs/operations.md lists every key
          --check-config    read the configuration, the policy and the files it names, say what is wrong, and exit; nothing
                            is listened on or written to: what is wrong with ports, the audit file or the state the start says
          --workload-namespace NAME, --workload-pod NAME, --workload-service-account NAME
                            who the agent is, as its records say; they stand above `workload` in the configuration
          --run-as UID:GID  for listen.transparent.tproxy, started as root with NET_ADMIN, SETUID and SETGID and no other capability:
                            become this user and group before anything is opened, and give up all of them once it listens
          --version         print the version and exit
          --help            print this and exit

        signals: SIGTERM, SIGINT   accept nothing more, let live connections end (drain.seconds), then cut them
                 SIGHUP            load the policy again, and secrets, trust and certificates that are shown; live
                                   connections are judged by it; a bad one changes nothing; read the authority again;
                                   go on in a new audit file if the old one was renamed; take over a new audit key

        exit codes: 0   done
                    64  the command line is wrong
                    69  a port is held by somebody else, or the machine lacks what is needed
                    70  a defect of the daemon
                    73  the audit file cannot be used, or could not be written to the end
                    74  --help, --version, --check-config: standard output took not all of it
                    77  CAP_NET_ADMIN is missing, which listen.transparent.tproxy needs, or a capability that --run-as needs
                    78  the configuration (with --check-config: or the policy) is wrong
        """
}
