import PolicyEngine

/// The paths as a rule lists them: each by itself, or, where they are too many, what they have in common.
///
/// Those that share the most segments are put together first, three at least, until few enough are left.
func pathPatterns(_ paths: [CanonicalPath], limit: Int) -> [PathPattern] {
    var exact = Set(paths.map(\.text))
    var below: Set<String> = []
    var depth = min(mostDepth, paths.map { folders(of: $0.text).count }.max() ?? 0)
    while exact.count + below.count > max(1, limit), depth > 0 {
        let groups = Dictionary(grouping: exact.union(below)) { folder(of: $0, depth: depth) }
        for (folder, members) in groups {
            guard let folder, members.count >= 3 || depth == 1 else { continue }
            exact.subtract(members)
            below.subtract(members)
            below.insert(folder)
        }
        depth -= 1
    }
    let patterns = exact.map { ($0, false) } + below.map { ($0, true) }
    return patterns.sorted { $0 < $1 }.compactMap { text, isBelow in
        guard let path = try? CanonicalPath(text) else { return nil }
        return isBelow ? .below(path) : .exact(path)
    }
}

/// What paths have in common is looked for in so many segments at most: a path may have thousands, and each depth is gone through.
private let mostDepth = 32

/// What a path lies below: `/`, `/v1/`, `/v1/files/`.
private func folders(of path: String) -> [Substring] {
    path.indices.filter { path[$0] == "/" }.map { path[...$0] }
}

private func folder(of path: String, depth: Int) -> String? {
    let folders = folders(of: path)
    return folders.count >= depth ? String(folders[depth - 1]) : nil
}

private func < (one: (String, Bool), other: (String, Bool)) -> Bool {
    one.0 != other.0 ? one.0 < other.0 : !one.1 && other.1
}
