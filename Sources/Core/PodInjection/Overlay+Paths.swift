import SourceDocuments

extension Overlay {
    /// Every place where something of its own comes to stand, once it is put into this node.
    package func additions(to node: LayoutNode, at path: AdditionPath = AdditionPath()) -> [AdditionPath] {
        switch self {
        case .value: return [path]
        case .keys(let entries):
            return entries.filter { !$0.overlay.isEmpty }.flatMap { entry in
                let path = path.key(entry.key)
                return node.entry(entry.key).map { entry.overlay.additions(to: $0.value, at: path) } ?? [path]
            }
        case .items(let first, let last):
            return (first + last).compactMap { $0.itemName.map(path.item) }
        case .within(let overlays, let first):
            let inside = overlays.sorted { $0.key < $1.key }.flatMap { index, overlay in
                let item = node.items.indices.contains(index) ? node.items[index] : nil
                return item?.itemName.map { name in
                    overlay.additions(to: item ?? node, at: path.item(name))
                } ?? []
            }
            return first.compactMap { $0.itemName.map(path.item) } + inside
        }
    }
}

extension Fragment {
    /// By what an item of a list is known: its `name`, or itself.
    var itemName: String? {
        switch self {
        case .text(let text): return text
        case .map(let entries):
            guard case .text(let name)? = entries.first(where: { $0.key == "name" })?.value else { return nil }
            return name
        case .word, .list: return nil
        }
    }
}
