import ManifestInjection
import PodInjection
import SourceDocuments
import Testing

@Suite("penstock inject refuses what it cannot edit safely")
struct ManifestRefusalTests {
    @Test(
        "what hides what a pod says, or cannot be edited for it alone, is named with its place and a remedy",
        arguments: [
            (Manifests.pod(spec: "<<: {hostNetwork: true}"), "9:3", "the merge key `<<`"),
            (
                "kind: Deployment\nspec:\n  selector: {matchLabels: &l {a: b}}\n  template:\n    metadata: {labels: *l}\n"
                    + "    spec:\n      containers: [{name: a, image: b, securityContext: {runAsUser: 2}}]\n",
                "5:24", "the alias `*l` cannot be edited"
            ),
            (
                "kind: Deployment\nx: *c\nspec: {template: {spec: {containers: []}}}\n",
                "2:4", "stands for nothing"
            ),
            (
                "kind: Deployment\nspec:\n  template:\n    spec: &s\n      containers: []\n  other: *s\n",
                "4:11", "`&s` names is used elsewhere"
            ),
            (Manifests.pod(spec: "volumes: !mine []"), "9:12", "the tag `!mine`"),
            (Manifests.pod(spec: "volumes:"), "9:3", "`volumes` is empty"),
            (Manifests.pod(spec: "hostNetwork: yes"), "9:16", "neither true nor false"),
            (Manifests.pod(spec: "hostPID: \"true\""), "9:12", "neither true nor false"),
            (Manifests.pod(context: "runAsUser: 0x7d0"), "8:34", "no plain decimal number"),
            ("kind: Pod\nkind: Pod\n", "2:1", "a second time"),
            (Manifests.pod(spec: "? hostname\n: agent"), "9:5", "`? hostname` is a key that cannot be edited"),
            (Manifests.pod(spec: "? # c\n  hostname\n: agent"), "10:5", "`? hostname` is a key that cannot be edited"),
            ("kind: Pod\nspec: {containers: [{? name : a, image: b}]}\n", "2:24", "`? name` is a key"),
            ("{\"kind\": \"Pod\", \"x\": \"\\ud83d\\ude00\"}\n", "1:", "Unicode character escape"),
            ("kind: Pod\n\tspec: {}\n", "2:1", "found a tab character"),
            ("kind: Pod\n", "1:1", "has no `spec`"),
            (
                "kind: Pod\nspec:\n  containers:\n  - name: a\n    securityContext: {runAsUser: 2}\n    args:\n    - |\n      b",
                "7:7", "ends without a line break"
            ),
            (
                "kind: Rollout\nspec:\n  template:\n    spec:\n      containers:\n      - image: a\n",
                "5:7", "does not know this kind"
            ),
            (
                "apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nspec: {tasks: [{template: {spec: {containers: [{image: a}]}}}]}\n",
                "3:35", "does not know this kind"
            ),
        ]
    )
    func unsafe(text: String, place: String, said: String) throws {
        let found = try problems(of: text)
        let hit = found.first { $0.message.contains(said) }
        #expect(hit != nil, "\(found)")
        #expect(hit?.location.description.hasPrefix("m.yaml:\(place)") == true, "\(found)")
    }

    @Test("a manifest without any pod is an error: the agent's would be left without a guard")
    func noPod() {
        for text in ["", "# nothing\n", "kind: ConfigMap\ndata: {containers: \"[{image: a}]\"}\n"] {
            #expect(throws: ManifestInjectionError.noPod) { try inject(text) }
        }
    }

    @Test(
        "one bad pod among several keeps all as they were, and every problem is told at once, in the order of the text"
    )
    func allAtOnce() throws {
        let text = Manifests.pod() + "---\n" + Manifests.pod(spec: "hostNetwork: true\nhostPID: true\nhostIPC: true")
        let found = try refusals(text)
        #expect(found.map(\.problem.location.line) == [18, 19, 20])
    }

    @Test("a kind that is not known, and a record that says nothing, hide none of what else is wrong")
    func everyKind() throws {
        let text =
            "kind: Rollout\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n---\n"
            + Manifests.pod(spec: "hostPID: true") + "---\n"
            + Manifests.pod(metadata: "annotations: {penstock/injected: no}")
        let found = try refusals(text)
        #expect(found.map(\.problem.location.line) == [2, 12, 16], "\(found)")
    }

    @Test("a manifest that is too large with the guard in it is refused, and called no defect")
    func tooLarge() throws {
        let filling = String(repeating: "x", count: (16 << 20) - 512)
        let found = try problems(of: "kind: ConfigMap\ndata: {a: \(filling)}\n---\n" + Manifests.pod())
        #expect(found.map(\.remedy) == ["put its objects into several files"])
    }

    @Test("an annotation that does not say what was added is not believed")
    func foreignRecord() throws {
        let found = try refusals(Manifests.pod(metadata: "annotations: {penstock/injected: \"true\"}"))
        #expect(found.map(\.threats) == [["A21"]])
    }

    @Test(
        "an annotation that names what the guard never adds is not believed: what stands there is the author's",
        arguments: [
            "spec.hostNetwork", "spec", "spec.containers", "spec.containers[agent]", "spec.containers[agent].image",
            "spec.containers[agent].securityContext.privileged", "spec.volumes[mine]", "metadata.labels.app",
            "spec.securityContext.fsGroup", "spec.initContainers[early]", "spec.containers.agent", "status",
            "spec.containers[agent].volumeMounts[mine]", "spec.automountServiceAccountToken.a",
            "spec.containers[agent].securityContext.capabilities.add",
            "spec.\(Array(repeating: "a", count: 60).joined(separator: "."))",
        ]
    )
    func forgedRecord(path: String) throws {
        let record = "v1 metadata.annotations metadata.annotations.penstock/injected \(path)"
        let forged = Manifests.pod(
            spec: "hostNetwork: true",
            metadata: "annotations: {penstock/injected: \"\(record)\"}"
        )
        #expect(try refusals(forged).map(\.threats) == [["A21"]])
        #expect(throws: ManifestInjectionError.self) { try uninjectManifest(Array(forged.utf8), file: "m.yaml") }
    }

    @Test("an annotation cannot hide from the judgement what it does not take out of the pod as well")
    func hidingRecord() throws {
        let record = "v1 metadata.annotations spec.containers[agent].securityContext"
        let forged = Manifests.pod(
            metadata: "annotations: {penstock/injected: \"\(record)\"}",
            context: "runAsUser: 10880"
        )
        let made = String(decoding: try inject(forged) { $0.agentUser = 2 }.bytes, as: UTF8.self)
        #expect(made.contains("runAsUser: 2\n"), "\(made)")
    }

    @Test("aliases that stand for more and more are refused, not followed to the end")
    func expansion() {
        var text = "kind: Pod\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(throws: ManifestInjectionError.self) { try inject(text) }
    }
}
