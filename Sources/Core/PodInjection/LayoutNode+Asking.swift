import SourceDocuments

extension LayoutNode {
    /// The entry of a mapping; `nil` where there is none, or no mapping.
    package func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }

    /// The value of a key, where there is one that is not null.
    package func value(_ key: String) -> LayoutNode? {
        guard let value = entry(key)?.value, !value.isNull else { return nil }
        return value
    }

    /// The value behind several keys, one in the other.
    package func value(at keys: [String]) -> LayoutNode? {
        var node = self
        for key in keys {
            guard let next = node.value(key) else { return nil }
            node = next
        }
        return node
    }

    /// The entries of a mapping; empty where there is no mapping.
    package var entries: [Entry] {
        guard case .mapping(let entries, _) = content else { return [] }
        return entries
    }

    /// The items of a list; empty where there is no list.
    package var items: [LayoutNode] {
        guard case .sequence(let items, _) = content else { return [] }
        return items
    }

    /// The text of a scalar.
    package var text: String? {
        guard case .scalar(let text, _) = content else { return nil }
        return text
    }

    /// True of what stands for nothing.
    package var isNull: Bool {
        guard case .scalar(let text, .plain) = content else { return false }
        return ["", "~", "null"].contains(text.lowercased())
    }

    /// What it means, without its layout; anchors and aliases are followed, comments gone.
    package var fragment: Fragment {
        switch content {
        case .scalar(let text, .plain):
            isNull ? .word("") : Fragment.isWord(text) ? .word(text) : .text(text)
        case .scalar(let text, .quoted), .scalar(let text, .block): .text(text)
        case .sequence(let items, _): .list(items.map(\.fragment))
        case .mapping(let entries, _): .map(entries.map { Fragment.Entry($0.key, $0.value.fragment) })
        }
    }
}
