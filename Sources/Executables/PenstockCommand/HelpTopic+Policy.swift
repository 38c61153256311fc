extension HelpTopic {
    static let policyText = """
        penstock policy: checks policies, asks them, and tries them against recorded traffic

        usage: penstock policy check FILES… [--strict] [--json] [--intercept] [--config FILE]
               penstock policy explain POLICY --host HOST --port PORT … [--intercept] [--config FILE]
               penstock policy test POLICY CASES [--strict] [--json] [--intercept] [--config FILE]
               penstock policy diff OLD NEW [--audit FILES…] [--top N] [--json] [--intercept] [--config FILE]
               penstock policy learn FILES… [--wildcard PATTERN]… [--denied] [--intercept]

        A policy is a file, or a directory that is loaded as a whole. With --intercept all of them answer as a daemon with
        `interception.authority` does, which reads the requests inside TLS. With --config they know the ways out (`egress`) and
        the secrets that this penstock.yaml names, and whether it intercepts; without it every name is taken. `penstock help
        policy check` and its siblings say more; docs/policy.md is the language.
        """

    static let checkText = """
        penstock policy check: says everything that is wrong with policies, as the daemon would on loading them

        usage: penstock policy check FILES… [--strict] [--json] [--intercept] [--config FILE]

          FILES       each is a policy: a file, or a directory that is loaded as a whole (its *.yaml and *.yml)
          --strict    warnings count as errors
          --intercept as a daemon with `interception.authority` does, which can look inside TLS
          --config F  as a daemon with this penstock.yaml: a way out (`egress`) or a secret that it does not name is an error;
                      one with `interception` needs no --intercept
          --json      JSON Lines on standard output: one object for each problem (kind: problem; severity, file, line,
                      column, message, remedy) and one for each policy (kind: policy; file; and of one that loads:
                      loads, which is true, name, mode, rules, policy_hash)
          --help      print this and exit

        Each finding is FILE:LINE:COLUMN: error or warning: what is wrong, the line, a caret below the column, and what to do.

        exit codes: 0   every policy loads, with warnings perhaps
                    1   there are errors
                    64  the command line is wrong
                    66  a file cannot be read (the others are checked all the same)

        examples: penstock policy check policy.yaml
                  penstock policy check --strict --json policies/research policies/support
        """

    static let explainText = """
        penstock policy explain: says what a policy does with one connection or request, and why; the daemon's own judgement

        usage: penstock policy explain POLICY --host HOST --port PORT [--sni NAME] [--addr ADDRESS]… [--uid UID]
                                       [--protocol tls|http|h2c|opaque]
                                       [--method METHOD] [--path PATH] [--query QUERY]
                                       [--header 'NAME: VALUE']… [--call CALL]…
                                       [--namespace NAME] [--service-account NAME] [--time TIME]
                                       [--client-address ADDRESS]
                                       [--intercept] [--config FILE]

          POLICY         a file, or a directory that is loaded as a whole
          --host HOST    where the agent wants to go: a name, which the client then says itself; or an address
          --port PORT    the port, 1 to 65535
          --sni NAME     with --host ADDRESS: the name that the client says in its TLS hello
          --addr ADDRESS an address that the name resolves to; repeatable, best first. The agent is taken to have gone to
                         the first of them. Nothing is looked up here: without --addr no address is checked, and rules
                         with `cidrs` alone are not compared
          --uid UID      the user that opens the connection; left out: unknown
          --protocol P   what the client speaks (tls); opaque and h2c carry no name that anybody could read
          --method M     the method of the request; left out: unknown. Like the next four with --protocol http, and with
                         --protocol tls where --intercept is given
          --path PATH    the path of the request, without query; left out: unknown
          --query Q      what follows the `?`, '' for nothing; left out: unknown
          --header H     'Name: value'; repeatable. Left out altogether: unknown
          --call CALL    what the body calls, 'tools/call NAME' or another method of MCP; repeatable; `none` for a body
                         without calls. Left out altogether: unknown
          --namespace N, --service-account S    what the configuration calls the workload; left out: unknown
          --client-address A    where a client is that comes through a gateway; left out: unknown
          --time T       when, such as 2026-11-21T10:15:04Z; left out: now
          --intercept    as a daemon with `interception.authority` does: where a rule needs it, TLS is ended and each request
                         inside is judged (treatment intercept); where none does, it is carried unread (treatment tunnel)
          --config FILE  as a daemon with this penstock.yaml: its ways out (`egress`) and its secrets are known. Left out: every
                         name is taken, and a way out counts as one that dials addresses which were judged here
          --help         print this and exit

        What is unknown allows nothing and denies where a deny asks for it (reason undetermined).
        The first line is `decision: allow` or `decision: deny`; a malformed host is a deny. Then treatment, reason, the rule
        that decided with its place, each rule that matched, each that asks for what is unknown, and of the others the
        nearest, with the first reason why it does not match. Rates and budgets are not drawn on. Whatever a policy says, the
        daemon refuses connections to its own listeners; that is not known here.

        exit codes: 0   there is an answer, whichever it is
                    1   the policy does not load
                    64  the command line is wrong
                    66  the policy cannot be read

        examples: penstock policy explain policy.yaml --host api.anthropic.com --port 443
                  penstock policy explain policy.yaml --host api.anthropic.com --port 443 --addr 203.0.113.7
                  penstock policy explain policy.yaml --host 203.0.113.9 --port 22 --protocol opaque
                  penstock policy explain policy.yaml --host api.example --port 80 --protocol http \\
                      --method POST --path /v1/messages
                  penstock policy explain policy.yaml --intercept --host api.example --port 443 \\
                      --method POST --path /v1/messages
        """
}
