import SourceDocuments

/// Where something was added below a pod's template: keys, and items of lists by their name.
///
/// Written as `spec.containers[agent].securityContext`. Keys hold no dot and names no bracket; what would is not added.
package struct AdditionPath: Hashable, Sendable {
    package var steps: [Step]

    /// One step down.
    package enum Step: Hashable, Sendable {
        case key(String)
        /// The item whose `name` this is, or which is this text itself.
        case item(String)
    }

    package init(_ steps: [Step] = []) {
        self.steps = steps
    }

    /// Reads what `description` writes; `nil` where it is none.
    package init?(_ text: some StringProtocol) {
        var steps: [Step] = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            let pieces = part.split(separator: "[", omittingEmptySubsequences: false)
            guard let key = pieces.first, !key.isEmpty else { return nil }
            steps.append(.key(String(key)))
            for piece in pieces.dropFirst() {
                guard piece.count > 1, piece.hasSuffix("]") else { return nil }
                steps.append(.item(String(piece.dropLast())))
            }
        }
        self.steps = steps
    }

    func key(_ key: String) -> AdditionPath { AdditionPath(steps + [.key(key)]) }
    func item(_ name: String) -> AdditionPath { AdditionPath(steps + [.item(name)]) }
}

extension AdditionPath: CustomStringConvertible {
    package var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key): text += (text.isEmpty ? "" : ".") + key
            case .item(let name): text += "[\(name)]"
            }
        }
        return text
    }
}

extension AdditionPath {
    /// The key of the annotation that says what was added.
    package static let annotation = "penstock/injected"

    /// The annotation's value: a version, then every path.
    package static func record(of paths: [AdditionPath]) -> String {
        (["v1"] + paths.map(\.description)).joined(separator: " ")
    }

    /// Reads the annotation's value; `nil` where it is none of ours.
    package static func read(record: String) -> [AdditionPath]? {
        let words = record.split(separator: " ")
        guard words.first == "v1" else { return nil }
        var paths: [AdditionPath] = []
        for word in words.dropFirst() {
            guard let path = AdditionPath(word), path.isOfGuard else { return nil }
            paths.append(path)
        }
        return paths
    }
}

extension LayoutNode {
    /// By what an item of a list is known: its `name`, or itself.
    package var itemName: String? { value("name")?.text ?? text }
}
