import PodInjection
import SourceDocuments
import Testing
import YAMLBindings

@Suite("The pods of deploy/ and what penstock inject makes are the same")
struct DeployedPodTests {
    @Test(
        "an example without its guard, put through penstock inject, is the example",
        arguments: [("deploy/pod.yaml", false), ("deploy/pod-classic.yaml", true)],
        [false, true]
    )
    func examples(_ example: (path: String, isClassic: Bool), isWatched: Bool) throws {
        let path = example.path
        let text = String(decoding: try Manifests.repository(path), as: UTF8.self)
        // The watcher stands there as a comment; docs/kubernetes.md says how it is taken along.
        let bytes = Array((isWatched ? text.replacing("#~", with: "") : text).utf8)
        let documents = try readYAMLLayout(bytes, file: path, limits: YAMLLimits())
        let template = try #require(PodTemplate.find(in: documents).templates.first)
        let guardPaths = [
            "metadata.labels.penstock/guarded", "spec.initContainers[penstock-init]", "spec.initContainers[penstockd]",
            "spec.containers[penstockd]", "spec.volumes[penstock-config]", "spec.volumes[penstock-policy]",
            "spec.initContainers[penstock-watch]", "spec.containers[penstock-watch]", "spec.volumes[penstock-admin]",
            "spec.volumes[penstock-audit]", "spec.terminationGracePeriodSeconds", "spec.automountServiceAccountToken",
            "spec.securityContext", "spec.containers[agent].securityContext.allowPrivilegeEscalation",
            "spec.containers[agent].securityContext.capabilities",
        ]
        let bare = template.with(template.node.without(guardPaths.compactMap { AdditionPath($0) }))
        #expect(bare.node.fragment != template.node.fragment)
        var options = InjectionOptions(image: "penstock:0.1.0")
        options.inboundPorts = [8080]
        options.isWatched = isWatched
        options.mode = example.isClassic ? .classic : .native
        let made = bare.node.fragment.with(PodAdditions.overlay(for: bare, options))
        let record = [AdditionPath("metadata.annotations")].compactMap { $0 }
        #expect(made.normal(without: ["annotations"]) == template.node.without(record).fragment.normal())
        let refusals = PodJudgement.findings(of: bare, options).filter { $0.severity == .refusal }
        #expect(refusals.isEmpty)
    }
}

extension Fragment {
    /// The same with keys and volumes sorted, so that order does not count where it means nothing.
    fileprivate func normal(without keys: Set<String> = []) -> Fragment {
        switch self {
        case .text, .word: return self
        case .list(let items): return .list(items.map { $0.normal(without: keys) })
        case .map(let entries):
            let kept = entries.filter { !keys.contains($0.key) }.map { entry in
                let value = entry.value.normal(without: keys)
                return Entry(entry.key, entry.key == "volumes" ? value.sortedByText : value)
            }
            return .map(kept.sorted { $0.key < $1.key })
        }
    }

    private var sortedByText: Fragment {
        guard case .list(let items) = self else { return self }
        return .list(items.sorted { "\($0)" < "\($1)" })
    }
}
