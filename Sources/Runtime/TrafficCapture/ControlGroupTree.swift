import LinuxBindings

/// The unified hierarchy of cgroups, at the place where it is mounted.
package struct ControlGroupTree: Hashable, Sendable {
    /// The directory of its root.
    package let root: String

    /// The number that the kernel gives to the first cgroup namespace (`PROC_CGROUP_INIT_INO`).
    private static let firstNamespace = "cgroup:[4026531835]"

    /// Finds the hierarchy.
    ///
    /// In a cgroup namespace of its own a process sees the tree from some cgroup on, and whether the kernel's rules count levels
    /// from there depends on its version: it is refused.
    package init() throws(ControlGroupProblem) {
        guard linkTarget("/proc/self/ns/cgroup") == Self.firstNamespace else { throw .namespace }
        let mountinfo: [UInt8]
        do throws(SystemCallError) {
            mountinfo = try readFile("/proc/self/mountinfo", limit: 1 << 22)
        } catch { throw .unreadable("/proc/self/mountinfo", error) }
        let mounts = ControlGroupMounts(mountinfo: mountinfo)
        let found = mounts.whole.first { mount in Self.status(mount.path)?.device == mount.device }
        guard let found else { throw mounts.hasParts ? .partlyMounted : .notMounted }
        root = found.path
    }

    /// The directory of a cgroup; the empty path is the root.
    package func directory(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

    /// The cgroup of this path as it is now; `nil` where there is none.
    package func group(_ path: String) throws(ControlGroupProblem) -> ControlGroup? {
        do throws(SystemCallError) {
            let status = try fileStatus(openFile(directory(path), [.readOnly, .directory, .noFollow]))
            return ControlGroup(path: path, level: UInt32(clamping: pathNames(path).count), number: status.inode)
        } catch {
            guard !error.isMissing, !error.isGone else { return nil }
            throw .unreadable(directory(path), error)
        }
    }

    /// The paths of the cgroups below one, itself included; where there are more than `limit`, or one cannot be read, some of them, and
    /// not the whole.
    func paths(below path: String, limit: Int) -> (paths: [String], isWhole: Bool) {
        var paths = [path]
        var next = 0
        while next < paths.count {
            guard paths.count <= limit else { return (paths, false) }
            let parent = paths[next]
            next += 1
            do throws(SystemCallError) {
                guard let names = try children(of: parent, limit: limit) else { return (paths, false) }
                paths += names.map { parent.isEmpty ? $0 : "\(parent)/\($0)" }
            } catch {
                guard error.isMissing || error.isGone else { return (paths, false) }
            }
        }
        return (paths, true)
    }

    /// The names of the cgroups right below one; `nil` where its directory has more than `limit` entries.
    private func children(of path: String, limit: Int) throws(SystemCallError) -> [String]? {
        let folder = try openFile(directory(path), [.readOnly, .directory])
        guard let names = try namesInDirectory(folder, limit: limit) else { return nil }
        var children: [String] = []
        for name in names where (try? fileStatus(below: folder, name))?.isDirectory == true { children.append(name) }
        return children
    }

    /// The processes of a cgroup, without those of the cgroups below it.
    func processes(of path: String) -> [Int32] {
        // A machine has at most four million processes, of eight octets each: nobody can make the list too long to be read.
        guard let bytes = try? readFile(directory(path) + "/cgroup.procs", limit: 1 << 26) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }
    }

    private static func status(_ path: String) -> FileStatus? {
        guard let folder = try? openFile(path, [.readOnly, .directory]) else { return nil }
        return try? fileStatus(folder)
    }
}

/// The names of a cgroup's path, from the root on.
func pathNames(_ path: String) -> [Substring] { path.split(separator: "/") }

/// The path of the cgroup above; empty for the root.
func parentPath(_ path: String) -> String { pathNames(path).dropLast().joined(separator: "/") }

/// True where a cgroup is this one or one below it.
func isWithin(_ path: String, _ ancestor: String) -> Bool { path == ancestor || path.hasPrefix(ancestor + "/") }
