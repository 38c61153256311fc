import LinuxBindings
import SourceDocuments

/// Why cgroups cannot be captured.
package enum ControlGroupProblem: Error, Hashable, Sendable {
    case notMounted
    case partlyMounted
    case namespace
    case unreadable(String, SystemCallError)
    /// There is nothing above this cgroup that could be fenced: the path, and that of its missing parent.
    case noParent(String, parent: String)
    /// Fencing what is above this cgroup would cut others off; `neighbors` are some of them, where they were seen.
    case sharedParent(String, parent: String, neighbors: [String])
    /// A process of the daemon's user and group is in a cgroup that is to be captured.
    case daemonInside(String, process: Int32, Owner)
}

extension ControlGroupProblem: CustomStringConvertible {
    /// What is wrong, with what, and what to do.
    package var description: String { text { "--\($0.rawValue)" } }

    /// The same, each setting under the name that `name` gives it.
    private func text(_ name: (CaptureFlag) -> String) -> String {
        let cgroup = name(.cgroup)
        return switch self {
        case .notMounted:
            "\(cgroup): cgroup v2 is not mounted here (no cgroup2 in /proc/self/mountinfo): mount -t cgroup2 none /sys/fs/cgroup, "
                + "or give the container the host's /sys/fs/cgroup"
        case .partlyMounted:
            "\(cgroup): only a part of the cgroup v2 hierarchy is mounted here, so that nobody can tell how deep a cgroup lies: "
                + "mount it whole (mount -t cgroup2 none DIRECTORY)"
        case .namespace:
            "\(cgroup): this process is in a cgroup namespace of its own: run it in the host's (podman and docker: --cgroupns=host)"
        case .unreadable(let path, let error): "\(cgroup): \(path) cannot be read: \(error)"
        case .noParent(let path, let parent):
            "\(cgroup) \(path): the cgroup \(parent) above it is not there, so that nothing could hold what is made in it: make it "
                + "first (\(Self.making(parent)))"
        case .sharedParent(let path, let parent, let neighbors):
            "\(cgroup) \(path): everything else in \(Self.naming(parent)) would be refused, and "
                + (neighbors.isEmpty
                    ? "others live there" : "there is \(neighbors.joined(separator: ", "))")
                + ": move the service (drop-in Slice=penstock.slice, see deploy/systemd), or say \(name(.sharedParent)): then a cgroup "
                + "that is made again is free until its rule is swapped"
        case .daemonInside(let path, let process, let owner):
            "\(cgroup) \(path): process \(process) in it runs as \(owner), the daemon's user and group: the daemon would be captured "
                + "by its own rules; run it outside of that cgroup, and the workload as another user"
        }
    }

    private static func making(_ path: String) -> String {
        let name = pathNames(path).last ?? ""
        return name.hasSuffix(".slice") ? "systemctl start \(name)" : "mkdir"
    }

    private static func naming(_ path: String) -> String { path.isEmpty ? "the root cgroup" : path }

    /// The problem as one of the configuration file; `nil` where the command line names the cgroups.
    package func placed(in settings: CaptureSettings) -> SourceProblem? {
        guard case .file(let places) = settings.sources[.cgroup] else { return nil }
        let place = path.flatMap { settings.cgroups.firstIndex(of: $0) } ?? 0
        guard places.indices.contains(place) else { return nil }
        return SourceProblem(text { $0.name(in: settings) }, at: places[place])
    }

    /// The cgroup that was asked for; `nil` where it is not about one alone.
    private var path: String? {
        switch self {
        case .notMounted, .partlyMounted, .namespace, .unreadable: nil
        case .noParent(let path, _), .sharedParent(let path, _, _), .daemonInside(let path, _, _): path
        }
    }

    /// True where another value would help, and false where this machine has to be mended.
    package var isOfInput: Bool { path != nil }

    /// The exit status of the program (sysexits.h), where the command line names the cgroups.
    package var exitStatus: Int32 {
        switch self {
        case .notMounted, .partlyMounted, .namespace: 69
        case .unreadable: 70
        case .noParent, .sharedParent, .daemonInside: 64
        }
    }
}
