import SourceDocuments

/// A pod, or the template of one, in a document.
package struct PodTemplate: Hashable, Sendable {
    /// What holds it.
    package var kind: Kind
    /// The holder's name, as far as it has one.
    package var name: String?
    /// The mapping with the pod's `metadata` and `spec`.
    package var node: LayoutNode
    /// The document that it stands in.
    package var document: LayoutNode

    /// The kinds of object that hold a pod.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case pod = "Pod"
        case podTemplate = "PodTemplate"
        case deployment = "Deployment"
        case statefulSet = "StatefulSet"
        case daemonSet = "DaemonSet"
        case replicaSet = "ReplicaSet"
        case replicationController = "ReplicationController"
        case job = "Job"
        case cronJob = "CronJob"

        /// The keys on the way from the object to the pod's template.
        var path: [String] {
            switch self {
            case .pod: []
            case .podTemplate: ["template"]
            case .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController, .job: ["spec", "template"]
            case .cronJob: ["spec", "jobTemplate", "spec", "template"]
            }
        }

        /// The API group that the kind belongs to.
        var group: String {
            switch self {
            case .pod, .podTemplate, .replicationController: ""
            case .deployment, .statefulSet, .daemonSet, .replicaSet: "apps"
            case .job, .cronJob: "batch"
            }
        }

        /// True of what is over once its containers are.
        package var runsToCompletion: Bool {
            switch self {
            case .job, .cronJob: true
            case .pod, .podTemplate, .deployment, .statefulSet, .daemonSet, .replicaSet, .replicationController: false
            }
        }
    }

    /// The pod's own specification.
    var spec: LayoutNode? { node.value("spec") }

    /// `Deployment research`.
    package var title: String { kind.rawValue + (name.map { " " + $0 } ?? "") }

    /// The template with other content, such as without what was added to it.
    package func with(_ node: LayoutNode) -> PodTemplate {
        var template = self
        template.node = node
        return template
    }

    /// What was added, as the pod's annotation says; `nil` without the annotation.
    package var additions: [AdditionPath]? {
        record.flatMap { AdditionPath.read(record: $0.text ?? "") }
    }

    /// The annotation itself.
    package var record: LayoutNode? {
        node.value(at: ["metadata", "annotations"])?.value(AdditionPath.annotation)
    }
}

extension PodTemplate {
    /// Finds every pod of a text.
    ///
    /// - Parameter documents: the documents of the text, in order.
    /// - Returns: the pods, and what is wrong: what looks like a pod and is none that is known, because it would be left
    ///   without a guard.
    package static func find(in documents: [LayoutNode]) -> (templates: [PodTemplate], problems: [SourceProblem]) {
        var search = Search()
        for document in documents { search.visit(document, of: document, kind: nil) }
        return (search.templates, search.problems)
    }

    private struct Search {
        var templates: [PodTemplate] = []
        var problems: [SourceProblem] = []

        mutating func visit(_ object: LayoutNode, of document: LayoutNode, kind inherited: String?) {
            guard !object.isNull else { return }
            let name = object.value("kind")?.text ?? inherited
            if let name, name.hasSuffix("List"), let items = object.value("items") {
                let kind = name == "List" ? nil : String(name.dropLast("List".count))
                for item in items.items { visit(item, of: document, kind: kind) }
                return
            }
            guard let kind = name.flatMap(Kind.init(rawValue:)), group(of: object, else: kind.group) == kind.group
            else {
                return refuseStrangePods(in: object, kind: name)
            }
            guard let node = object.value(at: kind.path), node.value("spec") != nil else {
                let key = (kind.path + ["spec"]).joined(separator: ".")
                problems.append(
                    SourceProblem("this \(kind.rawValue) has no `\(key)`", at: object.location, remedy: "write it")
                )
                return
            }
            templates.append(
                PodTemplate(
                    kind: kind,
                    name: object.value(at: ["metadata", "name"])?.text,
                    node: node,
                    document: document
                )
            )
        }

        private func group(of object: LayoutNode, else fallback: String) -> String {
            guard let version = object.value("apiVersion")?.text else { return fallback }
            return version.contains("/") ? String(version.prefix { $0 != "/" }) : ""
        }

        private mutating func refuseStrangePods(in object: LayoutNode, kind: String?) {
            guard let place = object.containersInside else { return }
            problems.append(
                SourceProblem(
                    "\(kind.map { "an object of the kind `\($0)`" } ?? "this") holds containers, and `penstock inject` does "
                        + "not know this kind: they would run without a guard",
                    at: place,
                    remedy: "put its pod's template through `penstock inject` as a Pod, and take over what that adds"
                )
            )
        }
    }
}

extension LayoutNode {
    /// Where a list of containers stands somewhere inside.
    fileprivate var containersInside: SourceLocation? {
        for entry in entries {
            let names = ["containers", "initContainers"]
            let isContainers = names.contains(entry.key) && entry.value.items.contains { $0.value("image") != nil }
            if isContainers { return entry.keyLocation }
        }
        for node in items + entries.map(\.value) {
            if let place = node.containersInside { return place }
        }
        return nil
    }
}
