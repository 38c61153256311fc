import SourceDocuments

/// Puts an overlay into the text of a document: works out which bytes come where.
///
/// Nothing that is there is written anew. Lists and mappings of lines get lines in their own indentation; those in brackets
/// get items behind a comma. Where a text cannot be edited in place, the place is named and nothing is guessed.
package struct Splicing {
    let text: ManifestText
    let indentation: Indentation
    /// True of a document that is JSON, or writes like it: keys and text in quotes.
    let isQuoted: Bool
    /// The whole document: its aliases may stand for what is edited.
    package let document: LayoutNode
    package private(set) var edits: [TextEdit] = []
    package private(set) var problems: [SourceProblem] = []

    /// Makes ready for the pods of one document, whose layout is looked at here and not again.
    ///
    /// - Parameters:
    ///   - document: the whole document around them.
    ///   - text: the text of all documents.
    package init(_ document: LayoutNode, in text: ManifestText) {
        self.text = text
        self.document = document
        indentation = Indentation(of: document, in: text)
        isQuoted = document.writesLikeJSON(text)
    }

    /// Works out the changes that put an overlay into a node of the document, or why they cannot be made.
    package mutating func put(_ overlay: Overlay, into target: LayoutNode) {
        put(overlay, into: target, behind: nil)
    }

    private mutating func put(_ overlay: Overlay, into node: LayoutNode, behind key: LayoutNode.Entry?) {
        guard !overlay.isEmpty else { return }
        if let reason = unsafeReason(node) {
            problems.append(SourceProblem(reason.0, at: node.location, remedy: reason.1))
            return
        }
        switch (overlay, node.content) {
        case (.keys(let entries), .mapping(let present, let style)):
            for entry in entries {
                guard let old = present.first(where: { $0.key == entry.key }) else { continue }
                put(entry.overlay, into: old.value, behind: old)
            }
            let new = entries.filter { entry in
                !entry.overlay.isEmpty && !present.contains { $0.key == entry.key }
            }
            append(new.map { Fragment.Entry($0.key, $0.overlay.fragment) }, to: node, present, style)
        case (.items(let first, let last), .sequence(let items, let style)):
            put(first, inFrontOf: items, of: node, style, behind: key)
            put(last, behindAll: items, of: node, style)
        case (.within(let overlays, let first), .sequence(let items, let style)):
            put(first, inFrontOf: items, of: node, style, behind: key)
            for (index, item) in items.enumerated() {
                if let overlay = overlays[index] { put(overlay, into: item, behind: nil) }
            }
        case (.value, _), (.keys, _), (.items, _), (.within, _):
            problems.append(cannotHold(node, key))
        }
    }

    private func cannotHold(_ node: LayoutNode, _ key: LayoutNode.Entry?) -> SourceProblem {
        let subject = key.map { "`\($0.key)`" } ?? "this"
        return SourceProblem(
            "\(subject) is \(node.isNull ? "empty" : "not of the kind that is needed"), and more has to be put into it",
            at: key?.keyLocation ?? node.location,
            remedy: node.isNull ? "remove the key" : "see the reference of the Kubernetes API"
        )
    }

    private func unsafeReason(_ node: LayoutNode) -> (String, String)? {
        if let alias = node.alias {
            return ("the alias `*\(alias)` cannot be edited for this place alone", "write the value out")
        }
        if let anchor = node.anchor, document.hasAlias(of: anchor) {
            return (
                "what `&\(anchor)` names is used elsewhere too, so it cannot be edited for this place alone",
                "write the value out where `*\(anchor)` stands"
            )
        }
        if let tag = node.tag { return ("the tag `\(tag)` is not understood here", "remove it") }
        return nil
    }
}

extension Splicing {
    /// More entries behind those of a mapping.
    private mutating func append(
        _ new: [Fragment.Entry],
        to node: LayoutNode,
        _ present: [LayoutNode.Entry],
        _ style: LayoutNode.CollectionStyle
    ) {
        guard !new.isEmpty else { return }
        switch style {
        case .block:
            guard let first = present.first, let last = present.last else { return }
            let column = text.column(of: first.keyRange.lowerBound)
            let lines = new.flatMap { $0.lines(column: column, indentation) }
            insert(lines, behind: last.value.reaching(last.keyRange))
        case .flow:
            let ends = present.map { ($0.keyRange.lowerBound, max($0.keyRange.upperBound, $0.value.range.upperBound)) }
            let column = bracketColumn(of: node, ends.first?.0)
            put(inBrackets: node, behind: ends.last, new.map { self.written($0, column) }, column)
        }
    }

    /// Items in front of those that a list has.
    private mutating func put(
        _ new: [Fragment],
        inFrontOf items: [LayoutNode],
        of node: LayoutNode,
        _ style: LayoutNode.CollectionStyle,
        behind key: LayoutNode.Entry?
    ) {
        guard !new.isEmpty else { return }
        guard let first = items.first else { return put(new, behindAll: items, of: node, style) }
        switch style {
        case .block:
            guard let key, let dash = dashColumn(of: node) else { return problems.append(oddList(node)) }
            // Behind the key, so that comments stay with the items below them.
            let lines = new.flatMap { $0.itemLines(column: dash, indentation) }
            edits.append(text.insertion(of: lines, at: text.nextLine(after: key.keyRange.upperBound)))
        case .flow:
            let start = first.range.lowerBound
            let column = bracketColumn(of: node, start)
            let separator = column.map { "," + text.lineBreak + padding($0) } ?? ", "
            let parts = new.map { self.written($0, column) }
            edits.append(TextEdit(start..<start, parts.joined(separator: separator) + separator))
        }
    }

    /// Items behind those that a list has.
    private mutating func put(
        _ new: [Fragment],
        behindAll items: [LayoutNode],
        of node: LayoutNode,
        _ style: LayoutNode.CollectionStyle
    ) {
        guard !new.isEmpty else { return }
        switch style {
        case .block:
            guard let last = items.last, let dash = dashColumn(of: node) else { return problems.append(oddList(node)) }
            let lines = new.flatMap { $0.itemLines(column: dash, indentation) }
            insert(lines, behind: last)
        case .flow:
            let column = bracketColumn(of: node, items.first?.range.lowerBound)
            let last = items.last.map { ($0.range.lowerBound, $0.range.upperBound) }
            put(inBrackets: node, behind: last, new.map { self.written($0, column) }, column)
        }
    }

    private mutating func insert(_ lines: [String], behind node: LayoutNode) {
        let offset = text.nextLine(after: node)
        guard offset == text.bytes.count, text.endsInsideLine, let last = node.lastBlockScalar else {
            return edits.append(text.insertion(of: lines, at: offset))
        }
        problems.append(
            SourceProblem(
                "this text ends without a line break, and would get one",
                at: last.location,
                remedy: "end the file with a line feed"
            )
        )
    }

    private mutating func put(inBrackets node: LayoutNode, behind last: (Int, Int)?, _ new: [String], _ column: Int?) {
        let separator = column.map { "," + text.lineBreak + padding($0) } ?? ", "
        guard let last else {
            let inside = node.range.lowerBound + 1
            edits.append(TextEdit(inside..<inside, new.joined(separator: separator)))
            return
        }
        edits.append(TextEdit(last.1..<last.1, separator + new.joined(separator: separator)))
    }

    /// The column of what stands in brackets, where each item has a line of its own.
    private func bracketColumn(of node: LayoutNode, _ first: Int?) -> Int? {
        guard let first, text.isFirstOnLine(first) else { return nil }
        return text.column(of: first)
    }

    private func written(_ entry: Fragment.Entry, _ column: Int?) -> String {
        guard let column else { return entry.onOneLine(isQuoted: isQuoted) }
        return entry.onLines(column: column, step: indentation.step, isQuoted: isQuoted, lineBreak: text.lineBreak)
    }

    private func written(_ item: Fragment, _ column: Int?) -> String {
        guard let column else { return item.onOneLine(isQuoted: isQuoted) }
        return item.onLines(column: column, step: indentation.step, isQuoted: isQuoted, lineBreak: text.lineBreak)
    }

    private func dashColumn(of node: LayoutNode) -> Int? {
        let start = node.range.lowerBound
        guard start < text.bytes.count, text.bytes[start] == UInt8(ascii: "-"), text.isFirstOnLine(start) else {
            return nil
        }
        return text.column(of: start)
    }

    private func oddList(_ node: LayoutNode) -> SourceProblem {
        SourceProblem(
            "this list is written in a way that nothing can be put into",
            at: node.location,
            remedy: "begin each item on a line of its own, without an anchor in front of the list"
        )
    }
}

extension LayoutNode {
    /// The same value, ending no earlier than its key does.
    fileprivate func reaching(_ key: Range<Int>) -> LayoutNode {
        guard range.upperBound < key.upperBound || alias == nil && isNull && range.isEmpty else { return self }
        var node = self
        node.range = key
        return node
    }

    /// True where an alias of this name stands in it.
    fileprivate func hasAlias(of anchor: String) -> Bool {
        guard alias == nil else { return alias == anchor }
        return items.contains { $0.hasAlias(of: anchor) } || entries.contains { $0.value.hasAlias(of: anchor) }
    }

    /// True where the outermost mapping stands in brackets and its first key in quotes.
    fileprivate func writesLikeJSON(_ text: ManifestText) -> Bool {
        guard case .mapping(let entries, .flow) = content, let first = entries.first else { return false }
        return first.keyRange.lowerBound < text.bytes.count
            && text.bytes[first.keyRange.lowerBound] == UInt8(ascii: "\"")
    }
}
