/// What is put into a document: below each key, all that is new there.
package indirect enum Overlay: Hashable, Sendable {
    /// A value that is not there yet.
    case value(Fragment)
    /// More keys of a mapping, which is made where it is absent.
    case keys([Entry])
    /// More items of a list, which is made where it is absent.
    case items(first: [Fragment], last: [Fragment])
    /// More inside of the items that a list has already, by their index.
    case within([Int: Overlay], first: [Fragment])

    /// One key with what is new there.
    package struct Entry: Hashable, Sendable {
        package var key: String
        package var overlay: Overlay

        package init(_ key: String, _ overlay: Overlay) {
            self.key = key
            self.overlay = overlay
        }
    }

    /// Keys, in this order.
    package static func keys(_ entries: KeyValuePairs<String, Overlay>) -> Overlay {
        .keys(entries.map { Entry($0.key, $0.value) })
    }

    /// True where nothing is new.
    package var isEmpty: Bool {
        switch self {
        case .value: false
        case .keys(let entries): entries.allSatisfy { $0.overlay.isEmpty }
        case .items(let first, let last): first.isEmpty && last.isEmpty
        case .within(let overlays, let first): first.isEmpty && overlays.values.allSatisfy(\.isEmpty)
        }
    }

    /// What it makes where there was nothing.
    var fragment: Fragment {
        switch self {
        case .value(let value): value
        case .keys(let entries):
            .map(entries.filter { !$0.overlay.isEmpty }.map { Fragment.Entry($0.key, $0.overlay.fragment) })
        case .items(let first, let last): .list(first + last)
        case .within(_, let first): .list(first)
        }
    }
}

extension Fragment {
    /// What a document means once the overlay is in it.
    package func with(_ overlay: Overlay) -> Fragment {
        switch (self, overlay) {
        case (.map(var entries), .keys(let more)):
            for new in more where !new.overlay.isEmpty {
                if let index = entries.firstIndex(where: { $0.key == new.key }) {
                    entries[index].value = entries[index].value.with(new.overlay)
                } else {
                    entries.append(Entry(new.key, new.overlay.fragment))
                }
            }
            return .map(entries)
        case (.list(let items), .items(let first, let last)): return .list(first + items + last)
        case (.list(let items), .within(let overlays, let first)):
            return .list(
                first
                    + items.enumerated().map { index, item in
                        overlays[index].map { item.with($0) } ?? item
                    }
            )
        // What cannot be put in is left out, and the comparison with the new text fails.
        case (.text, _), (.word, _), (.map, _), (.list, _): return self
        }
    }
}
