/// The guard's own containers and volumes; deploy/pod.yaml and deploy/pod-classic.yaml show the same.
extension PodAdditions {
    /// Loads the rules, and ends; the only one with a capability.
    var initContainer: Fragment {
        var arguments: [Fragment] = ["install"]
        arguments += options.inboundPorts.map { .text("--inbound-port=\($0)") }
        arguments += options.dnsServers.map { .text("--dns-server=\($0)") }
        arguments += options.bypasses.map { .text("--bypass-cidr=\($0)") }
        if options.apiPort != Guard.apiPort { arguments.append(.text("--api-port=\(options.apiPort)")) }
        return .map(
            head(Guard.initContainer) + [
                Fragment.Entry("command", ["/usr/local/bin/penstock-init"]),
                Fragment.Entry("args", .list(arguments)),
                Fragment.Entry(
                    "securityContext",
                    // A capability that is added comes to root only.
                    securityContext(user: 0, group: 0, capabilities: ["drop": ["ALL"], "add": ["NET_ADMIN"]])
                ),
                Fragment.Entry(
                    "resources",
                    ["requests": ["cpu": "10m", "memory": "16Mi"], "limits": ["cpu": "1", "memory": "64Mi"]]
                ),
            ]
        )
    }

    /// Runs as long as the agent; with no capability.
    var daemonContainer: Fragment {
        var entries = head(Guard.daemonContainer)
        if options.mode == .native { entries.append(Fragment.Entry("restartPolicy", "Always")) }
        entries += [
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
        return .map(entries)
    }

    /// None of these may be mounted by the agent.
    var volumes: [Fragment] {
        let audit =
            options.auditClaim.map { Fragment.Entry("persistentVolumeClaim", ["claimName": .text($0)]) }
            ?? Fragment.Entry("emptyDir", ["sizeLimit": "1Gi"])
        return [
            ["name": .text(Guard.configVolume), "configMap": ["name": .text(options.configuration)]],
            ["name": .text(Guard.policyVolume), "configMap": ["name": .text(options.policy)]],
            .map([Fragment.Entry("name", .text(Guard.auditVolume)), audit]),
        ]
    }

    private func head(_ name: String) -> [Fragment.Entry] {
        let start = [Fragment.Entry("name", .text(name)), Fragment.Entry("image", .text(options.image))]
        return start + (options.pullPolicy.map { [Fragment.Entry("imagePullPolicy", .text($0))] } ?? [])
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
        [
            mount(Guard.configVolume, Guard.configPath, isReadOnly: true),
            mount(Guard.policyVolume, Guard.policyPath, isReadOnly: true),
            mount(Guard.auditVolume, Guard.auditPath, isReadOnly: false),
        ]
    }

    private func mount(_ name: String, _ path: String, isReadOnly: Bool) -> Fragment {
        let entries = [Fragment.Entry("name", .text(name)), Fragment.Entry("mountPath", .text(path))]
        return .map(entries + (isReadOnly ? [Fragment.Entry("readOnly", .flag(true))] : []))
    }
}
