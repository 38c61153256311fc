import SourceDocuments

extension Indentation {
    /// How a document indents: as the first mapping and the first list below a key do; what it does not show is 2 and 0.
    package init(of document: LayoutNode, in text: ManifestText) {
        var step: Int?
        var dash: Int?
        Self.measure(document, text, &step, &dash)
        self.init(step: step ?? 2, dash: dash ?? 0)
    }

    private static func measure(_ node: LayoutNode, _ text: ManifestText, _ step: inout Int?, _ dash: inout Int?) {
        guard step == nil || dash == nil else { return }
        for item in node.items { measure(item, text, &step, &dash) }
        for entry in node.entries {
            guard step == nil || dash == nil else { return }
            guard entry.value.alias == nil else { continue }
            let column = text.column(of: entry.keyRange.lowerBound)
            switch entry.value.content {
            case .mapping(let entries, .block):
                if let below = entries.first { step = step ?? text.column(of: below.keyRange.lowerBound) - column }
            case .sequence(_, .block) where entry.value.anchor == nil && entry.value.tag == nil:
                dash = dash ?? text.column(of: entry.value.range.lowerBound) - column
            case .scalar, .mapping, .sequence: break
            }
            measure(entry.value, text, &step, &dash)
        }
    }
}
