/// The guard's own containers and volumes; deploy/pod.yaml and deploy/pod-classic.yaml show the same.
extension PodAdditions {
    /// Loads the rules, and ends.
    var initContainer: Fragment {
        .map(head(Guard.initContainer) + ruleKeeper(["install"], capabilities: ["NET_ADMIN"]))
    }

    /// Compares the rules with the plan for as long as the pod lives, and reports to the daemon.
    ///
    /// It becomes the daemon's user and keeps NET_ADMIN alone before it opens anything (docs/decisions/0016).
    var watchContainer: Fragment {
        .map(
            sidecarHead(Guard.watchContainer)
                + ruleKeeper(["verify", "--watch"], capabilities: ["NET_ADMIN", "SETUID", "SETGID"])
                + [Fragment.Entry("volumeMounts", [mount(Guard.adminVolume, Guard.adminPath, isReadOnly: false)])]
        )
    }

    /// What runs `penstock-init`: whoever sets the rules, and whoever watches them, must mean the same ones.
    private func ruleKeeper(_ command: [Fragment], capabilities: Fragment) -> [Fragment.Entry] {
        [
            Fragment.Entry("command", ["/usr/local/bin/penstock-init"]),
            Fragment.Entry("args", .list(command + ruleFlags)),
            Fragment.Entry(
                "securityContext",
                // A capability that is added comes to root only.
                securityContext(user: 0, group: 0, capabilities: ["drop": ["ALL"], "add": capabilities])
            ),
            Fragment.Entry(
                "resources",
                ["requests": ["cpu": "10m", "memory": "16Mi"], "limits": ["cpu": "1", "memory": "64Mi"]]
            ),
        ]
    }

    private var ruleFlags: [Fragment] {
        var flags = options.inboundPorts.map { "--inbound-port=\($0)" }
        flags += options.dnsServers.map { "--dns-server=\($0)" }
        flags += options.bypasses.map { "--bypass-cidr=\($0)" }
        if options.apiPort != Guard.apiPort { flags.append("--api-port=\(options.apiPort)") }
        return flags.map { .text($0) }
    }

    /// Runs as long as the agent; with no capability.
    var daemonContainer: Fragment {
        let entries = [
            Fragment.Entry("command", ["/usr/local/bin/penstockd"]),
            Fragment.Entry("args", daemonArguments),
            Fragment.Entry("env", identity),
            Fragment.Entry("ports", [["name": "penstock", "containerPort": .number(Guard.healthPort)]]),
            Fragment.Entry("startupProbe", probe("/readyz", seconds: 1, failures: 60)),
            Fragment.Entry("readinessProbe", probe("/readyz", seconds: 5)),
            Fragment.Entry("livenessProbe", probe("/healthz", seconds: 10, failures: 6)),
            Fragment.Entry(
                "securityContext",
                securityContext(user: Guard.user, group: Guard.group, capabilities: ["drop": ["ALL"]])
            ),
            Fragment.Entry("resources", ["requests": amounts(options.requests), "limits": amounts(options.limits)]),
            Fragment.Entry("volumeMounts", mounts),
        ]
        return .map(sidecarHead(Guard.daemonContainer) + entries)
    }

    /// None of these may be mounted by the agent.
    var volumes: [Fragment] {
        let audit =
            options.auditClaim.map { Fragment.Entry("persistentVolumeClaim", ["claimName": .text($0)]) }
            ?? Fragment.Entry("emptyDir", ["sizeLimit": "1Gi"])
        let trust: [Fragment] =
            options.trust == nil ? [] : [["name": .text(Guard.trustVolume), "emptyDir": ["sizeLimit": "4Mi"]]]
        return [
            ["name": .text(Guard.configVolume), "configMap": ["name": .text(options.configuration)]],
            ["name": .text(Guard.policyVolume), "configMap": ["name": .text(options.policy)]],
            .map([Fragment.Entry("name", .text(Guard.auditVolume)), audit]),
            // Not in memory: podman 5 gives every container another one then, and there is nothing in it but a socket.
            ["name": .text(Guard.adminVolume), "emptyDir": ["sizeLimit": "1Mi"]],
        ] + trust + secrets
    }

    /// Of root, so that the daemon's user reads it as one of all; nobody else mounts it.
    private var secrets: [Fragment] {
        guard let secret = options.secret else { return [] }
        return [["name": .text(Guard.secretsVolume), "secret": ["secretName": .text(secret)]]]
    }

    private func head(_ name: String) -> [Fragment.Entry] {
        let start = [Fragment.Entry("name", .text(name)), Fragment.Entry("image", .text(options.image))]
        return start + (options.pullPolicy.map { [Fragment.Entry("imagePullPolicy", .text($0))] } ?? [])
    }

    /// Of what goes on running while the agent's containers start.
    private func sidecarHead(_ name: String) -> [Fragment.Entry] {
        head(name) + (options.mode == .native ? [Fragment.Entry("restartPolicy", "Always")] : [])
    }

    private var daemonArguments: Fragment {
        [
            .text("--config=\(Guard.configPath)/penstock.yaml"), "--workload-namespace=$(POD_NAMESPACE)",
            "--workload-pod=$(POD_NAME)", "--workload-service-account=$(SERVICE_ACCOUNT)",
        ]
    }

    /// Who the agent is, as the cluster says: the author of the manifest has no say in it.
    private var identity: Fragment {
        let fields = [
            ("POD_NAMESPACE", "metadata.namespace"), ("POD_NAME", "metadata.name"),
            ("SERVICE_ACCOUNT", "spec.serviceAccountName"),
        ]
        return .list(
            fields.map { name, field in
                ["name": .text(name), "valueFrom": ["fieldRef": ["fieldPath": .text(field)]]]
            }
        )
    }

    private func probe(_ path: String, seconds: Int, failures: Int? = nil) -> Fragment {
        let request: Fragment = ["path": .text(path), "port": .number(Guard.healthPort)]
        let entries = [Fragment.Entry("httpGet", request), Fragment.Entry("periodSeconds", .number(seconds))]
        return .map(entries + (failures.map { [Fragment.Entry("failureThreshold", .number($0))] } ?? []))
    }

    private func securityContext(user: Int, group: Int, capabilities: Fragment) -> Fragment {
        [
            "runAsUser": .number(user), "runAsGroup": .number(group), "runAsNonRoot": .flag(user != 0),
            "readOnlyRootFilesystem": .flag(true), "allowPrivilegeEscalation": .flag(false),
            "capabilities": capabilities,
        ]
    }

    private func amounts(_ amounts: [String: String]) -> Fragment {
        .map(amounts.sorted { $0.key < $1.key }.map { Fragment.Entry($0.key, .text($0.value)) })
    }

    private var mounts: Fragment {
        let trust = options.trust == nil ? [] : [mount(Guard.trustVolume, Guard.trustPath, isReadOnly: false)]
        let always = [
            mount(Guard.configVolume, Guard.configPath, isReadOnly: true),
            mount(Guard.policyVolume, Guard.policyPath, isReadOnly: true),
            mount(Guard.auditVolume, Guard.auditPath, isReadOnly: false),
            mount(Guard.adminVolume, Guard.adminPath, isReadOnly: false),
        ]
        let secrets =
            options.secret == nil ? [] : [mount(Guard.secretsVolume, Guard.secretsPath, isReadOnly: true)]
        return .list(always + trust + secrets)
    }

    func mount(_ name: String, _ path: String, isReadOnly: Bool) -> Fragment {
        let entries = [Fragment.Entry("name", .text(name)), Fragment.Entry("mountPath", .text(path))]
        return .map(entries + (isReadOnly ? [Fragment.Entry("readOnly", .flag(true))] : []))
    }
}
