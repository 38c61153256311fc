import SourceDocuments

/// Says everything because of which a pod cannot be guarded, or not as well as it might.
///
/// A sidecar shares the pod's network namespace with the agent: what the pod's own manifest grants the agent can make the
/// guard worthless. Each finding names the field and what to write instead.
package struct PodJudgement {
    let template: PodTemplate
    let options: InjectionOptions
    private(set) var findings: [PodFinding] = []

    /// Judges a pod as its author wrote it, without anything of ours in it.
    package static func findings(of template: PodTemplate, _ options: InjectionOptions) -> [PodFinding] {
        var judgement = PodJudgement(template: template, options: options)
        judgement.judge()
        // What the pod says for all of its containers is found once for each.
        var known: Set<PodFinding> = []
        return judgement.findings.filter { known.insert($0).inserted }
    }

    private init(template: PodTemplate, options: InjectionOptions) {
        self.template = template
        self.options = options
    }

    private mutating func judge() {
        judgeLayout(of: template.node)
        judgeAnnotations()
        guard let spec = template.spec else { return }
        judgeLists(
            spec,
            ["initContainers", "containers", "ephemeralContainers", "volumes", "tolerations", "imagePullSecrets"]
        )
        judgeNamespaces(spec)
        judgeNode(spec)
        judgeDNS(spec)
        judgeIdentity(spec)
        judgeSeccomp(spec.value("securityContext"))
        judgeConfinement(spec.value("securityContext"))
        judgeClaims(of: spec)
        judgeVolumes(spec)
        judgeMode(spec)
        judgeEnd(spec)
        judgeContainerNames(spec)
        for container in spec.agentContainers { judgeContainer(container, in: spec) }
    }

    mutating func refuse(_ threats: [String], _ message: String, at place: SourceLocation, _ remedy: String) {
        findings.append(PodFinding(.refusal, threats, SourceProblem(message, at: place, remedy: remedy)))
    }

    mutating func warn(_ threats: [String], _ message: String, at place: SourceLocation, _ remedy: String) {
        findings.append(PodFinding(.warning, threats, SourceProblem(message, at: place, remedy: remedy)))
    }

    /// A boolean; `nil` where it is absent, and where it is none, which is then said.
    ///
    /// `yes` and `on` are true to Kubernetes and text to others, so neither is taken for anything.
    mutating func flag(_ node: LayoutNode?, _ key: String) -> (value: Bool, at: SourceLocation)? {
        guard let entry = node?.entry(key), !entry.value.isNull else { return nil }
        if case .scalar(let text, .plain) = entry.value.content, let value = Self.booleans[text] {
            return (value, entry.keyLocation)
        }
        refuse([], "`\(key)` is neither true nor false", at: entry.value.location, "write true or false")
        return nil
    }

    /// A whole number; `nil` where it is absent, and where it is none, which is then said.
    mutating func number(_ node: LayoutNode?, _ key: String) -> (value: Int, at: SourceLocation)? {
        guard let entry = node?.entry(key), !entry.value.isNull else { return nil }
        return number(entry.value, of: key).map { ($0, entry.keyLocation) }
    }

    /// The whole number that a value is; where it is none, that is said.
    ///
    /// `0x2a80` and `10_880` are numbers to some readers of YAML and text to others.
    mutating func number(_ value: LayoutNode, of key: String) -> Int? {
        if case .scalar(let text, .plain) = value.content, let number = Int(text), String(number) == text {
            return number
        }
        refuse([], "`\(key)` is no plain decimal number", at: value.location, "write it without quotes or signs")
        return nil
    }

    private static let booleans = [
        "true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false,
    ]

    /// Merge keys and tags hide from a reader what is said; instructions to kubectl change it.
    private mutating func judgeLayout(of node: LayoutNode) {
        if let tag = node.tag {
            refuse([], "the tag `\(tag)` in a pod is not understood here", at: node.location, "remove it")
        }
        for entry in node.entries {
            if entry.isMerge {
                refuse(
                    [],
                    "the merge key `<<` in a pod hides what it says",
                    at: entry.keyLocation,
                    "write the keys out"
                )
            } else if entry.isDirective {
                refuse(
                    ["A08", "A20"],
                    "`\(entry.key)` has kubectl change the pod that stands here: what it orders, replaces or deletes may be the guard's",
                    at: entry.keyLocation,
                    "remove it; a manifest says what is to be, and no patch"
                )
            }
            if entry.isExplicit {
                refuse(
                    [],
                    "`? \(entry.key)` is a key that cannot be edited in place",
                    at: entry.keyLocation,
                    "write it as `\(entry.key):`"
                )
            }
            judgeLayout(of: entry.value)
        }
        for item in node.items { judgeLayout(of: item) }
    }
}

extension LayoutNode.Entry {
    /// True of an instruction of strategic merge patches: `$patch`, `$retainKeys`, `$setElementOrder/…`.
    ///
    /// kubectl obeys one in the manifest that it applies. No field, label or annotation begins like that.
    var isDirective: Bool { key.hasPrefix("$") }
}

extension LayoutNode {
    /// Every container of a pod that is not ours, of all kinds.
    package var agentContainers: [LayoutNode] {
        ["initContainers", "containers"].flatMap { value($0)?.items ?? [] }
    }
}
