/// How the guard is put into a pod.
package struct InjectionOptions: Hashable, Sendable {
    /// How the daemon runs beside the agent.
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        /// As an init container that goes on running: it is there before any other container, and is stopped after them.
        case native
        /// As a container among the others, for clusters before 1.29.
        case classic
    }

    package var image: String
    /// When the image is pulled; `nil` leaves it to the cluster.
    package var pullPolicy: String? = "IfNotPresent"
    package var mode = Mode.native
    /// Whether a container more looks at the kernel's rules for as long as the pod lives.
    package var isWatched = false
    /// By what the agent's programs find the authority that the daemon publishes; `nil` where it does not intercept.
    package var trust: [TrustSetting]?
    /// The ConfigMap with the daemon's configuration, `penstock.yaml`.
    package var configuration = "penstock-config"
    /// The ConfigMap with the policy's files.
    package var policy = "penstock-policy"
    /// The ports at which the agent may be reached from outside.
    package var inboundPorts: [Int] = []
    /// The DNS servers that may be asked; empty: those of the pod.
    package var dnsServers: [String] = []
    /// Destinations that nobody governs, as `penstock-init --bypass-cidr` reads them.
    package var bypasses: [String] = []
    /// The port of the governance API; another where the agent needs this one.
    package var apiPort = Guard.apiPort
    /// The Secret with which the image is pulled.
    package var pullSecret: String?
    /// Whom agent containers run as where they do not say.
    package var agentUser: Int?
    package var agentGroup: Int?
    /// What a daemon may use: names such as `cpu`, with their amounts.
    package var requests = ["cpu": "50m", "memory": "64Mi"]
    package var limits = ["cpu": "1", "memory": "256Mi"]
    /// A claim that keeps the audit files beyond the pod's life; `nil`: they go with the pod.
    package var auditClaim: String?
    /// A Secret whose files the daemon reads: credentials of proxies, and what policies put in the place of placeholders.
    package var secret: String?
    /// Paths of the node that the pod may mount all the same.
    package var allowedHostPaths: Set<String> = []

    /// The daemon's own user and group, which no agent may have.
    package static var daemonUser: Int { Guard.user }

    package init(image: String) {
        self.image = image
    }

    /// Where the daemon publishes what the agent is to trust; the same path in all of the pod's containers.
    package static var trustFolder: String { Guard.trustPath }

    /// Where the daemon listens, and nobody else may.
    var daemonPorts: [Int] { Guard.ports + [apiPort, Guard.healthPort] }
}

/// One variable of the environment of every agent container.
package struct TrustSetting: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// The names, numbers and paths that the guard takes for itself in a pod.
enum Guard {
    static let initContainer = "penstock-init"
    static let daemonContainer = "penstockd"
    static let watchContainer = "penstock-watch"
    static let containers = [initContainer, daemonContainer, watchContainer]
    /// Every name that begins like this is the guard's, of containers and of volumes.
    static let prefix = "penstock-"
    static let configVolume = "penstock-config"
    static let policyVolume = "penstock-policy"
    static let auditVolume = "penstock-audit"
    static let adminVolume = "penstock-admin"
    /// What agents are to trust, which is certificates and never a key; the daemon writes it, the agent reads it.
    static let trustVolume = "penstock-trust"
    /// What the daemon alone reads.
    static let secretsVolume = "penstock-secrets"
    static let volumes = [configVolume, policyVolume, auditVolume, adminVolume, trustVolume, secretsVolume]
    /// The daemon's user and group: whoever has both is not captured.
    static let user = 10880
    static let group = 10880
    /// Longer than the daemon takes to end what is open (`drain.seconds`), and to write it down.
    static let graceSeconds = 45
    /// What a NetworkPolicy knows guarded pods by.
    static let label = "penstock/guarded"
    /// What the kustomize component knows by what it is to guard.
    static let wish = "penstock/guard"
    static let healthPort = 15890
    static let apiPort = 8081
    static let ports = [15880, 15881, 15853]
    static let configPath = "/etc/penstock/config"
    static let policyPath = "/etc/penstock/policy"
    static let auditPath = "/var/log/penstock"
    /// One above the admin socket's directory, which the daemon makes itself, for itself alone.
    static let adminPath = "/run"
    static let trustPath = "/etc/penstock-trust"
    static let secretsPath = "/etc/penstock/secrets"
    /// What no agent container may mount anything at.
    static let paths = ["/etc/penstock", auditPath, "/var/lib/penstock", "/run/penstock"]
}
