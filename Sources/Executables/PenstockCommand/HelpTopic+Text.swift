extension HelpTopic {
    /// What is printed.
    var text: String {
        switch self {
        case .penstock: Self.general
        case .policy: Self.policyText
        case .check: Self.checkText
        case .explain: Self.explainText
        case .audit: Self.auditText
        case .verify: Self.verifyText
        case .tail: Self.tailText
        case .show: Self.showText
        case .stats: Self.statsText
        case .keys: Self.keysText
        case .query: Self.queryText
        case .reindex: Self.reindexText
        case .inject: Self.injectText
        case .version:
            """
            penstock version: prints the version

            usage: penstock version
            """
        case .help:
            """
            penstock help: says what a command does and what it takes

            usage: penstock help [COMMAND]     such as: penstock help policy check
            """
        }
    }

    private static let general = """
        penstock: the operator's command for what governs an agent's outbound traffic

        usage: penstock COMMAND …

          policy check FILES…        says everything that is wrong with policies
          policy explain POLICY …    says what a policy does with one connection, and why
          audit verify FILES…        checks that nothing in the audit trail was changed, and names what was
          audit tail [-f] …          shows records as they come
          audit show ID …            tells the whole story of one connection
          audit stats …              counts hosts, denials, bytes and rules
          audit keys …               prints the keys that sign the audit trail
          audit query …              finds records by host, time, rule and words, in an index
          audit reindex …            makes that index anew
          inject -f FILE …           puts the guard into the pods of a Kubernetes manifest, and takes it out
          version                    prints the version
          help [COMMAND]             says what a command takes; so does --help behind a command

        exit codes: 0   done
                    1   problems were found
                    64  the command line is wrong
                    66  a file cannot be read
                    70  a defect of the program
                    73  a file cannot be written
        """

    private static let policyText = """
        penstock policy: checks policies, and asks them

        usage: penstock policy check FILES… [--strict] [--json]
               penstock policy explain POLICY --host HOST --port PORT …

        `penstock help policy check` and `penstock help policy explain` say more; docs/policy.md is the language.
        """

    private static let checkText = """
        penstock policy check: says everything that is wrong with policies, as the daemon would on loading them

        usage: penstock policy check FILES… [--strict] [--json]

          FILES       each is a policy: a file, or a directory that is loaded as a whole (its *.yaml and *.yml)
          --strict    warnings count as errors
          --json      JSON Lines on standard output: one object for each problem (kind: problem; severity, file, line,
                      column, message, remedy) and one for each policy (kind: policy; file; and of one that loads:
                      loads, which is true, name, mode, rules, policy_hash)
          --help      print this and exit

        exit codes: 0   every policy loads, with warnings perhaps
                    1   there are errors
                    64  the command line is wrong
                    66  a file cannot be read (the others are checked all the same)

        examples: penstock policy check policy.yaml
                  penstock policy check --strict --json policies/research policies/support
        """

    private static let explainText = """
        penstock policy explain: says what a policy does with one connection or request, and why; the daemon's own judgement

        usage: penstock policy explain POLICY --host HOST --port PORT [--sni NAME] [--addr ADDRESS]… [--uid UID]
                                       [--protocol tls|http|h2c|opaque]
                                       [--method METHOD] [--path PATH] [--header 'NAME: VALUE']…

          POLICY         a file, or a directory that is loaded as a whole
          --host HOST    where the agent wants to go: a name, which the client then says itself; or an address
          --port PORT    the port, 1 to 65535
          --sni NAME     with --host ADDRESS: the name that the client says in its TLS hello
          --addr ADDRESS an address that the name resolves to; repeatable, best first. The agent is taken to have gone to
                         the first of them. Nothing is looked up here: without --addr no address is checked, and rules
                         with `cidrs` alone are not compared
          --uid UID      the user that opens the connection; left out: unknown
          --protocol P   what the client speaks (tls); opaque and h2c carry no name that anybody could read
          --method M     with --protocol http: the method of the request; left out: unknown
          --path PATH    with --protocol http: the path of the request, without query; left out: unknown
          --header H     with --protocol http: 'Name: value'; repeatable. Left out altogether: unknown
          --help         print this and exit

        What is unknown allows nothing and denies where a deny asks for it (reason undetermined).
        The first line is `decision: allow` or `decision: deny`. Whatever a policy says, the daemon refuses connections
        to its own listeners; that is not known here.

        exit codes: 0   there is an answer, whichever it is
                    1   the policy does not load
                    64  the command line is wrong
                    66  the policy cannot be read

        examples: penstock policy explain policy.yaml --host api.anthropic.com --port 443
                  penstock policy explain policy.yaml --host api.anthropic.com --port 443 --addr 203.0.113.7
                  penstock policy explain policy.yaml --host 203.0.113.9 --port 22 --protocol opaque
                  penstock policy explain policy.yaml --host api.example --port 80 --protocol http \\
                      --method POST --path /v1/messages
        """
}
