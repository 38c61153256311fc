import SourceDocuments

extension PodJudgement {
    /// Names that the guard needs, and names that cannot be told apart.
    mutating func judgeContainerNames(_ spec: LayoutNode) {
        var names: Set<String> = []
        for container in spec.agentContainers {
            guard let name = container.value("name"), let text = name.text else {
                refuse([], "this container has no name", at: container.location, "give it one")
                continue
            }
            if !names.insert(text).inserted {
                refuse([], "another container is named `\(text)` already", at: name.location, "give it another name")
            }
            let isLabel =
                !text.isEmpty
                && text.utf8.allSatisfy { byte in
                    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
                }
            if text == Guard.daemonContainer || text.hasPrefix(Guard.prefix) {
                refuse(
                    ["G11", "G12"],
                    "the container name `\(text)` belongs to the guard, and this container is not what `penstock inject` adds",
                    at: name.location,
                    "remove the container; `penstock inject` adds its own"
                )
            } else if !isLabel {
                refuse(
                    [],
                    "`\(text)` is no name of a container",
                    at: name.location,
                    "use lower case letters, digits and -"
                )
            }
        }
    }

    /// Everything that one container of the agent's may not have.
    mutating func judgeContainer(_ container: LayoutNode, in spec: LayoutNode) {
        let context = container.value("securityContext")
        judgeLists(container, Self.containerLists)
        judgeLists(context?.value("capabilities"), ["add", "drop"])
        judgePrivileges(context)
        judgeCapabilities(context)
        judgeUser(container, context, spec.value("securityContext"))
        judgeSeccomp(context)
        judgeConfinement(context)
        judgeMounts(of: container)
        judgeTrust(of: container)
        judgeSources(of: container)
        judgePorts(of: container)
        judgeProbes(of: container)
        judgeDevices(of: container)
    }

    private static let containerLists = ["volumeMounts", "volumeDevices", "env", "envFrom", "ports"]

    /// What is no list where one belongs has no items that could be judged, and no API server takes it.
    mutating func judgeLists(_ node: LayoutNode?, _ keys: [String]) {
        for key in keys {
            guard let value = node?.value(key) else { continue }
            guard case .sequence = value.content else {
                refuse([], "`\(key)` is no list", at: value.location, "write it as a list")
                continue
            }
        }
    }

    /// A variable that the container sets itself keeps its value, and whoever reads it does not trust the daemon.
    private mutating func judgeTrust(of container: LayoutNode) {
        guard let settings = options.trust else { return }
        let names = Set(settings.map(\.name))
        for item in container.value("env")?.items ?? [] {
            guard let name = item.value("name"), let text = name.text, names.contains(text) else { continue }
            warn(
                ["G09"],
                "`\(text)` is set already, so that whoever reads it may not trust the certificates of the daemon",
                at: name.location,
                "remove it, or add what is in \(Guard.trustPath) to what it names"
            )
        }
    }

    /// What the container's environment is read from.
    private mutating func judgeSources(of container: LayoutNode) {
        for item in container.value("env")?.items ?? [] {
            judgeSecret(item.value(at: ["valueFrom", "secretKeyRef", "name"]))
            judgeConfigMap(item.value(at: ["valueFrom", "configMapKeyRef", "name"]))
        }
        for item in container.value("envFrom")?.items ?? [] {
            judgeSecret(item.value(at: ["secretRef", "name"]))
            judgeConfigMap(item.value(at: ["configMapRef", "name"]))
        }
    }

    private mutating func judgePrivileges(_ context: LayoutNode?) {
        if let found = flag(context, "privileged"), found.value {
            refuse(
                ["A02", "A03", "A04"],
                "`privileged: true` lets the agent take the guard's rules away",
                at: found.at,
                "remove it"
            )
        }
        if let found = flag(context, "allowPrivilegeEscalation"), found.value {
            refuse(
                ["A02"],
                "`allowPrivilegeEscalation: true` lets programs of the agent become other users",
                at: found.at,
                "write false"
            )
        }
        if let mount = context?.value("procMount"), mount.text != "Default" {
            refuse(["A18"], "`procMount` shows more of /proc than the agent may see", at: mount.location, "remove it")
        }
    }

    /// The other confinements that a container has, or the whole pod.
    mutating func judgeConfinement(_ context: LayoutNode?) {
        if let profile = context?.value(at: ["appArmorProfile", "type"]), profile.text == "Unconfined" {
            warn(["A38"], "AppArmor is turned off for the agent", at: profile.location, "write RuntimeDefault")
        }
        if let type = context?.value(at: ["seLinuxOptions", "type"]), !Self.confinedTypes.contains(type.text ?? "") {
            warn(
                ["A38"],
                "the SELinux type `\(type.text ?? "")` may not confine the agent",
                at: type.location,
                "remove it, or write container_t"
            )
        }
    }

    /// Those that the Pod Security Standard `baseline` allows.
    private static let confinedTypes: Set<String> = [
        "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t",
    ]

    private mutating func judgeCapabilities(_ context: LayoutNode?) {
        for capability in context?.value(at: ["capabilities", "add"])?.items ?? [] {
            let name = Self.capability(capability.text ?? "")
            guard name != "NET_BIND_SERVICE" else { continue }
            let (threats, why) = Self.reasons[name] ?? (["A02"], "is more than an agent needs")
            refuse(threats, "the capability \(name) \(why)", at: capability.location, "remove it")
        }
    }

    /// As the kernel names it, without `CAP_`.
    static func capability(_ text: String) -> String {
        let name = text.uppercased()
        return name.hasPrefix("CAP_") ? String(name.dropFirst(4)) : name
    }

    private static let reasons: [String: ([String], String)] = [
        "ALL": (["A02", "A03", "A04"], "is every way round the guard at once"),
        "NET_ADMIN": (["A04"], "lets the agent take the guard's rules away"),
        "NET_RAW": (["A03", "A05"], "lets the agent send packets that no rule sees"),
        "SYS_ADMIN": (["A04"], "lets the agent enter other namespaces"),
        "SYS_PTRACE": (["A18"], "lets the agent look into the daemon"),
        "SETUID": (["A02"], "lets the agent become the daemon's user"),
        "SETGID": (["A02"], "lets the agent enter the daemon's group"),
        "SYS_MODULE": (["A04"], "lets the agent load code into the kernel"),
        "BPF": (["A05"], "lets the agent send packets that no rule sees"),
    ]

    /// The profile that a container has, or the whole pod.
    mutating func judgeSeccomp(_ context: LayoutNode?) {
        guard let profile = context?.value("seccompProfile") else { return }
        guard let type = profile.value("type") else {
            return refuse(["A38"], "`seccompProfile` has no `type`", at: profile.location, "write type: RuntimeDefault")
        }
        switch type.text {
        case "RuntimeDefault": return
        case "Localhost":
            warn(
                ["A38"],
                "what a seccomp profile of the node forbids is not known here",
                at: type.location,
                "make sure that it refuses AF_VSOCK sockets, or write RuntimeDefault"
            )
        default:
            refuse(
                ["A38"],
                "seccomp `\(type.text ?? "")` leaves the agent socket families that no packet filter sees",
                at: type.location,
                "write RuntimeDefault"
            )
        }
    }

    private mutating func judgeUser(_ container: LayoutNode, _ context: LayoutNode?, _ pod: LayoutNode?) {
        let user = number(context, "runAsUser") ?? number(pod, "runAsUser")
        let group = number(context, "runAsGroup") ?? number(pod, "runAsGroup")
        let nonRoot = flag(context, "runAsNonRoot") ?? flag(pod, "runAsNonRoot")
        if let group, group.value == Guard.group {
            refuseGroup("runAsGroup", at: group.at)
        }
        if let user {
            judgeKnownUser(user.value, at: user.at)
        } else if options.agentUser != nil {
            return
        } else if let nonRoot, !nonRoot.value {
            refuse(
                ["A02"],
                "`runAsNonRoot: false` without `runAsUser` may be root",
                at: nonRoot.at,
                "write runAsUser with a number above 0, or runAsNonRoot: true"
            )
        } else {
            warn(
                ["A01"],
                "whom `\(container.value("name")?.text ?? "")` runs as is known to its image alone; it must be neither root, "
                    + "which is made sure, nor \(Guard.user), which is not",
                at: container.location,
                "write runAsUser, or give --agent-user"
            )
        }
    }

    mutating func judgeKnownUser(_ user: Int, at place: SourceLocation) {
        if user == Guard.user {
            refuse(["A01"], "`runAsUser` is the daemon's own user, \(Guard.user)", at: place, "write another")
        } else if user == 0 {
            refuse(["A02"], "`runAsUser: 0` is root", at: place, "write a number above 0")
        }
    }
}
