import SourceDocuments

extension PodJudgement {
    /// Annotations and labels by which a pod's author would open the guard, or bring a second one.
    mutating func judgeAnnotations() {
        let metadata = template.node.value("metadata")
        for key in ["annotations", "labels"] {
            for entry in metadata?.value(key)?.entries ?? [] { judgeAnnotation(entry) }
        }
    }

    private mutating func judgeAnnotation(_ entry: LayoutNode.Entry) {
        let value = entry.value.text ?? ""
        let isSeccomp = entry.key.contains("seccomp.security.alpha.kubernetes.io/")
        if [Guard.label, Guard.wish].contains(entry.key), value == "true" { return }
        if entry.key.hasPrefix("penstock/") || entry.key.contains(".penstock/") {
            refuse(
                ["A21"],
                "`\(entry.key)` is nothing that Penstock reads: no annotation or label of a pod opens its guard",
                at: entry.keyLocation,
                "remove it; what may leave is said by the policy"
            )
        } else if isSeccomp, value == "unconfined" {
            refuse(["A38"], "`\(entry.key)` turns seccomp off", at: entry.keyLocation, "write runtime/default")
        } else if Self.isMesh(entry.key, value) {
            refuse(
                ["A35"],
                "`\(entry.key)` brings a service mesh into the pod, which captures the same connections",
                at: entry.keyLocation,
                "take the pod out of the mesh"
            )
        } else if let reason = Self.deviceReason(entry.key) {
            refuse(["A23"], "`\(entry.key)` \(reason)", at: entry.keyLocation, "remove it")
        } else if entry.key.hasPrefix("container.apparmor.security.beta.kubernetes.io/"), value == "unconfined" {
            warn(["A38"], "`\(entry.key)` turns AppArmor off", at: entry.keyLocation, "write runtime/default")
        } else if Self.isInterface(entry.key) {
            warn(
                ["A23"],
                "`\(entry.key)` gives the pod another interface; what the agent sends there is captured or refused as well",
                at: entry.keyLocation,
                "remove it if nothing needs it"
            )
        }
    }

    /// Whether a mesh takes the pod in; each reads its words for yes more widely than it says.
    private static func isMesh(_ key: String, _ value: String) -> Bool {
        let isNo = ["false", "disabled", "none", "no", "n", "off", "0"].contains(value.lowercased())
        switch key {
        case "sidecar.istio.io/inject", "istio.io/dataplane-mode", "linkerd.io/inject",
            "consul.hashicorp.com/connect-inject", "kuma.io/sidecar-injection", "openservicemesh.io/sidecar-injection":
            return !isNo
        // A revision of Istio's that injects, whatever it is called.
        case "istio.io/rev": return true
        default: return false
        }
    }

    /// Annotations by which runtimes hand out devices of the node.
    private static func deviceReason(_ key: String) -> String? {
        let prefixes = [
            "io.kubernetes.cri-o.Devices", "cdi.k8s.io/", "devices.nri.io", "devices.noderesource.dev",
        ]
        return prefixes.contains { key.hasPrefix($0) }
            ? "hands out devices of the node: with /dev/net/tun the agent makes network interfaces" : nil
    }

    private static func isInterface(_ key: String) -> Bool {
        key.hasSuffix("cni.cncf.io/networks") || key == "v1.multus-cni.io/default-network"
            || key == "networking.gke.io/interfaces"
    }
}
