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
        var config: String?
        var isCheck = false
        var workload = WorkloadFlags()
        var owner: ListenSettings.AdminOwner?
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--help", "-h":
                self = .help
                return
            case "--version":
                self = .version
                return
            case "--check-config": isCheck = true
            case "--config":
                guard let value = words.next() else { throw Misuse(text: "--config needs a file") }
                config = value
            default:
                if word.hasPrefix("--config=") {
                    config = String(word.dropFirst("--config=".count))
                } else if word == "--run-as" || word.hasPrefix("--run-as=") {
                    let value = word == "--run-as" ? words.next() : String(word.dropFirst("--run-as=".count))
                    owner = value.flatMap { ListenSettings.AdminOwner($0) }
                    guard owner != nil else {
                        throw Misuse(text: "--run-as needs UID:GID, such as 10880:10880, without UID 0")
                    }
                } else if try !workload.take(word, next: { words.next() }) {
                    throw Misuse(text: "unknown argument '\(word)'")
                }
            }
        }
        guard let config, !config.isEmpty else { throw Misuse(text: "--config FILE is required") }
        self =
            isCheck
            ? .check(config: config, workload: workload) : .run(config: config, workload: workload, owner: owner)
    }

    static let helpText = """
        penstockd: judges, records, and tunnels or refuses every connection that the kernel hands it

        usage: penstockd --config FILE
               penstockd --config FILE --check-config

          --config FILE     the configuration, YAML; docs/operations.md lists every key
          --check-config    read the configuration and the policy it names, say what is wrong, and exit
          --workload-namespace NAME, --workload-pod NAME, --workload-service-account NAME
                            who the agent is, as its records say; they stand above `workload` in the configuration
          --run-as UID:GID  for listen.transparent.tproxy, started as root with NET_ADMIN, SETUID and SETGID and no other capability:
                            become this user and group before anything is opened, and give up all of them once it listens
          --version         print the version and exit
          --help            print this and exit

        signals: SIGTERM, SIGINT   accept nothing more, let live connections end (drain.seconds), then cut them
                 SIGHUP            load the policy again; live connections are judged by it; a bad one changes nothing;
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
