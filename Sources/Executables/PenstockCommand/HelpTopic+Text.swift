extension HelpTopic {
    /// What is printed.
    var text: String {
        switch self {
        case .penstock, .policy, .audit, .authority: own
        default: "\(own)\n\nLike every command it ends with 73 where standard output takes not all that it writes."
        }
    }

    private var own: String {
        switch self {
        case .penstock: Self.general
        case .policy: Self.policyText
        case .check: Self.checkText
        case .explain: Self.explainText
        case .test: Self.testText
        case .diff: Self.diffText
        case .learn: Self.learnText
        case .audit: Self.auditText
        case .verify: Self.verifyText
        case .tail: Self.tailText
        case .show: Self.showText
        case .stats: Self.statsText
        case .keys: Self.keysText
        case .query: Self.queryText
        case .reindex: Self.reindexText
        case .doctor: Self.doctorText
        case .inject: Self.injectText
        case .authority: Self.authorityText
        case .create: Self.createText
        case .showAuthority: Self.showAuthorityText
        case .bundle: Self.bundleText
        case .rotate: Self.rotateText
        case .env: Self.envText
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
          policy test POLICY CASES   puts cases to a policy that ought to come out one way
          policy diff OLD NEW …      says what changes, for the rules or for recorded traffic
          policy learn FILES…        writes a policy that allows recorded traffic
          audit verify FILES…        checks that nothing in the audit trail was changed, and names what was
          audit tail [-f] …          shows records as they come
          audit show ID …            tells the whole story of one connection
          audit stats …              counts hosts, denials, bytes and rules
          audit keys …               prints the keys that sign the audit trail
          audit query …              finds records by host, time, rule and words, in an index
          audit reindex …            makes that index anew
          doctor                     says how strong the boundary around the agent is
          inject -f FILE …           puts the guard into the pods of a Kubernetes manifest, and takes it out
          ca create --out DIR …      makes the authority that signs leaves for interception
          ca show DIR                says what it is, and whether it can be used
          ca bundle --ca DIR …       writes what agents are given to trust it
          ca rotate DIR …            puts a new root in its place
          ca env --bundle DIR …      prints the variables by which runtimes are told whom to trust
          version                    prints the version
          help [COMMAND]             says what a command takes; so does --help behind a command

        exit codes: 0   done
                    1   problems were found
                    64  the command line is wrong
                    65  a policy, or a file of cases, does not load (where 1 means something else)
                    66  a file cannot be read
                    69  the daemon cannot be asked
                    70  a defect of the program
                    73  a file cannot be written, or standard output took not all that was written to it
        """
}
