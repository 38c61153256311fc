import LinuxBindings

/// A stay of this process in a child of a cgroup, so that a socket made meanwhile belongs to it.
///
/// A child, because a cgroup that hands out controllers may not have processes of its own.
struct ControlGroupVisit: ~Copyable {
    private let home: String
    private let place: String

    /// Enters; needs the right to write to the cgroups, which root has where they are mounted to be written to.
    init(_ group: ControlGroup, of tree: ControlGroupTree) throws(SystemCallError) {
        let own = tree.directory(try ownControlGroup())
        let child = tree.directory(group.path) + "/penstock-probe-\(processIdentifier())"
        try Self.enter(child)
        home = own
        place = child
    }

    private static func enter(_ child: String) throws(SystemCallError) {
        try makeDirectory(child, mode: 0o755)
        do throws(SystemCallError) {
            try move(to: child)
        } catch {
            try? removeDirectory(child)
            throw error
        }
    }

    /// Goes back to where the process came from; a child that cannot be removed holds nobody, and is left.
    consuming func end() {
        try? Self.move(to: home)
        try? removeDirectory(place)
    }

    private static func move(to directory: String) throws(SystemCallError) {
        let file = try openFile(directory + "/cgroup.procs", [.readWrite])
        let bytes: [UInt8] = [UInt8(ascii: "0")]
        _ = try writeBytes(file, bytes.span)
    }
}

/// The path of this process's own cgroup below the root of the unified hierarchy, without a slash in front; empty for the root.
package func ownControlGroup() throws(SystemCallError) -> String { try controlGroup(ofProcess: "self") }

/// The same for a process, by its name in /proc.
func controlGroup(ofProcess process: String) throws(SystemCallError) -> String {
    let lines = try readFile("/proc/\(process)/cgroup", limit: 1 << 16).split(separator: UInt8(ascii: "\n"))
    let line = lines.map { String(decoding: $0, as: UTF8.self) }.first { $0.hasPrefix("0::/") }
    return line.map { String($0.dropFirst(4)) } ?? ""
}
