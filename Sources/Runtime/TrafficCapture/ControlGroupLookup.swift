/// Which cgroups are meant, and how they are looked up.
package struct ControlGroupLookup: Hashable, Sendable {
    package let tree: ControlGroupTree
    private let paths: [String]
    private let allowsSharedParents: Bool

    /// What is ours as a whole: inside, the fence is the slice itself and not only the cgroup just above.
    package static let ownSlice = "penstock.slice"

    /// Looks for the hierarchy; `nil` where no cgroups are asked for.
    package init?(_ settings: CaptureSettings) throws(ControlGroupProblem) {
        guard !settings.cgroups.isEmpty else { return nil }
        tree = try ControlGroupTree()
        paths = settings.cgroups
        allowsSharedParents = settings.allowsSharedParents
    }

    /// The cgroups as they are at this moment.
    package func find() throws(ControlGroupProblem) -> ControlGroups {
        var groups = ControlGroups()
        var seen: Set<String> = []
        for path in paths where seen.insert(path).inserted {
            // What is inside another one that is captured needs nothing of its own.
            guard !paths.contains(where: { $0 != path && isWithin(path, $0) }) else { continue }
            if let group = try tree.group(path) { groups.captured.append(group) } else { groups.absent.append(path) }
            try addFence(above: path, to: &groups)
        }
        return groups
    }

    private func addFence(above path: String, to groups: inout ControlGroups) throws(ControlGroupProblem) {
        let fence = Self.fencePath(of: path)
        guard !Self.isShared(fence) else {
            guard allowsSharedParents else { throw .sharedParent(path, parent: fence, neighbors: []) }
            return Self.add(fence.isEmpty ? "/" : fence, to: &groups.unfenced)
        }
        if allowsSharedParents, fence != Self.ownSlice { return Self.add(fence, to: &groups.unfenced) }
        guard let group = try tree.group(fence) else { throw .noParent(path, parent: fence) }
        Self.add(group, to: &groups.fences)
    }

    private static func add<Item: Equatable>(_ item: Item, to items: inout [Item]) {
        if !items.contains(item) { items.append(item) }
    }

    /// The cgroup above, or, in `penstock.slice`, that slice: it holds too where a slice within is made again.
    package static func fencePath(of path: String) -> String {
        let parent = parentPath(path)
        return isWithin(parent, ownSlice) ? ownSlice : parent
    }

    /// True for cgroups that systemd and container engines fill with other people's services.
    package static func isShared(_ path: String) -> Bool {
        guard let name = pathNames(path).last else { return true }
        return sharedNames.contains(String(name)) || name.hasPrefix("user@") || name.hasPrefix("kubepods")
            || name.hasPrefix("user-") && name.hasSuffix(".slice")
    }

    private static let sharedNames: Set<String> = [
        "system.slice", "user.slice", "machine.slice", "init.scope", "app.slice", "session.slice", "background.slice",
        "docker", "lxc", "libpod_parent",
    ]

    /// The directories in which a cgroup of the plan, or one above it, can come or go.
    package var watched: [String] {
        let ancestors = paths.flatMap { path in
            (0..<pathNames(path).count).map { pathNames(path).prefix($0).joined(separator: "/") }
        }
        return Set(ancestors).sorted().map(tree.directory)
    }
}
