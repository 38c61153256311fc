import SourceDocuments

extension Indentation {
    /// How a document indents: as the first mapping and the first list below a key do; what it does not show is 2 and 0.
    package init(of document: LayoutNode, in text: ManifestText) {
        var step: Int?
        var dash: Int?
        Self.measure(document, text, &step, &dash)
        self.init(step: step ?? 2, dash: dash ?? 0)
    }

    /// What stands in brackets is passed over: no lines are in it, and a column is counted from where the line begins.
    private static func measure(_ node: LayoutNode, _ text: ManifestText, _ step: inout Int?, _ dash: inout Int?) {
        switch node.content {
        case .scalar, .mapping(_, .flow), .sequence(_, .flow): return
        case .sequence(let items, .block):
            for item in items where step == nil || dash == nil { measure(item, text, &step, &dash) }
        case .mapping(let entries, .block):
            for entry in entries where (step == nil || dash == nil) && entry.value.alias == nil {
                let distance = { text.column(of: $0) - text.column(of: entry.keyRange.lowerBound) }
                switch entry.value.content {
                case .mapping(let entries, .block):
                    if let below = entries.first { step = step ?? distance(below.keyRange.lowerBound) }
                case .sequence(_, .block) where entry.value.anchor == nil && entry.value.tag == nil:
                    dash = dash ?? distance(entry.value.range.lowerBound)
                case .scalar, .mapping, .sequence: break
                }
                measure(entry.value, text, &step, &dash)
            }
        }
    }
}
