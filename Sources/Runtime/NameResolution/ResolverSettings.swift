import NetworkTypes

/// What a resolver is made with.
package struct ResolverSettings: Sendable {
    /// The servers that are asked, in the order in which they are tried, and nobody else.
    package var servers: [SocketAddress]
    /// Names that never go to DNS.
    package var hosts = HostsFile()
    /// How long one server is waited for in the first round; the second round waits twice as long.
    package var timeoutMilliseconds = 2000
    /// How many rounds over the servers.
    package var tries = 2
    /// Whether a server that will not or cannot answer is heard, instead of the next one being asked.
    package var hearsRefusals = false
    /// How long a lookup may take in all: both rounds of one server.
    package var deadlineMilliseconds = 6000
    /// How long the answer of one family waits for the other's (RFC 8305, section 3).
    package var resolutionDelayMilliseconds = 50
    /// The bounds within which a server's time to live is believed.
    package var secondsToLive: ClosedRange<Int> = 1...300
    /// How long it is remembered that a name or its addresses do not exist; every other failure for one second at most.
    package var negativeSeconds = 5
    /// How many names are remembered.
    package var cacheCapacity = 4096
    /// How many names may be asked for at a time, those among them that nobody waits for any more; one asker may have half of
    /// them, where nobody else has any.
    package var maximumLookups = 2048

    package init(servers: [SocketAddress]) {
        self.servers = servers
    }
}

/// Why there is no resolver.
package enum ResolverError: Error, Hashable, Sendable {
    /// The settings name no server.
    case noServers
    /// The library that asks could not be set up.
    case failed(ResolutionFailure)
}
