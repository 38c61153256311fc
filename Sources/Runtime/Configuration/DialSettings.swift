import NetworkTypes
import SourceDocuments

/// How the daemon resolves names and reaches upstream.
package struct DialSettings: Hashable, Sendable {
    /// The DNS servers; empty: those of `/etc/resolv.conf`, read once at the start.
    package var resolvers: [SocketAddress] = []
    /// A file of names that never go to DNS; `nil`: none.
    package var hostsFile: String?
    /// What certificates of upstream servers are checked against.
    package var trust: [TrustSource] = [.system]
    /// How long connecting to upstream may take, name resolution included.
    package var timeout = Duration.seconds(10)
    /// How long one server is waited for in the first round.
    package var queryTimeout = Duration.milliseconds(2000)
    /// How many rounds over the servers.
    package var queryTries = 2
    /// The bounds, in seconds, within which a DNS server's time to live is believed.
    package var secondsToLive: ClosedRange<Int> = 1...300
    /// How long, in seconds, it is remembered that a name does not exist.
    package var negativeSeconds = 5
    /// How many names each loop remembers.
    package var cacheNames = 4096

    /// Where trusted certificates come from.
    package enum TrustSource: Hashable, Sendable {
        /// The machine's own.
        case system
        /// A PEM file.
        case file(String)
    }

    package init() {}
}

extension DialSettings {
    static func read(_ reader: inout MappingReader) -> DialSettings? {
        var settings = DialSettings()
        settings.resolvers = resolvers(&reader) ?? settings.resolvers
        settings.hostsFile =
            reader.value("hosts_file") { node, subject throws(SourceProblem) in
                if case .string("none") = node.content { return nil }
                return try node.absolutePath(subject)
            } ?? nil
        settings.trust = trust(&reader) ?? settings.trust
        settings.timeout = reader.integer("timeout_seconds", in: 1...120).map { .seconds($0) } ?? settings.timeout
        settings.queryTimeout =
            reader.integer("query_milliseconds", in: 50...30_000).map { .milliseconds($0) } ?? settings.queryTimeout
        settings.queryTries = reader.integer("query_tries", in: 1...10) ?? settings.queryTries
        settings.secondsToLive =
            reader.mapping("ttl_seconds") { bounds(&$0, settings.secondsToLive) }
            ?? settings.secondsToLive
        settings.negativeSeconds = reader.integer("negative_seconds", in: 1...60) ?? settings.negativeSeconds
        settings.cacheNames = reader.integer("cache_names", in: 0...1_000_000) ?? settings.cacheNames
        return settings
    }

    private static func resolvers(_ reader: inout MappingReader) -> [SocketAddress]? {
        let place = reader.location(of: "resolvers")
        let servers = reader.list("resolvers", of: "addresses") { node, subject throws(SourceProblem) in
            (server: try node.server(subject), place: node.location)
        }
        guard let servers else { return nil }
        var seen: Set<SocketAddress> = []
        for (server, place) in servers where !seen.insert(server).inserted {
            reader.note(SourceProblem("\(server) is in `resolvers` already", at: place))
        }
        // Each is waited for in turn: more than a few only make a failure take longer.
        guard servers.count <= 8 else {
            reader.note(SourceProblem("`resolvers` has \(servers.count) items, expected 8 at most", at: place))
            return nil
        }
        return reader.notEmpty(servers.map(\.server), "resolvers")
    }

    /// Reads `trust`: `system`, and paths.
    static func trust(_ reader: inout MappingReader) -> [TrustSource]? {
        let sources = reader.list("trust", of: "`system` or paths") { node, subject throws(SourceProblem) in
            if case .string("system") = node.content { return TrustSource.system }
            return .file(try node.absolutePath(subject, expected: "`system` or an absolute path"))
        }
        return sources.flatMap { reader.notEmpty($0, "trust") }
    }

    private static func bounds(_ reader: inout MappingReader, _ standard: ClosedRange<Int>) -> ClosedRange<Int>? {
        let low = reader.integer("min", in: 1...86_400) ?? standard.lowerBound
        let high = reader.integer("max", in: 1...86_400) ?? max(standard.upperBound, low)
        guard low <= high else {
            reader.note(
                SourceProblem("`min` is \(low), more than `max`, which is \(high)", at: reader.location(of: "min"))
            )
            return nil
        }
        return low...high
    }
}
