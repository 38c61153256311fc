import SourceDocuments

extension PodJudgement {
    /// Says what else in a document takes the place of what the guard in the pods needs.
    ///
    /// A manifest may well bring its own policy, as `deploy/pod.yaml` does; whoever relies on the operator's should know.
    package static func findings(beside document: LayoutNode, _ options: InjectionOptions) -> [PodFinding] {
        let kind = document.value("kind")?.text
        if let kind, kind.hasSuffix("List"), let items = document.value("items")?.items {
            return items.flatMap { findings(beside: $0, options, isConfigMap: kind == "ConfigMapList") }
        }
        return findings(beside: document, options, isConfigMap: false)
    }

    private static func findings(
        beside object: LayoutNode,
        _ options: InjectionOptions,
        isConfigMap: Bool
    ) -> [PodFinding] {
        guard isConfigMap || object.value("kind")?.text == "ConfigMap",
            let name = object.value(at: ["metadata", "name"]), let text = name.text,
            let held = options.heldByDaemon(text)
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
