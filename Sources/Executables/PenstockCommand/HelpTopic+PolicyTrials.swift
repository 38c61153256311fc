extension HelpTopic {
    static let testText = """
        penstock policy test: puts cases to a policy that ought to come out one way, and says which do not

        usage: penstock policy test POLICY CASES [--strict] [--json] [--intercept] [--config FILE]

          POLICY      a file, or a directory that is loaded as a whole
          CASES       a YAML file with `cases`: a list of mappings. `name`, `host`, `port` and `expect` (allow or deny) must
                      be there, and no two have the same name; `protocol`, `sni`, `uid`, `client_address`, `namespace`,
                      `service_account`, `time`, `addr` (a list), `method`, `path`, `query`, `calls` (a list) and `headers`
                      (each name with a list of values) mean what the options of `policy explain` mean, but for `time`, which
                      is unknown where it is left out; `rule` (none: the default), `reason` and `treatment` are compared
                      where they are there
          --strict    a rule that decides no case is an error
          --intercept as a daemon with `interception.authority` does: cases of TLS may name a request
          --config F  as a daemon with this penstock.yaml: its ways out (`egress`) and its secrets are known
          --json      JSON Lines: one object for each case (kind: case; name, file, line, result, decision, treatment, rule,
                      reason, faults) and one for the whole (kind: summary; cases, failed, rules, rules_not_hit)
          --help      print this and exit

        Cases that fail are named with their place, and so is every rule that decides none.

        exit codes: 0   every case passes
                    1   a case fails, or with --strict: a rule decides none
                    64  the command line is wrong
                    65  the policy or the file of cases does not load
                    66  a file cannot be read

        example:  penstock policy test policy.yaml cases.yaml, where cases.yaml is
                      cases:
                        - name: the API is reached
                          host: api.anthropic.com
                          port: 443
                          expect: allow
                          rule: anthropic
        """

    static let diffText = """
        penstock policy diff: says what changes from one policy to another, for the rules or for recorded traffic

        usage: penstock policy diff OLD NEW [--audit FILES…] [--top N] [--json] [--intercept] [--config FILE]
                                    [--progress]

          OLD, NEW    each a file, or a directory that is loaded as a whole
          --audit F   files of the audit trail, plain or compressed: every connection, request and check that they tell of
                      is judged by both policies, and those that come out another way are shown, by destination and rule,
                      with counts and samples. Without it the rules are compared, by their names
          --top N     at most so many groups of changed traffic (20), the most frequent first
          --json      JSON Lines: one object for each difference (kind: setting, rule or change); with --audit one more for
                      the whole (kind: summary)
          --config F  both are for a daemon with this penstock.yaml: its ways out (`egress`) and its secrets are known
          --intercept both are for a daemon with `interception.authority`: requests that were read inside TLS are judged,
                      too. Without it they are counted as left out
          --progress  say how far the reading is, even where standard error is no terminal
          --help      print this and exit

        Facts are what records hold. Records hold no header values, nothing of what follows a `?`, nothing of what
        a tunnel carried, and the addresses of a name only where one was dialled: how many decisions could not be judged
        for that is said. What was refused for what it was (malformed, too many at once) no policy changes. Rates and
        budgets are taken not to be used up.

        exit codes: 0   no difference; with --audit: no decision would come out another way
                    1   there are differences, as diff(1) has it
                    64  the command line is wrong
                    65  a policy does not load
                    66  a file cannot be read

        examples: penstock policy diff policy.yaml new.yaml
                  penstock policy diff policy.yaml new.yaml --audit /var/log/penstock/audit*.jsonl*
        """

    static let learnText = """
        penstock policy learn: writes a policy that allows recorded traffic, and nothing else

        usage: penstock policy learn [FILES…] [--name NAME] [--wildcard PATTERN]… [--paths N] [--denied] [--intercept]
                                     [--progress]

          FILES          files of the audit trail, plain or compressed; /var/log/penstock/audit.jsonl if none is named
          --name NAME    what the policy is called (learned)
          --wildcard P   such as '*.example.com': names below example.com are written as this pattern; repeatable.
                         Without it every name is written out
          --paths N      how many paths of a host a rule lists (20). Where there are more, those with most in common are
                         written as `/v1/files/*`, which allows more than was recorded
          --denied       learn what was denied, too
          --intercept    the policy is for a daemon with `interception.authority`: requests that were read inside TLS are
                         learned with their methods and paths. Without it they are counted as left out
          --progress     say how far the reading is, even where standard error is no terminal
          --help         print this and exit

        The policy is written to standard output. Hosts that were reached in the same way share a rule; comments say how often
        and when last. Private and other special addresses stand in `cidrs`, as they must. What no rule could allow is
        named at the top. Names whose clients did not take the daemon's certificate get a rule with `action: tunnel`.
        Let it run with `mode: audit` for a while, then learn from that: see docs/policy.md.

        exit codes: 0   the policy is written
                    1   a file is damaged, or what was written does not load
                    64  the command line is wrong
                    66  a file cannot be read

        examples: penstock policy learn > policy.yaml
                  penstock policy learn audit*.jsonl* --wildcard '*.example.com' > policy.yaml
        """
}
