import ManifestInjection
import PodInjection
import SourceDocuments
import Testing

/// A pod that is refused, and what is said of it.
struct Refused: Sendable, CustomTestStringConvertible {
    var about: String
    var threat: String
    var text: String
    /// The field that the message names.
    var field: String
    var place: String

    init(_ threat: String, _ about: String, _ text: String, _ field: String, _ place: String) {
        self.threat = threat
        self.about = about
        self.text = text
        self.field = field
        self.place = place
    }

    var testDescription: String { "\(threat) \(about)" }
}

private func context(_ more: String) -> String { Manifests.pod(context: "runAsUser: 2000, \(more)") }

@Suite("Pods that cannot be guarded")
struct PodJudgementTests {
    @Test(
        "A01, A02, A03, A04, A05: an agent that could be the daemon, or undo the rules, is refused by field, with a remedy",
        arguments: [
            Refused("A01", "the daemon's UID", Manifests.pod(context: "runAsUser: 10880"), "runAsUser", "8:23"),
            Refused(
                "A01",
                "the daemon's UID for all",
                Manifests.pod(spec: "securityContext: {runAsUser: 10880}", context: ""),
                "runAsUser",
                "9:21"
            ),
            Refused("A01", "the daemon's GID", context("runAsGroup: 10880"), "runAsGroup", "8:40"),
            Refused(
                "A01",
                "the daemon's group by fsGroup",
                Manifests.pod(spec: "securityContext: {fsGroup: 10880}"),
                "fsGroup",
                "9:21"
            ),
            Refused(
                "A01",
                "the daemon's group beside",
                Manifests.pod(spec: "securityContext: {supplementalGroups: [7, 10880]}"),
                "supplementalGroups",
                "9:45"
            ),
            Refused("A02", "root", Manifests.pod(context: "runAsUser: 0"), "runAsUser: 0", "8:23"),
            Refused(
                "A02",
                "perhaps root",
                Manifests.pod(context: "runAsNonRoot: false"),
                "runAsNonRoot: false",
                "8:23"
            ),
            Refused("A02", "escalation", context("allowPrivilegeEscalation: true"), "allowPrivilegeEscalation", "8:40"),
            Refused("A02", "privileged", context("privileged: true"), "privileged", "8:40"),
            Refused("A02", "SETUID", context("capabilities: {add: [SETUID]}"), "SETUID", "8:61"),
            Refused("A03", "NET_RAW", context("capabilities: {add: [NET_RAW]}"), "NET_RAW", "8:61"),
            Refused("A04", "NET_ADMIN", context("capabilities: {add: [cap_net_admin]}"), "NET_ADMIN", "8:61"),
            Refused("A04", "SYS_ADMIN", context("capabilities: {add: [SYS_ADMIN]}"), "SYS_ADMIN", "8:61"),
            Refused("A04", "ALL", context("capabilities: {add: [ALL]}"), "ALL", "8:61"),
            Refused("A05", "BPF", context("capabilities: {add: [BPF]}"), "BPF", "8:61"),
            Refused("A02", "any other capability", context("capabilities: {add: [CHOWN]}"), "CHOWN", "8:61"),
        ]
    )
    func privileges(pod: Refused) throws { try check(pod) }

    @Test(
        "A17, A18, A20, A22, A23, A38: ways to the node, to the daemon's process and past the packet filter are refused",
        arguments: [
            Refused("A17", "hostIPC", Manifests.pod(spec: "hostIPC: true"), "hostIPC", "9:3"),
            Refused(
                "A17",
                "a socket of the node",
                Manifests.pod(spec: "volumes: [{name: s, hostPath: {path: /run/containerd/containerd.sock}}]"),
                "hostPath",
                "9:23"
            ),
            Refused("A18", "hostPID", Manifests.pod(spec: "hostPID: true"), "hostPID", "9:3"),
            Refused(
                "A18",
                "shareProcessNamespace",
                Manifests.pod(spec: "shareProcessNamespace: true"),
                "shareProcessNamespace",
                "9:3"
            ),
            Refused("A18", "SYS_PTRACE", context("capabilities: {add: [SYS_PTRACE]}"), "SYS_PTRACE", "8:61"),
            Refused("A18", "procMount", context("procMount: Unmasked"), "procMount", "8:51"),
            Refused(
                "A20",
                "ephemeral containers",
                Manifests.pod(spec: "ephemeralContainers: [{name: d, image: d}]"),
                "ephemeralContainers",
                "9:3"
            ),
            Refused(
                "A20",
                "a probe of somewhere else",
                Manifests.pod(container: "livenessProbe: {httpGet: {port: 80, host: a.example}}"),
                "host",
                "9:41"
            ),
            Refused(
                "A20",
                "a hook of somewhere else",
                Manifests.pod(container: "lifecycle: {preStop: {tcpSocket: {port: 80, host: a.example}}}"),
                "host",
                "9:49"
            ),
            Refused("A22", "hostNetwork", Manifests.pod(spec: "hostNetwork: true"), "hostNetwork", "9:3"),
            Refused(
                "A22",
                "hostPort",
                Manifests.pod(container: "ports: [{containerPort: 80, hostPort: 80}]"),
                "hostPort",
                "9:33"
            ),
            Refused(
                "A23",
                "/dev/net/tun by path",
                Manifests.pod(spec: "volumes: [{name: t, hostPath: {path: /dev/net/tun}}]"),
                "/dev/net/tun",
                "9:23"
            ),
            Refused(
                "A23",
                "/dev/net/tun by mount",
                Manifests.pod(container: "volumeMounts: [{name: t, mountPath: /dev//net/tun}]"),
                "/dev/net/tun",
                "9:41"
            ),
            Refused(
                "A23",
                "/dev/net/tun by plugin",
                Manifests.pod(container: "resources: {limits: {devices.example/tun: 1}}"),
                "devices.example/tun",
                "9:26"
            ),
            Refused(
                "A23",
                "routing",
                Manifests.pod(spec: "securityContext: {sysctls: [{name: net.ipv4.ip_forward, value: \"1\"}]}"),
                "net.ipv4.ip_forward",
                "9:38"
            ),
            Refused(
                "A35",
                "a mesh",
                Manifests.pod(metadata: "labels: {sidecar.istio.io/inject: \"true\"}"),
                "sidecar.istio.io/inject",
                "3:34"
            ),
            Refused(
                "A37",
                "a port of the daemon's",
                Manifests.pod(container: "ports: [{containerPort: 15880}]"),
                "15880",
                "9:14"
            ),
            Refused("A38", "seccomp off", context("seccompProfile: {type: Unconfined}"), "Unconfined", "8:63"),
            Refused(
                "A38",
                "seccomp off for all",
                Manifests.pod(spec: "securityContext: {seccompProfile: {type: Unconfined}}"),
                "Unconfined",
                "9:44"
            ),
            Refused(
                "A38",
                "seccomp off by annotation",
                Manifests.pod(metadata: "annotations: {seccomp.security.alpha.kubernetes.io/pod: unconfined}"),
                "seccomp",
                "3:39"
            ),
        ]
    )
    func ways(pod: Refused) throws { try check(pod) }

    @Test(
        "A21, G01, G03, G11, D05: what would steer the guard, or reach its files, is refused",
        arguments: [
            Refused(
                "A21",
                "an annotation to open it",
                Manifests.pod(metadata: "annotations: {penstock/exclude-ports: \"22\"}"),
                "penstock/exclude-ports",
                "3:39"
            ),
            Refused(
                "A21",
                "a label to leave it out",
                Manifests.pod(metadata: "labels: {penstock/guarded: \"false\"}"),
                "penstock/guarded",
                "3:34"
            ),
            Refused(
                "G01",
                "a mount of the guard's volume",
                Manifests.pod(container: "volumeMounts: [{name: penstock-audit, mountPath: /a}]"),
                "penstock-audit",
                "9:27"
            ),
            Refused(
                "G03",
                "a mount of the admin socket's volume",
                Manifests.pod(container: "volumeMounts: [{name: penstock-admin, mountPath: /a}]"),
                "penstock-admin",
                "9:27"
            ),
            Refused(
                "G03",
                "a mount where the admin socket would be",
                Manifests.pod(container: "volumeMounts: [{name: a, mountPath: /run/penstock}]"),
                "/run/penstock",
                "9:41"
            ),
            Refused(
                "G11",
                "a container of the watcher's name",
                Manifests.pod().replacing("name: agent\n", with: "name: penstock-watch\n"),
                "penstock-watch",
                "6:11"
            ),
            Refused(
                "G03",
                "a volume of the guard's name",
                Manifests.pod(spec: "volumes: [{name: penstock-policy, emptyDir: {}}]"),
                "penstock-policy",
                "9:20"
            ),
            Refused(
                "G03",
                "a mount where the guard's would be",
                Manifests.pod(container: "volumeMounts: [{name: a, mountPath: /etc/x/../penstock/policy}]"),
                "/etc/penstock",
                "9:41"
            ),
            Refused(
                "G11",
                "a container of the daemon's name",
                Manifests.pod().replacing("name: agent\n", with: "name: penstockd\n"),
                "penstockd",
                "6:11"
            ),
            Refused(
                "G11",
                "DNS servers of the author's choice",
                Manifests.pod(spec: "dnsConfig: {nameservers: [192.0.2.53]}"),
                "dnsConfig",
                "9:29"
            ),
            Refused(
                "D05",
                "DNS servers that nobody names",
                Manifests.pod(spec: "dnsPolicy: None"),
                "dnsPolicy",
                "9:14"
            ),
        ]
    )
    func steering(pod: Refused) throws { try check(pod) }

    private func check(_ pod: Refused) throws {
        // The same of an init container, where it is about a container.
        let found = try refusals(pod.text).filter { $0.severity == .refusal }
        let hit = found.first { $0.threats.contains(pod.threat) && $0.problem.message.contains(pod.field) }
        #expect(hit != nil, "\(found)")
        #expect(hit?.problem.location.description == "m.yaml:\(pod.place)", "\(found)")
        #expect(hit?.problem.remedy?.isEmpty == false)
    }

    @Test("A08: what is refused of a container is refused of an init container too")
    func initContainers() throws {
        let text = Manifests.pod(
            spec: "initContainers:\n- name: early\n  image: e\n  securityContext: {runAsUser: 2, privileged: true}\n"
        )
        #expect(try refusals(text).filter { $0.severity == .refusal }.map(\.problem.location.line) == [12])
    }

    @Test(
        "what is no list where one belongs is refused, since nothing in it is judged",
        arguments: [
            (context("capabilities: {add: NET_ADMIN}"), "`add` is no list", "8:60"),
            (Manifests.pod(container: "volumeMounts: {name: penstock-policy}"), "`volumeMounts` is no list", "9:19"),
            (Manifests.pod(spec: "initContainers: {name: first}"), "`initContainers` is no list", "9:19"),
            (Manifests.pod(spec: "volumes: none"), "`volumes` is no list", "9:12"),
        ]
    )
    func lists(text: String, message: String, place: String) throws {
        let found = try refusals(text)
        let places = found.filter { $0.problem.message == message }.map(\.problem.location.description)
        #expect(places == ["m.yaml:\(place)"], "\(found)")
    }

    @Test("classic mode is refused for what must end by itself")
    func classicJobs() throws {
        let text =
            "kind: Job\nspec:\n  template:\n    spec:\n      containers: [{name: a, image: b, securityContext: {runAsUser: 2}}]\n"
        let found = try refusals(text) { $0.mode = .classic }
        #expect(found.count == 1 && found[0].problem.message.contains("would never be complete"))
        #expect(try refusals(text).isEmpty)
    }

    @Test("Windows pods are refused")
    func windows() throws {
        for spec in [
            "os: {name: windows}", "nodeSelector: {kubernetes.io/os: windows}",
            "securityContext: {windowsOptions: {hostProcess: true}}",
        ] {
            #expect(try !refusals(Manifests.pod(spec: spec)).isEmpty, "\(spec)")
        }
    }

    @Test("G11: DNS servers that the operator names are allowed in the pod")
    func dnsServers() throws {
        let text = Manifests.pod(spec: "dnsPolicy: None\ndnsConfig: {nameservers: [192.0.2.53]}")
        #expect(try refusals(text) { $0.dnsServers = ["192.0.2.53"] }.isEmpty)
        let long = Manifests.pod(spec: "dnsConfig: {nameservers: [\"2001:DB8:0::0:53\"]}")
        #expect(try refusals(long) { $0.dnsServers = ["2001:db8::53"] }.isEmpty)
        #expect(try refusals(long) { $0.dnsServers = ["2001:db8::54"] }.map(\.threats) == [["D05", "G11"]])
    }

    @Test(
        "what weakens the guard without breaking it is a warning",
        arguments: [
            ("A01", Manifests.pod(context: "")),
            ("A20", Manifests.pod(spec: "automountServiceAccountToken: true")),
            (
                "A20",
                Manifests.pod(spec: "volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: t}}]}}]")
            ),
            ("A30", Manifests.pod(container: "ports: [{containerPort: 8080}]")),
            ("A30", Manifests.pod(container: "readinessProbe: {tcpSocket: {port: 8080}}")),
            (
                "A38",
                Manifests.pod(context: "runAsUser: 2, seccompProfile: {type: Localhost, localhostProfile: a.json}")
            ),
            ("A10", Manifests.pod(spec: "runtimeClassName: gvisor")),
            ("A23", Manifests.pod(metadata: "annotations: {k8s.v1.cni.cncf.io/networks: other}")),
        ]
    )
    func warnings(threat: String, text: String) throws {
        let warnings = try inject(text).warnings
        #expect(warnings.count == 1 && warnings[0].threats == [threat], "\(warnings)")
        #expect(warnings[0].problem.remedy != nil)
    }

    @Test("a pod that says everything right is taken without a word")
    func nothingToSay() throws {
        let text = Manifests.pod(
            spec: "hostNetwork: false\nautomountServiceAccountToken: false\nterminationGracePeriodSeconds: 60",
            container: "ports: [{containerPort: 8080}]",
            metadata: "labels: {penstock/guard: \"true\"}",
            context:
                "runAsUser: 2000, runAsNonRoot: true, privileged: false, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}"
        )
        #expect(try inject(text) { $0.inboundPorts = [8080] }.warnings.isEmpty)
    }

    @Test("A17: a hostPath that the operator allows is a warning, a tunnel device never is")
    func allowedHostPath() throws {
        let text = { (path: String) in "volumes: [{name: a, hostPath: {path: \(path)}}]" }
        let made = try inject(Manifests.pod(spec: text("/models"))) { $0.allowedHostPaths = ["/models"] }
        #expect(made.warnings.map(\.threats) == [["A17"]])
        #expect(
            try !refusals(Manifests.pod(spec: text("/dev/net/tun"))) { $0.allowedHostPaths = ["/dev/net/tun"] }.isEmpty
        )
    }

    @Test("an agent may have a volume of its own at /run, as many do: in the daemon's container there is another")
    func ownRun() throws {
        let text = Manifests.pod(
            spec: "volumes: [{name: a, emptyDir: {}}]",
            container: "volumeMounts: [{name: a, mountPath: /run}]"
        )
        #expect(try refusals(text) { $0.isWatched = true }.isEmpty)
    }

    @Test("G06: the claim for the audit files cannot be the agent's as well")
    func auditClaim() throws {
        let text = Manifests.pod(spec: "volumes: [{name: a, persistentVolumeClaim: {claimName: trail}}]")
        #expect(try refusals(text) { $0.auditClaim = "trail" }.map(\.threats) == [["G01", "G06"]])
        #expect(try refusals(text) { $0.auditClaim = "another" }.isEmpty)
    }

    @Test(
        "G01, G06: the claim for the audit files cannot be one that is made for the agent's pods",
        arguments: [
            ("agent-audit-0", true), ("agent-audit-17", true), ("agent-audit-00", false), ("agent-audit-01", false),
            ("agent-audit-", false), ("agent-audit", false),
            ("agent-audit-0a", false), ("agent-other-0", false), ("other-audit-0", false), ("audit-0-scratch", true),
            ("audit-x-scratch", false), ("scratch-audit-0", false),
        ]
    )
    func ownClaims(claim: String, isOwn: Bool) throws {
        let text = """
            kind: StatefulSet
            metadata: {name: audit}
            spec:
              volumeClaimTemplates: [{metadata: {name: agent}}]
              template:
                spec:
                  volumes: [{name: scratch, ephemeral: {volumeClaimTemplate: {spec: {}}}}]
                  containers: [{name: a, image: b, securityContext: {runAsUser: 2000}}]

            """
        let found = try refusals(text) { $0.auditClaim = claim }
        #expect(found.map(\.threats) == (isOwn ? [["G01", "G06"]] : []), "\(found)")
        #expect(found.allSatisfy { $0.problem.remedy == "name another claim with --audit-claim" })
    }

    @Test("G01, G06: a Pod's own ephemeral claim cannot hold the audit files either")
    func ephemeralClaim() throws {
        let text = Manifests.pod(spec: "volumes: [{name: scratch, ephemeral: {volumeClaimTemplate: {spec: {}}}}]")
        #expect(try refusals(text) { $0.auditClaim = "agent-scratch" }.map(\.threats) == [["G01", "G06"]])
        #expect(try refusals(text) { $0.auditClaim = "agent-scratch-0" }.isEmpty)
    }

    @Test("A01: `runAsNonRoot: false` is no problem where the options say whom the agent runs as")
    func givenUser() throws {
        let text = Manifests.pod(context: "runAsNonRoot: false")
        #expect(try !refusals(text).isEmpty)
        #expect(try inject(text) { $0.agentUser = 2000 }.warnings.isEmpty)
    }

    @Test(
        "G03: the Secret that the daemon reads cannot be the agent's as well, by whatever way",
        arguments: [
            Manifests.pod(spec: "volumes: [{name: a, secret: {secretName: login}}]"),
            Manifests.pod(spec: "volumes: [{name: a, projected: {sources: [{secret: {name: login}}]}}]"),
            Manifests.pod(container: "env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: k}}}]"),
            Manifests.pod(container: "envFrom: [{secretRef: {name: login}}]"),
        ]
    )
    func secret(text: String) throws {
        #expect(try refusals(text) { $0.secret = "login" }.map(\.threats) == [["G03"]])
        #expect(try refusals(text) { $0.secret = "another" }.isEmpty)
        #expect(try refusals(text).isEmpty)
    }

    @Test(
        "G03: a ConfigMap of the agent's cannot have the name of the daemon's, by whatever way; nothing is written",
        arguments: [
            Manifests.pod(spec: "volumes: [{name: a, configMap: {name: penstock-policy}}]"),
            Manifests.pod(spec: "volumes: [{name: a, projected: {sources: [{configMap: {name: penstock-policy}}]}}]"),
            Manifests.pod(container: "env: [{name: A, valueFrom: {configMapKeyRef: {name: penstock-policy, key: k}}}]"),
            Manifests.pod(container: "envFrom: [{configMapRef: {name: penstock-policy}}]"),
        ]
    )
    func configMap(text: String) throws {
        let found = try refusals(text)
        #expect(found.map(\.threats) == [["G03"]])
        #expect(found.first?.problem.message.contains("`penstock-policy` is to hold the daemon's policy") == true)
        #expect(try refusals(text) { $0.policy = "another" }.isEmpty)
        let asConfiguration = try refusals(text) { options in
            options.policy = "another"
            options.configuration = "penstock-policy"
        }
        #expect(asConfiguration.first?.problem.message.contains("the daemon's configuration") == true)
    }

    @Test("G01, G03: a volume or a claim of the agent's cannot have the name of one of the guard's")
    func volumeNames() throws {
        let claims = """
            kind: StatefulSet
            spec:
              volumeClaimTemplates: [{metadata: {name: penstock-policy}}]
              template:
                spec:
                  containers: [{name: a, image: b, securityContext: {runAsUser: 2000}}]

            """
        for text in [Manifests.pod(spec: "volumes: [{name: penstock-policy, emptyDir: {}}]"), claims] {
            #expect(try refusals(text).map(\.threats) == [["G01", "G03"]])
        }
    }

    @Test("the daemon alone mounts the Secret that is for it, read-only")
    func secretOfDaemon() throws {
        let made = String(decoding: try inject(Manifests.pod()) { $0.secret = "login" }.bytes, as: UTF8.self)
        #expect(made.contains("secretName: login"), "\(made)")
        #expect(made.split(separator: "mountPath: /etc/penstock/secrets").count == 2, "\(made)")
        #expect(made.contains("mountPath: /etc/penstock/secrets\n      readOnly: true"), "\(made)")
        #expect(try !String(decoding: inject(Manifests.pod()).bytes, as: UTF8.self).contains("penstock-secrets"))
    }
}
