/// Whose traffic is captured and fenced.
package enum CaptureScope: Hashable, Sendable {
    /// All that leaves this network namespace: a pod's.
    case everything
    /// What comes from sockets of these cgroups and of those below them; everybody else on the machine is left alone.
    case controlGroups(ControlGroups)
    /// What other machines or containers send through this one, by these interfaces.
    case gateway([String])
}

/// A cgroup of the unified hierarchy (cgroup v2), as the kernel's rules know it.
package struct ControlGroup: Hashable, Sendable {
    /// Below the root of the hierarchy, without a slash in front: `penstock.slice/agent.service`.
    package var path: String
    /// How many names `path` has: the root is at level 0.
    package var level: UInt32
    /// The kernel's 64-bit number of it: its directory's inode.
    ///
    /// A cgroup that is made again has another one.
    package var number: UInt64

    package init(path: String, level: UInt32, number: UInt64) {
        self.path = path
        self.level = level
        self.number = number
    }
}

/// The cgroups of a plan, as they were found at one moment.
package struct ControlGroups: Hashable, Sendable {
    /// Those that are to be captured and are there.
    package var captured: [ControlGroup]
    /// Those that are to be captured and are not there (yet): paths.
    package var absent: [String]
    /// Cgroups above them: whatever else is in one of these is refused, so that a cgroup that was made again is not free
    /// until its rule has been swapped.
    package var fences: [ControlGroup]
    /// Cgroups above them that others share, and that are not fenced because the operator said so: paths, `/` for the root.
    package var unfenced: [String]

    package init(
        captured: [ControlGroup] = [],
        absent: [String] = [],
        fences: [ControlGroup] = [],
        unfenced: [String] = []
    ) {
        self.captured = captured
        self.absent = absent
        self.fences = fences
        self.unfenced = unfenced
    }
}

/// How the kernel hands a connection over.
package enum CaptureMechanism: String, CaseIterable, Hashable, Sendable {
    /// Its destination is rewritten (nat); the daemon needs no capability, and asks the kernel for the original one.
    case redirect
    /// It is routed to this machine unchanged (TPROXY): the daemon's socket has the original destination as its own address.
    case tproxy
}

extension ControlGroups {
    /// What is captured and what is refused, one line each.
    package var lines: [String] {
        captured.map { "cgroup: \($0.path) is captured (level \($0.level), number \($0.number))" }
            + absent.map { "cgroup: \($0) is not there: it is captured once penstock-init watch, or install, finds it" }
            + fences.map { "fence: whatever else is in \($0.path) is refused, but for the daemon" }
    }
}
