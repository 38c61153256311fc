import LinuxBindings

extension ControlGroupLookup {
    /// The most cgroups that are looked into, of a machine that may have very many.
    private static let limit = 4096

    /// Refuses a plan that would cut off whoever is there already, or the daemon.
    ///
    /// `established` are the paths of fences that are in force: what is refused today may go on being refused.
    package func checkResidents(_ groups: ControlGroups, daemon: Owner, established: Set<String>)
        throws(ControlGroupProblem)
    {
        for process in Self.processes where Self.owner(of: process) == daemon {
            guard let path = try? controlGroup(ofProcess: "\(process)"),
                let group = groups.captured.first(where: { isWithin(path, $0.path) })
            else { continue }
            throw .daemonInside(group.path, process: process, daemon)
        }
        for fence in groups.fences where fence.path != Self.ownSlice && !established.contains(fence.path) {
            let neighbors = neighbors(in: fence, of: groups, daemon: daemon)
            guard neighbors.isEmpty else {
                let path = (groups.captured.map(\.path) + groups.absent).first { Self.fencePath(of: $0) == fence.path }
                throw .sharedParent(path ?? fence.path, parent: fence.path, neighbors: neighbors)
            }
        }
    }

    /// Some of the cgroups whose processes a fence refuses: neither captured, nor the daemon's, nor this program itself.
    package func neighbors(in fence: ControlGroup, of groups: ControlGroups, daemon: Owner) -> [String] {
        let residents = residents(of: fence.path, but: groups.captured.map(\.path))
        let others = residents.found.filter {
            $0.process != processIdentifier() && Self.owner(of: $0.process) != daemon
        }
        // Where not all were looked into, nobody knows that there is nobody.
        let unseen = "what is in more than \(Self.limit) cgroups, or in one that cannot be read"
        let unknown = residents.isWhole ? [] : [unseen]
        return Array(Set(others.map { $0.path }).sorted().prefix(5)) + unknown
    }

    /// All processes that can be seen.
    private static var processes: [Int32] {
        // A machine has at most four million.
        guard let folder = try? openFile("/proc", [.readOnly, .directory]),
            let names = try? namesInDirectory(folder, limit: 1 << 23)
        else { return [] }
        return names.compactMap { Int32($0) }
    }

    private func residents(
        of path: String,
        but excluded: [String]
    ) -> (found: [(path: String, process: Int32)], isWhole: Bool) {
        let (paths, isWhole) = tree.paths(below: path, limit: Self.limit)
        let others = paths.filter { path in !excluded.contains { isWithin(path, $0) } }
        return (others.flatMap { path in tree.processes(of: path).map { (path, $0) } }, isWhole)
    }

    /// The effective user and group of a process; `nil` where it has gone.
    private static func owner(of process: Int32) -> Owner? {
        guard let bytes = try? readFile("/proc/\(process)/status", limit: 1 << 16) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let effective = { (key: String) in
            lines.first { $0.hasPrefix(key) }.flatMap { line in
                line.split(whereSeparator: \.isWhitespace).dropFirst(2).first.flatMap { decimal($0) }
            }
        }
        guard let user = effective("Uid:"), let group = effective("Gid:") else { return nil }
        return Owner(user: user, group: group)
    }
}
