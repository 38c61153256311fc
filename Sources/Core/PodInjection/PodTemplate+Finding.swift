import SourceDocuments

extension PodTemplate {
    /// Finds every pod of a text.
    ///
    /// - Parameter documents: the documents of the text, in order.
    /// - Returns: the pods, and what is wrong: what looks like a pod and is none that is known, because it would be left
    ///   without a guard, and what says elsewhere than here what a pod is.
    package static func find(in documents: [LayoutNode]) -> (templates: [PodTemplate], problems: [SourceProblem]) {
        var search = Search()
        for document in documents {
            search.refuseNoObject(document)
            search.visit(document, of: document, kind: nil)
        }
        return (search.templates, search.problems)
    }

    private struct Search {
        var templates: [PodTemplate] = []
        var problems: [SourceProblem] = []

        mutating func visit(_ object: LayoutNode, of document: LayoutNode, kind inherited: String?) {
            guard !object.isNull else { return }
            let name = object.value("kind")?.text ?? inherited
            if let name, name.hasSuffix("List"), let items = object.value("items") {
                refuseRewriting(in: object)
                let kind = name == "List" ? nil : String(name.dropLast("List".count))
                for item in items.items { visit(item, of: document, kind: kind) }
                return
            }
            guard let kind = name.flatMap(Kind.init(rawValue:)), group(of: object, else: kind.group) == kind.group
            else {
                return refuseStrangePods(in: object, kind: name)
            }
            visit(object, kind, of: document)
        }

        private mutating func visit(_ object: LayoutNode, _ kind: Kind, of document: LayoutNode) {
            refuseItems(of: object, kind)
            refuseRewriting(above: kind, in: object)
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
                    object: object,
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

        /// To kubectl everything with `items` is a list, whatever its kind, and the object around them is forgotten.
        private mutating func refuseItems(of object: LayoutNode, _ kind: Kind) {
            guard let entry = object.entry("items") else { return }
            problems.append(
                SourceProblem(
                    "`items` makes a list of this \(kind.rawValue): what is in them would run, and without a guard",
                    at: entry.keyLocation,
                    remedy: "remove it, or write kind: List"
                )
            )
        }

        /// Merge keys and instructions to kubectl above a pod: some readers let them replace the pod that stands here.
        private mutating func refuseRewriting(above kind: Kind, in object: LayoutNode) {
            var node: LayoutNode? = object
            for key in kind.path {
                guard let mapping = node else { return }
                refuseRewriting(in: mapping)
                node = mapping.value(key)
            }
        }

        private mutating func refuseRewriting(in mapping: LayoutNode) {
            for entry in mapping.entries where entry.isMerge || entry.isDirective {
                problems.append(
                    SourceProblem(
                        "the \(entry.isMerge ? "merge key" : "instruction to kubectl") `\(entry.key)` above a pod may replace it",
                        at: entry.keyLocation,
                        remedy: entry.isMerge ? "write the keys out" : "remove it"
                    )
                )
            }
        }

        /// What is no mapping is no object; readers that split a text by its lines could find some in it.
        mutating func refuseNoObject(_ document: LayoutNode) {
            switch document.content {
            case .mapping: return
            case .scalar where document.isNull && document.tag == nil: return
            case .scalar, .sequence:
                problems.append(
                    SourceProblem(
                        "this document is no object",
                        at: document.location,
                        remedy: "remove it, or write kind: List"
                    )
                )
            }
        }
    }
}

extension LayoutNode {
    /// Where containers stand somewhere inside, in lists or alone.
    fileprivate var containersInside: SourceLocation? {
        for entry in entries {
            switch entry.key {
            case "containers", "initContainers", "ephemeralContainers", "sidecars", "steps":
                if entry.value.items.contains(where: \.hasImage) { return entry.keyLocation }
            case "container", "script":
                if entry.value.hasImage { return entry.keyLocation }
            default: break
            }
        }
        for node in items + entries.map(\.value) {
            if let place = node.containersInside { return place }
        }
        return nil
    }

    /// True of a mapping with an image, if only by a merge key.
    private var hasImage: Bool {
        value("image")?.text != nil
            || entries.contains { $0.isMerge && ($0.value.hasImage || $0.value.items.contains(where: \.hasImage)) }
    }
}
