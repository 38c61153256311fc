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
        switch node.content {
        case .scalar: return
        case .mapping(let entries, let style):
            let parts = entries.map { entry in
                Part(
                    start: entry.keyRange.lowerBound,
                    value: entry.value,
                    end: max(entry.keyRange.upperBound, entry.value.range.upperBound),
                    goes: entry.value.goes(with: paths.behind(.key(entry.key)))
                )
            }
            remove(style == .block ? removeBehindDash(parts) : parts, style)
            for (entry, part) in zip(entries, parts) where !part.goes {
                visit(entry.value, paths.behind(.key(entry.key)))
            }
        case .sequence(let items, let style):
            let steps = items.map { $0.itemName.map(AdditionPath.Step.item) }
            let parts = zip(items, steps).map { item, step in
                Part(
                    start: item.range.lowerBound,
                    value: item,
                    end: item.range.upperBound,
                    goes: step.map { item.goes(with: paths.behind($0)) } ?? false
                )
            }
            remove(parts, style)
            for (part, step) in zip(parts, steps) {
                if let step, !part.goes { visit(part.value, paths.behind(step)) }
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

    /// Takes the first keys of an item from behind its dash, which is that of the keys that stay; returns what there is left to do.
    private mutating func removeBehindDash(_ parts: [Part]) -> [Part] {
        guard let kept = parts.firstIndex(where: { !$0.goes }), kept > 0, !text.isFirstOnLine(parts[0].start) else {
            return parts
        }
        let end = text.placeBehindDash(after: parts[kept - 1].value, before: parts[kept].start)
        edits.append(TextEdit(parts[0].start..<end))
        return Array(parts[kept...])
    }

    private mutating func removeFromBrackets(_ parts: [Part]) {
        guard let kept = parts.firstIndex(where: { !$0.goes }) else {
            if let first = parts.first, let last = parts.last {
                edits.append(TextEdit(first.start..<text.behindComma(after: last.end)))
            }
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
        let left = { (node: LayoutNode, step: AdditionPath.Step) -> LayoutNode? in
            node.rest(without: paths.behind(step))
        }
        var node = self
        switch content {
        case .scalar: return self
        case .sequence(let items, let style):
            let kept = items.compactMap { item in
                item.itemName.map { left(item, .item($0)) } ?? item
            }
            node.content = .sequence(kept, style)
        case .mapping(let entries, let style):
            let kept = entries.compactMap { entry -> LayoutNode.Entry? in
                guard let value = left(entry.value, .key(entry.key)) else { return nil }
                var entry = entry
                entry.value = value
                return entry
            }
            node.content = .mapping(kept, style)
        }
        return node
    }

    /// True of what goes whole when these paths, each from here on, are taken out.
    ///
    /// A path that ends here says that this was added. Where others go on below it, those are what was added in it, and the
    /// rest is somebody else's: it goes once nothing is left. So does what stands in lines, which cannot be empty.
    fileprivate func goes(with paths: [ArraySlice<AdditionPath.Step>]) -> Bool { rest(without: paths) == nil }

    /// The node without what stands at these paths; `nil` where it goes whole.
    ///
    /// Each node is looked at once: a record that somebody forged may lead deep.
    private func rest(without paths: [ArraySlice<AdditionPath.Step>]) -> LayoutNode? {
        let below = paths.filter { !$0.isEmpty }
        let isAdded = below.count < paths.count
        guard !below.isEmpty else { return isAdded ? nil : self }
        let rest = without(below)
        let isGone =
            switch rest.content {
            case .mapping(let entries, let style): entries.isEmpty && (isAdded || style == .block)
            case .sequence(let items, let style): items.isEmpty && (isAdded || style == .block)
            case .scalar: false
            }
        return isGone ? nil : rest
    }
}

extension [ArraySlice<AdditionPath.Step>] {
    /// The paths that begin with a step, without it.
    fileprivate func behind(_ step: AdditionPath.Step) -> Self {
        filter { $0.first == step }.map { $0.dropFirst() }
    }
}
