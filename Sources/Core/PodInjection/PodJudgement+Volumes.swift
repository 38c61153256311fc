import SourceDocuments

extension PodJudgement {
    /// Volumes through which the agent would reach the node, or what is ours.
    mutating func judgeVolumes(_ spec: LayoutNode) {
        for volume in spec.value("volumes")?.items ?? [] {
            judgeName(of: volume)
            judgeHostPath(of: volume)
            judgeSource(of: volume)
            judgeToken(of: volume)
            judgeClaim(of: volume)
            if volume.value("ephemeral") != nil {
                judgeOwnClaim(volume.value("name")) { name, set in ("\(set)-", "-\(name)") }
            }
            judgeSecret(volume.value(at: ["secret", "secretName"]))
            judgeConfigMap(volume.value(at: ["configMap", "name"]))
            for source in volume.value(at: ["projected", "sources"])?.items ?? [] {
                judgeSecret(source.value(at: ["secret", "name"]))
                judgeConfigMap(source.value(at: ["configMap", "name"]))
            }
        }
        for claim in volumeClaims {
            judgeName(of: claim.value("metadata") ?? claim)
            judgeOwnClaim(claim.value(at: ["metadata", "name"])) { name, set in ("\(name)-\(set)-", "") }
        }
    }

    /// The claims that a StatefulSet makes for each of its pods.
    private var volumeClaims: [LayoutNode] {
        guard template.kind == .statefulSet else { return [] }
        return template.object.value(at: ["spec", "volumeClaimTemplates"])?.items ?? []
    }

    private mutating func judgeName(of volume: LayoutNode) {
        guard let name = volume.value("name"), let text = name.text, text.hasPrefix(Guard.prefix) else { return }
        refuse(
            ["G01", "G03"],
            "the volume name `\(text)` belongs to the guard",
            at: name.location,
            "give it another name"
        )
    }

    private mutating func judgeHostPath(of volume: LayoutNode) {
        guard let entry = volume.entry("hostPath"), !entry.value.isNull else { return }
        let path = entry.value.value("path")?.text ?? ""
        if options.allowedHostPaths.contains(path), !path.hasPrefix("/dev/net") {
            return warn(
                ["A17"],
                "the pod shares `\(path)` with its node and with other pods there",
                at: entry.keyLocation,
                "mount it readOnly, and make sure that no socket is in it"
            )
        }
        let threats = path.hasPrefix("/dev") ? ["A23", "A17"] : ["A17"]
        refuse(
            threats,
            "`hostPath` shares `\(path)` with the node: a socket or a device there is a way round the guard",
            at: entry.keyLocation,
            "use another kind of volume, or allow it with --allow-host-path \(path.isEmpty ? "PATH" : path)"
        )
    }

    /// Volumes that the node fetches, or that its drivers make: what they hold, or where they send it, is not said here.
    private mutating func judgeSource(of volume: LayoutNode) {
        for entry in volume.entries where !entry.value.isNull {
            switch entry.key {
            case "gitRepo":
                refuse(
                    ["A20"],
                    "`gitRepo` has the node run git and connect somewhere, past the guard",
                    at: entry.keyLocation,
                    "clone in an init container, which is guarded"
                )
            case "flexVolume":
                refuse(
                    ["A17"],
                    "`flexVolume` has a program of the node's give the pod whatever it likes",
                    at: entry.keyLocation,
                    "use a PersistentVolumeClaim"
                )
            case "csi":
                warn(
                    ["A17"],
                    "what this CSI driver puts into the pod is not known here: some put in sockets of others",
                    at: entry.keyLocation,
                    "make sure that no socket is in it"
                )
            case "nfs", "iscsi", "cephfs", "glusterfs", "rbd", "azureFile", "azureDisk", "quobyte", "storageos",
                "scaleIO",
                "portworxVolume", "vsphereVolume", "cinder", "fc", "gcePersistentDisk", "awsElasticBlockStore",
                "photonPersistentDisk", "flocker":
                warn(
                    ["A17"],
                    "what the agent writes into `\(entry.key)` is sent by the node, which no policy governs",
                    at: entry.keyLocation,
                    "mount it readOnly, or use a volume of the node's own"
                )
            default: break
            }
        }
    }

    private mutating func judgeToken(of volume: LayoutNode) {
        for source in volume.value(at: ["projected", "sources"])?.items ?? [] {
            guard let entry = source.entry("serviceAccountToken"), !entry.value.isNull else { continue }
            warn(
                ["A20"],
                "the volume holds a service account token: one that may create pods makes some without a guard",
                at: entry.keyLocation,
                "remove it, or make sure by RBAC that this service account may do nothing of the kind"
            )
        }
    }

    private mutating func judgeClaim(of volume: LayoutNode) {
        guard let claim = options.auditClaim, let name = volume.value(at: ["persistentVolumeClaim", "claimName"]) else {
            return
        }
        guard name.text == claim else { return }
        refuse(
            ["G01", "G06"],
            "the claim `\(claim)` is to hold the audit files, and the agent would reach them",
            at: name.location,
            "use another claim"
        )
    }

    /// A claim that is made for each pod, and named for it and for what makes it.
    ///
    /// `ends` is given the node's name and the template's holder. Those of a StatefulSet are numbered, between both ends; those
    /// of a Deployment have names that nobody knows before.
    private mutating func judgeOwnClaim(_ node: LayoutNode?, between ends: (String, String) -> (String, String)) {
        guard let claim = options.auditClaim, let holder = template.name, let node, let name = node.text else { return }
        let (start, end) = ends(name, holder)
        let isOwn =
            switch template.kind {
            case .pod: claim == "\(holder)-\(name)"
            case .statefulSet: Self.isNumbered(claim, start, end)
            case .podTemplate, .deployment, .daemonSet, .replicaSet, .replicationController, .job, .cronJob: false
            }
        guard isOwn else { return }
        refuse(
            ["G01", "G06"],
            "`\(name)` makes the claim `\(claim)` for a pod of the agent's, and it is to hold the audit files",
            at: node.location,
            "name another claim with --audit-claim"
        )
    }

    private static func isNumbered(_ claim: String, _ start: String, _ end: String) -> Bool {
        guard claim.hasPrefix(start), claim.hasSuffix(end) else { return false }
        let number = claim.utf8.dropFirst(start.utf8.count).dropLast(end.utf8.count)
        // Ordinals are written without zeros in front of them.
        return !number.isEmpty && number.allSatisfy { (0x30...0x39).contains($0) }
            && (number.count == 1 || number.first != 0x30)
    }

    /// What only the daemon may know, by the name of the Secret that holds it.
    mutating func judgeSecret(_ name: LayoutNode?) {
        guard let secret = options.secret, let name, name.text == secret else { return }
        refuse(
            ["G03"],
            "the Secret `\(secret)` is the daemon's, and the agent would read it",
            at: name.location,
            "use another Secret"
        )
    }

    /// One of the agent's that has the name of the daemon's would be taken for it, or is it.
    mutating func judgeConfigMap(_ name: LayoutNode?) {
        guard let name, let text = name.text, let held = options.heldByDaemon(text) else { return }
        refuse(
            ["G03"],
            "the ConfigMap `\(text)` is to hold the daemon's \(held.what), and the agent uses it too",
            at: name.location,
            "give the agent's own another name, or name another one for the daemon by \(held.flag)"
        )
    }

    /// What a container mounts: nothing of ours, nothing where ours would be.
    mutating func judgeMounts(of container: LayoutNode) {
        for mount in container.value("volumeMounts")?.items ?? [] {
            if let name = mount.value("name"), let text = name.text, text.hasPrefix(Guard.prefix) {
                refuse(
                    ["G01", "G03"],
                    "the agent would mount the guard's volume `\(text)`",
                    at: name.location,
                    "remove the mount"
                )
            }
            guard let path = mount.value("mountPath"), let text = path.text else { continue }
            let normal = Self.normal(text)
            let taken = Guard.paths + (options.trust == nil ? [] : [Guard.trustPath])
            if let ours = taken.first(where: { normal == $0 || normal.hasPrefix($0 + "/") }) {
                refuse(
                    ["G03"],
                    "`mountPath` is in `\(ours)`, which belongs to the guard",
                    at: path.location,
                    "use another path"
                )
            } else if normal == "/dev/net" || normal.hasPrefix("/dev/net/") {
                refuse(
                    ["A23"],
                    "`\(normal)` lets the agent make network interfaces",
                    at: path.location,
                    "remove the mount"
                )
            }
        }
        for device in container.value("volumeDevices")?.items ?? [] {
            guard let path = device.value("devicePath"), let text = path.text, Self.normal(text).hasPrefix("/dev/net")
            else {
                continue
            }
            refuse(["A23"], "`\(text)` lets the agent make network interfaces", at: path.location, "remove the device")
        }
    }

    /// A path without empty and `.` parts, `..` taken back.
    private static func normal(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
