import NetworkTypes

/// Where a secret may go, as the daemon's configuration says: who may write policies may not always say where secrets go.
package struct SecretScope: Hashable, Sendable {
    /// `nil`: wherever the policy says.
    package var hosts: Set<HostName>?

    package init(hosts: Set<HostName>? = nil) {
        self.hosts = hosts
    }

    /// The first of a rule's hosts that it may not go to; a pattern is more than one host.
    func stranger(among patterns: [HostPattern]) -> HostPattern? {
        guard let hosts else { return nil }
        return patterns.first { pattern in
            switch pattern {
            case .exact(let name): !hosts.contains(name)
            case .below: true
            }
        }
    }
}
