import SourceDocuments

/// Takes additions out of a text again: the exact opposite of what `Splicing` puts in.
package struct Removal {
    private let text: ManifestText
    private var lines: [Range<Int>] = []
    private var edits: [TextEdit] = []

    private init(_ text: ManifestText) {
        self.text = text
    }

    /// Works out the changes for one template; paths at which nothing stands are passed over.
    package static func edits(
        taking paths: [AdditionPath],
        outOf target: LayoutNode,
        in text: ManifestText
    ) -> [TextEdit] {
        var removal = Removal(text)
        removal.visit(target, paths.map { $0.steps[...] })
        return removal.edits + removal.lineEdits
    }

    private mutating func visit(_ node: LayoutNode, _ paths: [ArraySlice<AdditionPath.Step>]) {
        guard !paths.isEmpty, node.alias == nil else { return }
        let ends = Set(paths.filter { $0.count == 1 }.compactMap(\.first))
        switch node.content {
        case .scalar: return
        case .mapping(let entries, let style):
            let parts = entries.map { entry in
                Part(
                    start: entry.keyRange.lowerBound,
                    value: entry.value,
                    end: max(entry.keyRange.upperBound, entry.value.range.upperBound),
                    goes: ends.contains(.key(entry.key))
                )
            }
            remove(parts, style)
            for entry in entries where !ends.contains(.key(entry.key)) {
                visit(entry.value, rest(of: paths, behind: .key(entry.key)))
            }
        case .sequence(let items, let style):
            let steps = items.map { $0.itemName.map(AdditionPath.Step.item) }
            let parts = zip(items, steps).map { item, step in
                Part(
                    start: item.range.lowerBound,
                    value: item,
                    end: item.range.upperBound,
                    goes: step.map(ends.contains) ?? false
                )
            }
            remove(parts, style)
            for (item, step) in zip(items, steps) {
                if let step, !ends.contains(step) { visit(item, rest(of: paths, behind: step)) }
            }
        }
    }

    /// One item or entry.
    private struct Part {
        var start: Int
        var value: LayoutNode
        var end: Int
        var goes: Bool
    }

    private func rest(
        of paths: [ArraySlice<AdditionPath.Step>],
        behind step: AdditionPath.Step
    ) -> [ArraySlice<AdditionPath.Step>] {
        paths.filter { $0.count > 1 && $0.first == step }.map { $0.dropFirst() }
    }

    private mutating func remove(_ parts: [Part], _ style: LayoutNode.CollectionStyle) {
        guard parts.contains(where: \.goes) else { return }
        switch style {
        case .block:
            for part in parts where part.goes {
                lines.append(text.lineStart(of: part.start)..<text.nextLine(after: part.value))
            }
        case .flow: removeFromBrackets(parts)
        }
    }

    private mutating func removeFromBrackets(_ parts: [Part]) {
        guard let kept = parts.firstIndex(where: { !$0.goes }) else {
            if let first = parts.first, let last = parts.last { edits.append(TextEdit(first.start..<last.end)) }
            return
        }
        if kept > 0 { edits.append(TextEdit(parts[0].start..<parts[kept].start)) }
        for index in parts.indices where index > kept && parts[index].goes {
            edits.append(TextEdit(parts[index - 1].end..<parts[index].end))
        }
    }

    /// Whole lines, joined; the text's last line keeps having no end where it had none.
    private var lineEdits: [TextEdit] {
        var joined: [Range<Int>] = []
        for range in lines.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = joined.last, range.lowerBound <= last.upperBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        return joined.map { range in
            guard range.upperBound == text.bytes.count, text.endsInsideLine, range.lowerBound > 0 else {
                return TextEdit(range)
            }
            let lineBreak = text.lineBreak.utf8.count
            return TextEdit(max(0, range.lowerBound - lineBreak)..<range.upperBound)
        }
    }
}

extension LayoutNode {
    /// The node without what stands at these paths; its places stay those of the text.
    package func without(_ paths: [AdditionPath]) -> LayoutNode {
        without(paths.map { $0.steps[...] })
    }

    private func without(_ paths: [ArraySlice<AdditionPath.Step>]) -> LayoutNode {
        guard !paths.isEmpty, alias == nil else { return self }
        let below = { (step: AdditionPath.Step, node: LayoutNode) -> LayoutNode? in
            let here = paths.filter { $0.first == step }
            return here.contains { $0.count == 1 } ? nil : node.without(here.map { $0.dropFirst() })
        }
        var node = self
        switch content {
        case .scalar: return self
        case .sequence(let items, let style):
            let kept = items.compactMap { item in
                item.itemName.map { below(.item($0), item) } ?? item
            }
            node.content = .sequence(kept, style)
        case .mapping(let entries, let style):
            let kept = entries.compactMap { entry -> LayoutNode.Entry? in
                guard let value = below(.key(entry.key), entry.value) else { return nil }
                var entry = entry
                entry.value = value
                return entry
            }
            node.content = .mapping(kept, style)
        }
        return node
    }
}
