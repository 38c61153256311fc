import ManifestInjection
import PodInjection
import SourceDocuments
import Testing

/// What kubectl reads otherwise than it looks; each of these was seen to run another pod than the one that stands there.
@Suite("Pods that are not what they seem")
struct PodDisguiseTests {
    @Test(
        "A08, A21, A22: what would run beside or instead of the pod that is guarded is refused, with its place",
        arguments: [
            ("a key in base64", Manifests.pod(spec: "!!binary aG9zdE5ldHdvcms=: true"), "9:3", "in front of a key"),
            ("a merge key in quotes", Manifests.pod(spec: "!!merge \"<<\": {a: b}"), "9:3", "in front of a key"),
            (
                "a list that says it is a pod",
                Manifests.pod()
                    + "items:\n- {kind: Pod, spec: {hostNetwork: true, containers: [{name: a, image: b}]}}\n",
                "9:1", "`items` makes a list"
            ),
            (
                "a template that a merge key replaces",
                "kind: Deployment\nspec:\n  template: {spec: {containers: [{name: a, image: b}]}}\n  <<: {template: {spec: {}}}\n",
                "4:3", "above a pod"
            ),
            (
                "a merge key beside the items of a list",
                "kind: List\nitems:\n- {kind: Pod, spec: {containers: [{name: a, image: b}]}}\n<<: {items: []}\n",
                "4:1", "above a pod"
            ),
            (
                "an image by a merge key in a kind that is not known",
                "x: &i {image: b}\nkind: Rollout\nspec: {template: {spec: {containers: [{name: a, <<: *i}]}}}\n",
                "3:26", "does not know this kind"
            ),
            (
                "a container that stands alone",
                "kind: Workflow\nspec: {templates: [{name: a, container: {image: b}}]}\n", "2:30",
                "does not know this kind"
            ),
            (
                "the steps of a task",
                "kind: Task\nspec: {steps: [{name: a, image: b}]}\n", "2:8", "does not know this kind"
            ),
            (
                "another order of the init containers",
                Manifests.pod(spec: "$setElementOrder/initContainers: [{name: evil}, {name: penstock-init}]"),
                "9:3", "`$setElementOrder/initContainers` has kubectl change"
            ),
            ("a pod that is replaced", Manifests.pod(spec: "$patch: replace"), "9:3", "`$patch` has kubectl change"),
            (
                "a container that is deleted",
                Manifests.pod(container: "$patch: delete"), "9:5", "`$patch` has kubectl change"
            ),
            (
                "keys of a volume that are kept alone",
                Manifests.pod(spec: "volumes: [{name: a, emptyDir: {}, $retainKeys: [name]}]"), "9:37",
                "`$retainKeys` has kubectl change"
            ),
            ("labels that are deleted", Manifests.pod(metadata: "labels: {$patch: delete}"), "3:34", "`$patch`"),
            (
                "a template that is replaced",
                "kind: Deployment\nspec:\n  $patch: replace\n  template: {spec: {containers: [{name: a, image: b}]}}\n",
                "3:3", "the instruction to kubectl `$patch` above a pod"
            ),
            (
                "a template of a CronJob that is replaced",
                "kind: CronJob\nspec: {jobTemplate: {$retainKeys: [], spec: {template: {spec: {containers: []}}}}}\n",
                "2:22", "the instruction to kubectl `$retainKeys` above a pod"
            ),
            (
                "a list that orders its items",
                "kind: List\nitems:\n- {kind: Pod, spec: {containers: [{name: a, image: b}]}}\n$patch: merge\n",
                "4:1", "above a pod"
            ),
            ("a list without a kind", "[{kind: Pod}]\n", "1:1", "is no object"),
            ("a text that hides documents from others", "--- !!null |\n text\n", "1:5", "is no object"),
        ]
    )
    func disguises(about: String, text: String, place: String, said: String) throws {
        let found = try problems(of: text)
        let hit = found.first { $0.message.contains(said) }
        #expect(hit?.location.description == "m.yaml:\(place)", "\(about): \(found)")
        #expect(hit?.remedy?.isEmpty == false)
    }

    @Test(
        "G03: a ConfigMap beside the pod that takes the place of the daemon's policy or configuration is a warning",
        arguments: [
            Manifests.pod() + "---\nkind: ConfigMap\nmetadata: {name: penstock-policy}\n",
            Manifests.pod() + "---\nkind: List\nitems: [{kind: ConfigMap, metadata: {name: penstock-config}}]\n",
            Manifests.pod() + "---\nkind: ConfigMapList\nitems: [{metadata: {name: penstock-policy}}]\n",
        ]
    )
    func configMapBeside(text: String) throws {
        let found = try inject(text).warnings
        #expect(found.map(\.threats) == [["G03"]])
        #expect(found.first?.problem.message.contains("takes the place of the operator's") == true)
        let others = try inject(text) { options in
            options.policy = "p"
            options.configuration = "c"
        }
        #expect(others.warnings.isEmpty)
    }

    @Test(
        "G03: a ConfigMap that is for certain in another namespace than every pod takes nobody's place",
        arguments: [
            ("a", "b", false), ("a", "a", true), ("a", nil, true), (nil, "b", true), (nil, nil, true),
        ]
    )
    func configMapElsewhere(pod: String?, map: String?, isSaid: Bool) throws {
        let metadata = { (namespace: String?) in namespace.map { "namespace: \($0)" } ?? "" }
        let text =
            Manifests.pod(metadata: metadata(pod))
            + "---\nkind: ConfigMap\nmetadata: {name: penstock-policy, \(metadata(map))}\n"
        #expect(try inject(text).warnings.count == (isSaid ? 1 : 0))
    }

    @Test("G03: the claims of a StatefulSet in a List cannot take the place of the guard's volumes")
    func claimsInList() throws {
        let set =
            "{kind: StatefulSet, spec: {template: {spec: {containers: [{name: a, image: b, securityContext: {runAsUser: 2}}]}}, "
            + "volumeClaimTemplates: [{metadata: {name: penstock-policy}}]}}"
        let found = try refusals("kind: List\nitems: [\(set)]\n").filter { $0.severity == .refusal }
        #expect(found.map(\.threats) == [["G01", "G03"]])
    }

    @Test(
        "A01: the daemon's user and group are recognised however the number is written, and wherever they are inherited from",
        arguments: [
            "supplementalGroups: [0x2a80]", "supplementalGroups: [10_880]", "supplementalGroups: [\"10880\"]",
            "supplementalGroups: [+10880]", "supplementalGroups: [025200]", "runAsUser: 10880", "runAsGroup: 10880",
            "runAsGroup: 0x2a80", "fsGroup: 10880.0",
        ]
    )
    func numbers(context: String) throws {
        let text = Manifests.pod(
            spec: "securityContext: {\(context)}",
            context: "runAsUser: 2000, runAsGroup: 2000"
        )
        let refused = try refusals(text).filter { $0.severity == .refusal }
        #expect(!refused.isEmpty)
    }

    @Test(
        "A17, A20, A23, A35: volumes, devices and annotations that lead past the guard are refused",
        arguments: [
            ("A20", Manifests.pod(spec: "volumes: [{name: a, gitRepo: {repository: \"https://a.example\"}}]")),
            ("A17", Manifests.pod(spec: "volumes: [{name: a, flexVolume: {driver: a/b}}]")),
            ("A23", Manifests.pod(container: "resources: {limits: {rdma/hca_shared_devices_a: 1}}")),
            ("A23", Manifests.pod(container: "resources: {limits: {intel.com/intel_sriov_netdevice: 1}}")),
            ("A23", Manifests.pod(container: "resources: {limits: {vpc.amazonaws.com/efa: 1}}")),
            ("A23", Manifests.pod(container: "resources: {requests: {smarter-devices/net_tun: 1}}")),
            ("A23", Manifests.pod(metadata: "annotations: {io.kubernetes.cri-o.Devices: /dev/net/tun}")),
            ("A35", Manifests.pod(metadata: "labels: {istio.io/rev: default}")),
            ("A35", Manifests.pod(metadata: "labels: {istio.io/dataplane-mode: ambient}")),
            ("A35", Manifests.pod(metadata: "annotations: {sidecar.istio.io/inject: \"True\"}")),
        ]
    )
    func waysPast(threat: String, text: String) throws {
        let found = try refusals(text).filter { $0.severity == .refusal }
        #expect(found.map(\.threats) == [[threat]])
    }

    @Test(
        "A17, A23, A38: what may lead past the guard, and nobody can tell from here, is a warning",
        arguments: [
            ("A17", Manifests.pod(spec: "volumes: [{name: a, csi: {driver: a.example}}]")),
            ("A17", Manifests.pod(spec: "volumes: [{name: a, nfs: {server: a.example, path: /}}]")),
            ("A23", Manifests.pod(spec: "resourceClaims: [{name: a, resourceClaimName: b}]")),
            ("A38", Manifests.pod(spec: "securityContext: {appArmorProfile: {type: Unconfined}}")),
            ("A38", Manifests.pod(spec: "securityContext: {seLinuxOptions: {type: spc_t}}")),
            (
                "A38",
                Manifests.pod(
                    metadata: "annotations: {container.apparmor.security.beta.kubernetes.io/agent: unconfined}"
                )
            ),
        ]
    )
    func doubts(threat: String, text: String) throws {
        #expect(try inject(text).warnings.map(\.threats) == [[threat]])
    }

    @Test("a device for computing, and a mesh that is told to stay out, are no reason to refuse")
    func harmless() throws {
        let text = Manifests.pod(
            container: "resources: {limits: {nvidia.com/gpu: 1, cpu: 2}}",
            metadata: "labels: {sidecar.istio.io/inject: \"false\", istio.io/dataplane-mode: none}"
        )
        #expect(try inject(text).warnings.isEmpty)
    }
}
