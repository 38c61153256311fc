import TLSInterception

extension HelpTopic {
    static let authorityText = """
        penstock ca: the authority that signs leaves for interception, and what agents are given to trust it

        usage: penstock ca create --out DIR …            makes an authority
               penstock ca show DIR                      says what it is, and whether the daemon could use it
               penstock ca bundle --ca DIR --out DIR2    writes what agents are given
               penstock ca rotate DIR …                  puts a new root in its place
               penstock ca env --bundle DIR …            prints the variables by which runtimes are told whom to trust

        `penstock help ca create` and so on say more; docs/interception.md is the whole story.
        """

    static let createText = """
        penstock ca create: makes an authority: a root certificate (P-256) and its key

        usage: penstock ca create --out DIR [--name CN] [--permit DOMAIN]… [--days N]

          --out DIR        where DIR/ca.pem and DIR/ca.key (mode 0600) go; made if need be (0700), its parent must be there
          --name CN        what the root is called ('\(AuthorityWish.usualName)'); every client will show it
          --permit DOMAIN  it may sign for DOMAIN and everything below it, and for nothing else, addresses included;
                           repeatable. Left out: for every name and address
          --days N         how long it is valid (\(AuthorityWish.usualDays)), 1 to 36500
          --help           print this and exit

        An authority that is there is never overwritten. Whoever runs this owns the key: run it as the daemon's user.

        exit codes: 0   made
                    1   something else than files stands in its place, or a key without its certificate
                    64  the command line is wrong
                    66  a file cannot be read
                    70  a defect of the program
                    73  there is an authority already, or it cannot be written

        example: penstock ca create --out /var/lib/penstock/ca --permit example.com
        """

    static let showAuthorityText = """
        penstock ca show: says what an authority is, and whether the daemon could use it

        usage: penstock ca show DIR [--json]

          DIR     the folder with ca.pem and ca.key
          --json  one object: subject, not_before, not_after, fingerprint, serial, name_constraints, previous, problem
          --help  print this and exit

        exit codes: 0   it can be used, by the user who asks
                    1   it cannot: what is wrong, and what to do, is the last line
                    64  the command line is wrong
                    66  ca.pem cannot be read
        """

    static let bundleText = """
        penstock ca bundle: writes what agents are given to trust

        usage: penstock ca bundle --ca DIR --out DIR2 [--roots FILE]

          --ca DIR      the authority; its key is not read
          --out DIR2    where the files go; made if need be, and what is there is replaced:
                          ca.pem          our roots alone, for variables that add to a runtime's own
                          bundle.pem      the system's roots and ours, for variables that take their place
                          truststore.p12  the same for Java, password 'changeit': there is nothing secret in it
          --roots FILE  the system's roots in PEM (the first there is of those of Debian, Fedora, openSUSE and Alpine)
          --help        print this and exit

        After a rotation the roots before are in it as long as they are to be trusted.

        exit codes: 0   written
                    1   the authority cannot be used, or a file holds something else than certificates
                    64  the command line is wrong
                    66  a file cannot be read
                    73  a file cannot be written, or a rotation is under way

        example: penstock ca bundle --ca /var/lib/penstock/ca --out /srv/penstock-trust
        """

    static let rotateText = """
        penstock ca rotate: puts a new root, with a new key, in the place of the old one

        usage: penstock ca rotate DIR [--days N] [--overlap N]

          DIR          the folder with ca.pem and ca.key, both of the user who runs this
          --days N     how long the new root is valid (\(AuthorityWish.usualDays))
          --overlap N  how many days bundles still hold the old one, and those before it (30); 0: no more from now on,
                       where others may have a key
          --help       print this and exit

        Subject and name constraints stay. The old key is gone; the old root is kept in DIR/previous.pem. A daemon that runs
        keeps what it has read, so: rotate, write bundles and distribute them, then send the daemon SIGHUP.

        exit codes: 0   done
                    1   what is there is no authority, or not this user's
                    64  the command line is wrong
                    66  a file cannot be read
                    73  a file cannot be written, or somebody else is rotating
        """

    static let envText = """
        penstock ca env: prints the variables by which runtimes are told whom to trust

        usage: penstock ca env --bundle DIR [--at PATH] [--shell | --yaml | --json]
               penstock ca env --ca DIR [--at PATH] [--shell | --yaml | --json]

          --bundle DIR  what `penstock ca bundle` wrote
          --ca DIR      an authority: only the variables that add to a runtime's own roots, NODE_EXTRA_CA_CERTS and DENO_CERT
          --at PATH     where the agent sees the folder, such as a mount; left out: DIR
          --shell       export lines (default)
          --yaml        a list for `env:` of a container in Kubernetes
          --json        one object
          --help        print this and exit

        The variables: \(TrustVariable.all.prefix(5).map(\.name).joined(separator: ", ")),
        \(TrustVariable.all.dropFirst(5).prefix(4).map(\.name).joined(separator: ", ")),
        \(TrustVariable.all.dropFirst(9).map(\.name).joined(separator: ", ")).

        exit codes: 0   printed
                    64  the command line is wrong
                    66  a file is not there or cannot be read

        examples: eval "$(penstock ca env --bundle /srv/penstock-trust)"
                  penstock ca env --bundle ./trust --at /etc/penstock-trust --yaml
        """
}
