import SourceDocuments

extension PodJudgement {
    /// Ports of the node, ports of ours, and ports that stay closed.
    mutating func judgePorts(of container: LayoutNode) {
        for port in container.value("ports")?.items ?? [] {
            if let found = number(port, "hostPort"), found.value != 0 {
                refuse(["A22"], "`hostPort` opens a port of the node", at: found.at, "use a Service")
            }
            guard let found = number(port, "containerPort") else { continue }
            if options.daemonPorts.contains(found.value) {
                refuse(
                    ["A37"],
                    "`containerPort: \(found.value)` is one of the daemon's own ports",
                    at: found.at,
                    found.value == options.apiPort
                        ? "have the agent listen on another, or move the daemon's with --api-port and `listen.api.port`"
                        : "have the agent listen on another"
                )
            } else if !options.inboundPorts.contains(found.value) {
                warn(
                    ["A30"],
                    "port \(found.value) of the agent is closed to the outside",
                    at: found.at,
                    "open it with --inbound-port \(found.value)"
                )
            }
        }
    }

    /// Requests that the kubelet makes from the node's own network: to the pod they may go, nowhere else.
    mutating func judgeProbes(of container: LayoutNode) {
        let probes = ["livenessProbe", "readinessProbe", "startupProbe"].compactMap { container.value($0) }
        let hooks = ["postStart", "preStop"].compactMap { container.value(at: ["lifecycle", $0]) }
        for asker in probes + hooks {
            for action in [asker.value("httpGet"), asker.value("tcpSocket")].compactMap({ $0 }) {
                guard let host = action.entry("host"), !host.value.isNull else { continue }
                refuse(
                    ["A20"],
                    "`host` has the kubelet connect somewhere else, from the node's network",
                    at: host.keyLocation,
                    "remove it: the pod itself is asked then"
                )
            }
        }
        for probe in probes { judgeProbePort(of: probe, container) }
    }

    private mutating func judgeProbePort(of probe: LayoutNode, _ container: LayoutNode) {
        for action in [probe.value("httpGet"), probe.value("tcpSocket"), probe.value("grpc")].compactMap({ $0 }) {
            guard let port = action.value("port"), let text = port.text else { continue }
            let named = container.value("ports")?.items.first { $0.value("name")?.text == text }
            guard named == nil, let value = Int(text), !options.inboundPorts.contains(value) else { continue }
            let isDeclared =
                container.value("ports")?.items.contains { $0.value("containerPort")?.text == text } ?? false
            guard !isDeclared else { continue }
            warn(
                ["A30"],
                "the kubelet cannot reach port \(value) of the agent: it is closed to the outside",
                at: port.location,
                "open it with --inbound-port \(value)"
            )
        }
    }

    /// Devices that device plugins hand out.
    mutating func judgeDevices(of container: LayoutNode) {
        for key in ["limits", "requests"] {
            for entry in container.value(at: ["resources", key])?.entries ?? [] {
                guard let why = Self.networkDevice(entry.key) else { continue }
                refuse(["A23"], "`\(entry.key)` \(why)", at: entry.keyLocation, "remove it")
            }
        }
    }

    /// Devices that are claimed for the pod: which ones, the claim says, not the manifest.
    mutating func judgeClaims(of spec: LayoutNode) {
        guard let entry = spec.entry("resourceClaims"), !entry.value.items.isEmpty else { return }
        warn(
            ["A23"],
            "`resourceClaims` hand out devices that are not known here: a network device of the agent's own is a way round the guard",
            at: entry.keyLocation,
            "make sure that no claim is for a network device"
        )
    }

    /// What a device of this name does to the guard; `nil` where its name says nothing of the kind.
    private static func networkDevice(_ resource: String) -> String? {
        let parts = resource.lowercased().split { "/_-.".contains($0) }
        if parts.contains("tun") || parts.contains("tap") { return "lets the agent make network interfaces" }
        let devices = ["rdma", "roce", "infiniband", "vfio", "vhost", "dpdk", "sriov", "netdevice", "efa"]
        let isNetwork = devices.contains { device in parts.contains { $0.hasPrefix(device) } }
        return isNetwork ? "is a network device of the agent's own, which the kernel's rules do not see" : nil
    }
}
