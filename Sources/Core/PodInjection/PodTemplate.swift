import SourceDocuments

/// A pod, or the template of one, in a document.
package struct PodTemplate: Hashable, Sendable {
    /// What holds it.
    package var kind: Kind
    /// The holder's name, as far as it has one.
    package var name: String?
    /// The mapping with the pod's `metadata` and `spec`.
    package var node: LayoutNode
    /// The object that it is, or is in.
    package var object: LayoutNode
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
