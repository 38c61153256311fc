import SourceDocuments

/// What the guard puts into a pod.
package struct PodAdditions {
    let template: PodTemplate
    let options: InjectionOptions

    /// All that is new in a pod, and the annotation that tells it, so that it can be taken out again.
    ///
    /// - Parameters:
    ///   - template: the pod as its author wrote it, without anything of ours in it.
    ///   - options: how the guard is put in.
    /// - Returns: what `Splicing` puts into the template.
    package static func overlay(for template: PodTemplate, _ options: InjectionOptions) -> Overlay {
        let additions = PodAdditions(template: template, options: options)
        // What is added does not depend on the annotation's words, so they can be made of it.
        let paths = additions.overlay(record: "").additions(to: template.node)
        return additions.overlay(record: AdditionPath.record(of: paths))
    }

    private func overlay(record: String) -> Overlay {
        let labels = template.node.value(at: ["metadata", "labels"])
        let label = labels?.value(Guard.label) == nil ? [Overlay.Entry(Guard.label, .value("true"))] : []
        return .keys([
            "metadata": .keys([
                "labels": .keys(label), "annotations": .keys([AdditionPath.annotation: .value(.text(record))]),
            ]),
            "spec": .keys(spec),
        ])
    }

    private var spec: [Overlay.Entry] {
        let spec = template.spec
        var entries: [Overlay.Entry] = []
        if spec?.value("automountServiceAccountToken") == nil {
            entries.append(Overlay.Entry("automountServiceAccountToken", .value(.flag(false))))
        }
        if spec?.value("terminationGracePeriodSeconds") == nil {
            entries.append(Overlay.Entry("terminationGracePeriodSeconds", .value(.number(Guard.graceSeconds))))
        }
        if let secret = options.pullSecret {
            let present = spec?.value("imagePullSecrets")?.items ?? []
            let isThere = present.contains { $0.value("name")?.text == secret }
            let last: [Fragment] = isThere ? [] : [["name": .text(secret)]]
            entries.append(Overlay.Entry("imagePullSecrets", .items(first: [], last: last)))
        }
        return entries + [
            Overlay.Entry("securityContext", podContext),
            Overlay.Entry("initContainers", containers("initContainers", ours: initContainers)),
            Overlay.Entry("containers", containers("containers", ours: plainContainers)),
            Overlay.Entry("volumes", .items(first: [], last: volumes)),
        ]
    }

    /// What holds for every container that does not say otherwise.
    private var podContext: Overlay {
        let present = template.spec?.value("securityContext")
        var entries: [Overlay.Entry] = []
        if present?.value("runAsNonRoot") == nil {
            entries.append(Overlay.Entry("runAsNonRoot", .value(.flag(true))))
        }
        if present?.value("seccompProfile") == nil {
            entries.append(Overlay.Entry("seccompProfile", .value(["type": "RuntimeDefault"])))
        }
        return .keys(entries)
    }

    private var initContainers: [Fragment] {
        [initContainer] + (options.mode == .native ? sidecars : [])
    }

    private var plainContainers: [Fragment] {
        options.mode == .classic ? sidecars : []
    }

    /// What stays as long as the agent; the watcher behind the daemon, to whom it reports.
    private var sidecars: [Fragment] {
        options.isWatched ? [daemonContainer, watchContainer] : [daemonContainer]
    }

    /// Ours before all others, and in the others what the guard needs of them.
    private func containers(_ key: String, ours: [Fragment]) -> Overlay {
        guard let items = template.spec?.value(key)?.items, !items.isEmpty else { return .items(first: ours, last: []) }
        var overlays: [Int: Overlay] = [:]
        for (index, item) in items.enumerated() {
            let additions: Overlay = .keys(
                [Overlay.Entry("securityContext", securityContext(of: item))] + trust(of: item)
            )
            if !additions.isEmpty { overlays[index] = additions }
        }
        return .within(overlays, first: ours)
    }

    /// What an agent container needs to trust the daemon's certificates; a variable that it has is its own business.
    private func trust(of container: LayoutNode) -> [Overlay.Entry] {
        guard let settings = options.trust else { return [] }
        let present = Set(container.value("env")?.items.compactMap { $0.value("name")?.text } ?? [])
        let variables: [Fragment] = settings.filter { !present.contains($0.name) }.map { setting in
            ["name": .text(setting.name), "value": .text(setting.value)]
        }
        return [
            Overlay.Entry("env", .items(first: [], last: variables)),
            Overlay.Entry(
                "volumeMounts",
                .items(first: [], last: [mount(Guard.trustVolume, Guard.trustPath, isReadOnly: true)])
            ),
        ]
    }

    /// What an agent container must say itself and does not.
    private func securityContext(of container: LayoutNode) -> Overlay {
        let own = container.value("securityContext")
        var entries = user(of: own)
        if own?.value("allowPrivilegeEscalation") == nil {
            entries.append(Overlay.Entry("allowPrivilegeEscalation", .value(.flag(false))))
        }
        let dropped = own?.value(at: ["capabilities", "drop"])?.items ?? []
        if !dropped.contains(where: { $0.text?.uppercased() == "ALL" }) {
            let drop = Overlay.items(first: [], last: ["ALL"])
            entries.append(Overlay.Entry("capabilities", .keys(["drop": drop])))
        }
        return .keys(entries)
    }

    private func user(of own: LayoutNode?) -> [Overlay.Entry] {
        let pod = template.spec?.value("securityContext")
        guard let user = options.agentUser, own?.value("runAsUser") == nil, pod?.value("runAsUser") == nil else {
            return []
        }
        let entry = Overlay.Entry("runAsUser", .value(.number(user)))
        guard let group = options.agentGroup, own?.value("runAsGroup") == nil, pod?.value("runAsGroup") == nil else {
            return [entry]
        }
        return [entry, Overlay.Entry("runAsGroup", .value(.number(group)))]
    }
}

extension Fragment: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, Fragment)...) {
        self = .map(elements.map { Entry($0.0, $0.1) })
    }
}

extension Fragment: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: Fragment...) {
        self = .list(elements)
    }
}
