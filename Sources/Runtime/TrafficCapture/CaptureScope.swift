/// Whose traffic is captured and fenced.
package enum CaptureScope: Hashable, Sendable {
    /// All that leaves this network namespace: a pod's.
    case everything
    /// What comes from sockets of these cgroups and of those below them; everybody else on the machine is left alone.
    case controlGroups([ControlGroup])
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

/// How the kernel hands a connection over.
package enum CaptureMechanism: String, CaseIterable, Hashable, Sendable {
    /// Its destination is rewritten (nat); the daemon needs no capability, and asks the kernel for the original one.
    case redirect
    /// It is routed to this machine unchanged (TPROXY): the daemon's socket has the original destination as its own address.
    case tproxy
}
