import NetworkTypes
import SourceDocuments

extension PodJudgement {
    /// Namespaces of the node, or shared ones.
    mutating func judgeNamespaces(_ spec: LayoutNode) {
        if let found = flag(spec, "hostNetwork"), found.value {
            refuse(
                ["A22"],
                "`hostNetwork: true` puts the pod into the node's network, where the guard's rules would be the node's",
                at: found.at,
                "remove it"
            )
        }
        if let found = flag(spec, "hostPID"), found.value {
            refuse(["A18", "A22"], "`hostPID: true` shows the agent the node's processes", at: found.at, "remove it")
        }
        if let found = flag(spec, "hostIPC"), found.value {
            refuse(["A17"], "`hostIPC: true` shares memory with the node's processes", at: found.at, "remove it")
        }
        if let found = flag(spec, "shareProcessNamespace"), found.value {
            refuse(
                ["A18"],
                "`shareProcessNamespace: true` lets the agent signal the daemon and look into it",
                at: found.at,
                "remove it"
            )
        }
        if let entry = spec.entry("ephemeralContainers"), !entry.value.items.isEmpty {
            refuse(
                ["A20"],
                "`ephemeralContainers` are not judged: they can be given any capability",
                at: entry.keyLocation,
                "remove them, and deny the subresource pods/ephemeralcontainers by RBAC"
            )
        }
    }

    /// The node that it runs on.
    mutating func judgeNode(_ spec: LayoutNode) {
        let system = spec.value(at: ["os", "name"]) ?? spec.value(at: ["nodeSelector", "kubernetes.io/os"])
        if let system, let name = system.text, name != "linux" {
            refuse([], "the pod is for `\(name)`, and the guard needs Linux", at: system.location, "run it on Linux")
        }
        let options = [spec] + spec.agentContainers
        for context in options.compactMap({ $0.value("securityContext") }) {
            guard let entry = context.entry("windowsOptions"), !entry.value.isNull else { continue }
            refuse(
                [],
                "`windowsOptions` are for Windows, and the guard needs Linux",
                at: entry.keyLocation,
                "remove them"
            )
        }
        if let entry = spec.entry("runtimeClassName"), !entry.value.isNull {
            warn(
                ["A10"],
                "another container runtime may have a network of its own: gVisor has no nftables, and `penstock-init` fails there",
                at: entry.keyLocation,
                "make sure that this runtime runs pods on the node's Linux kernel, or on one of their own"
            )
        }
        for sysctl in spec.value(at: ["securityContext", "sysctls"])?.items ?? [] {
            guard let name = sysctl.value("name"), let text = name.text?.replacing("/", with: ".") else { continue }
            guard text.hasPrefix("net."), !Self.harmlessSysctls.contains(text) else { continue }
            refuse(["A23"], "the sysctl `\(text)` changes how the pod's network works", at: name.location, "remove it")
        }
    }

    private static let harmlessSysctls: Set<String> = [
        "net.core.somaxconn", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
    ]

    /// Where names are looked up: the pod's manifest must not choose whom the daemon asks.
    mutating func judgeDNS(_ spec: LayoutNode) {
        let remedy = "name the servers that may be asked with --dns-server"
        for server in spec.value(at: ["dnsConfig", "nameservers"])?.items ?? [] {
            guard let address = server.text else { continue }
            // One address is written in many ways.
            if let address = IPAddress(address), options.dnsServers.contains(where: { IPAddress($0) == address }) {
                continue
            }
            refuse(
                ["D05", "G11"],
                "`dnsConfig` has the daemon ask the DNS server `\(address)`, which the operator does not name",
                at: server.location,
                remedy
            )
        }
        guard let policy = spec.value("dnsPolicy"), let text = policy.text else { return }
        if text == "None" || text == "Default", options.dnsServers.isEmpty {
            refuse(
                ["D05", "G11"],
                "`dnsPolicy: \(text)` leaves it open which DNS servers the agent may ask",
                at: policy.location,
                remedy
            )
        }
    }

    /// Tokens for the Kubernetes API, and groups that the whole pod is in.
    mutating func judgeIdentity(_ spec: LayoutNode) {
        if let found = flag(spec, "automountServiceAccountToken"), found.value {
            warn(
                ["A20"],
                "`automountServiceAccountToken: true` gives the agent a token: one that may create pods makes some without a guard",
                at: found.at,
                "write false, or make sure by RBAC that this service account may do nothing of the kind"
            )
        }
        let context = spec.value("securityContext")
        if let found = number(context, "fsGroup"), found.value == Guard.group {
            refuseGroup("fsGroup", at: found.at)
        }
        for group in context?.value("supplementalGroups")?.items ?? [] {
            guard let value = number(group, of: "supplementalGroups"), value == Guard.group else { continue }
            refuseGroup("supplementalGroups", at: group.location)
        }
        // Containers that are added later have what the pod says for all, even where each of these says otherwise.
        if let found = number(context, "runAsUser"), found.value == Guard.user {
            judgeKnownUser(found.value, at: found.at)
        }
        if let found = number(context, "runAsGroup"), found.value == Guard.group {
            refuseGroup("runAsGroup", at: found.at)
        }
    }

    mutating func refuseGroup(_ key: String, at place: SourceLocation) {
        refuse(
            ["A01"],
            "`\(key)` puts the agent into the daemon's own group, \(Guard.group)",
            at: place,
            "write another"
        )
    }

    /// How long the daemon may take to end what is open.
    mutating func judgeEnd(_ spec: LayoutNode) {
        guard let found = number(spec, "terminationGracePeriodSeconds"), found.value < Guard.graceSeconds else {
            return
        }
        warn(
            [],
            "the pod has \(found.value) s to end, and the daemon lets open connections go on for 30 s",
            at: found.at,
            "write \(Guard.graceSeconds) or more, or set `drain.seconds` lower in the daemon's configuration"
        )
    }

    /// What does not go together with the way in which the daemon is run.
    mutating func judgeMode(_ spec: LayoutNode) {
        guard options.mode == .classic else { return }
        let remedy = "use --mode native (Kubernetes 1.29 and later)"
        if template.kind.runsToCompletion {
            refuse(
                [],
                "in classic mode the daemon never ends, so this \(template.kind.rawValue) would never be complete",
                at: template.node.location,
                remedy
            )
        } else if let policy = spec.value("restartPolicy"), policy.text != "Always" {
            warn(
                [],
                "in classic mode the daemon keeps this pod running when the agent has ended",
                at: policy.location,
                remedy
            )
        }
        if let entry = spec.entry("initContainers"), !entry.value.items.isEmpty {
            warn(
                ["A08"],
                "in classic mode init containers have no network: the daemon is not there yet",
                at: entry.keyLocation,
                remedy
            )
        }
    }
}
