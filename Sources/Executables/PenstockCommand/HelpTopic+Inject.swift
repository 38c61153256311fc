extension HelpTopic {
    static let injectText = """
        penstock inject: puts the guard into the pods of a Kubernetes manifest, and takes it out

        usage: penstock inject -f FILE [-o FILE] [OPTIONS]
               penstock inject -f FILE --check [OPTIONS]
               penstock inject -f FILE --uninject [-o FILE]

        Pods, Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs and Lists of them, in YAML or JSON, one
        document or many. Only lines are added: comments, order and formatting stay. Done twice it gives the same bytes. A pod
        that cannot be guarded is refused: every reason is named with its place and a remedy, and nothing is written.
        docs/inject.md says what is added and what is refused.

          -f, --file FILE         the manifest; - is standard input
          -o, --output FILE       where the result goes, which may be FILE itself; default: standard output
          --uninject              take out what `penstock inject` put in: the bytes from before
          --check                 write nothing; exit with 1 where the manifest is not as these options make it
          --strict                warnings count as errors
          --json                  JSON Lines: one object for each problem (kind: problem; severity, threats, file, line, column,
                                  message, remedy) and one for each pod (kind: pod; file, workload), on standard output with
                                  --check, else on standard error
          --mode native|classic   native (default): the daemon is an init container that goes on running, Kubernetes 1.29 and
                                  later; classic: a container among the others
          --watch                 a container more, penstock-watch, looks whether the rules are still as they were loaded;
                                  without it `penstock doctor` says `ruleset: unwatched`, and the boundary is weak
          --intercept             what the daemon publishes is mounted read-only in the agent's containers, at
                                  /etc/penstock-trust, with the trust variables of `penstock ca env` where they are not set;
                                  the daemon's penstock.yaml must say `interception: { authority: ephemeral, publish:
                                  /etc/penstock-trust }`
          --image IMAGE           the image of all of them (penstock:VERSION)
          --pull-policy POLICY    Always, IfNotPresent (default) or Never
          --config NAME           the ConfigMap with the daemon's penstock.yaml (penstock-config)
          --policy NAME           the ConfigMap with the policy's files (penstock-policy)
          --inbound-port PORT     the agent may be reached here from outside; repeatable, none by default
          --dns-server ADDRESS    may be asked; repeatable; default: the pod's own
          --bypass-cidr CIDR:PORT TCP connections there are not captured, and nobody governs them: 10.0.0.0/8:5432; repeatable
          --api-port PORT         the daemon's governance API where the agent needs 8081; `listen.api.port` must say the same
          --pull-secret NAME      the Secret for the registry of the image; default: what the pod has
          --agent-user UID[:GID]  whom agent containers run as that do not say so themselves
          --secret NAME           a Secret whose files the daemon alone reads, at /etc/penstock/secrets: `credentials` of
                                  proxies and `secrets` in its penstock.yaml
          --audit-claim NAME      a PersistentVolumeClaim for the audit files; default: a volume that goes with the pod
          --request NAME=AMOUNT   what the daemon asks for, such as cpu=50m; repeatable
          --limit NAME=AMOUNT     what the daemon may use, such as memory=256Mi; repeatable
          --allow-host-path PATH  a hostPath volume that is not refused; repeatable
          --help                  print this and exit

        exit codes: 0   done, with warnings perhaps; with --check: the manifest is as it should be
                    1   refused: the problems are named; with --check also: the manifest is not as it should be
                    64  the command line is wrong
                    66  the manifest cannot be read
                    70  a defect: the result was not what was meant, and was not written
                    73  the result cannot be written

        examples: penstock inject -f agent.yaml --inbound-port 8080 | kubectl apply -f -
                  penstock inject -f agent.yaml -o agent.yaml
                  kustomize build . | penstock inject -f - --image registry.example/penstock:0.1.0
                  penstock inject -f agent.yaml --check --strict --json
        """
}
