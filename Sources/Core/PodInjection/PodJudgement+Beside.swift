import SourceDocuments

extension PodJudgement {
    /// Says what else in a document takes the place of what the guard in the pods needs.
    ///
    /// A manifest may well bring its own policy, as `deploy/pod.yaml` does; whoever relies on the operator's should know.
    ///
    /// - Parameters:
    ///   - document: a document of the manifest.
    ///   - templates: the manifest's pods: what is for certain in another namespace than all of them is nobody's here.
    ///   - options: how the guard is put in.
    /// - Returns: a warning for each such ConfigMap.
    package static func findings(
        beside document: LayoutNode,
        _ templates: [PodTemplate],
        _ options: InjectionOptions
    ) -> [PodFinding] {
        let namespaces = Set(templates.map(\.object.namespace))
        let kind = document.value("kind")?.text
        if let kind, kind.hasSuffix("List"), let items = document.value("items")?.items {
            return items.flatMap { findings(beside: $0, namespaces, options, isConfigMap: kind == "ConfigMapList") }
        }
        return findings(beside: document, namespaces, options, isConfigMap: false)
    }

    private static func findings(
        beside object: LayoutNode,
        _ namespaces: Set<String?>,
        _ options: InjectionOptions,
        isConfigMap: Bool
    ) -> [PodFinding] {
        guard isConfigMap || object.value("kind")?.text == "ConfigMap",
            let name = object.value(at: ["metadata", "name"]), let text = name.text,
            let held = options.heldByDaemon(text),
            object.namespace.map({ namespaces.contains($0) || namespaces.contains(nil) }) ?? true
        else { return [] }
        let problem = SourceProblem(
            "this ConfigMap has the name of the daemon's \(held.what), and takes the place of the operator's",
            at: name.location,
            remedy: "leave it to the operator, or name another one for the daemon by \(held.flag)"
        )
        return [PodFinding(.warning, ["G03"], problem)]
    }
}

extension InjectionOptions {
    /// What the daemon keeps in a ConfigMap of this name, and the option that names another.
    func heldByDaemon(_ configMap: String) -> (what: String, flag: String)? {
        switch configMap {
        case policy: ("policy", "--policy")
        case configuration: ("configuration", "--config")
        default: nil
        }
    }
}

extension LayoutNode {
    /// The namespace that the object says it is in; without one it goes wherever it is applied.
    fileprivate var namespace: String? { value(at: ["metadata", "namespace"])?.text }
}
