import SourceDocuments

extension Overlay {
    /// Every place where something of its own comes to stand, once it is put into this node.
    ///
    /// What is made because it was not there is named with what is put into it, so that more may come in later and stay.
    package func additions(to node: LayoutNode?, at path: AdditionPath = AdditionPath()) -> [AdditionPath] {
        let made = node == nil ? [path] : []
        switch self {
        case .value: return [path]
        case .keys(let entries):
            return made
                + entries.filter { !$0.overlay.isEmpty }.flatMap { entry in
                    entry.overlay.additions(to: node?.entry(entry.key)?.value, at: path.key(entry.key))
                }
        case .items(let first, let last):
            return made + (first + last).compactMap { $0.itemName.map(path.item) }
        case .within(let overlays, let first):
            let items = node?.items ?? []
            let inside = overlays.sorted { $0.key < $1.key }.flatMap { index, overlay in
                guard items.indices.contains(index), let name = items[index].itemName else { return [AdditionPath]() }
                return overlay.additions(to: items[index], at: path.item(name))
            }
            return made + first.compactMap { $0.itemName.map(path.item) } + inside
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
