import NetworkTypes

/// What a rule does with what it matches.
package enum RuleAction: String, Hashable, Sendable, CaseIterable {
    case allow
    case deny
    /// Allows, and never looks inside.
    case tunnel
    /// Allows, and looks inside: TLS is ended on both sides.
    case inspect
}

/// What a rule asks of the server name of a TLS client.
package enum ServerNamePresence: String, Hashable, Sendable, CaseIterable {
    case present
    case absent
}

/// What a rule matches: every key that is there must hold, and any item of its list may.
///
/// An empty list holds for nothing.
package struct RuleMatch: Hashable, Sendable {
    package var hosts: [HostPattern]?
    package var cidrs: [CIDR]?
    package var ports: [ClosedRange<UInt16>]?
    package var protocols: Set<ApplicationProtocol>?
    /// Whether a TLS client says a server name; no other protocol holds it.
    package var sni: ServerNamePresence?
    package var uids: Set<UInt32>?
    package var namespaces: Set<String>?
    package var serviceAccounts: Set<String>?
    /// Where a client is that comes through a gateway.
    package var clientBlocks: [CIDR]?
    package var times: [TimeWindow]?
    /// What it asks of a request; what is no request, or cannot be read, does not hold it.
    package var http: RequestMatch?
    /// What it asks of the calls in a request's body; what calls nothing, or cannot be read, does not hold it.
    package var mcp: CallMatch?

    /// True where it asks for what only a request tells.
    package var looksInside: Bool { http != nil || mcp != nil }

    package init(
        hosts: [HostPattern]? = nil,
        cidrs: [CIDR]? = nil,
        ports: [ClosedRange<UInt16>]? = nil,
        protocols: Set<ApplicationProtocol>? = nil,
        sni: ServerNamePresence? = nil,
        uids: Set<UInt32>? = nil,
        namespaces: Set<String>? = nil,
        serviceAccounts: Set<String>? = nil,
        clientBlocks: [CIDR]? = nil,
        times: [TimeWindow]? = nil,
        http: RequestMatch? = nil,
        mcp: CallMatch? = nil
    ) {
        self.hosts = hosts
        self.cidrs = cidrs
        self.ports = ports
        self.protocols = protocols
        self.sni = sni
        self.uids = uids
        self.namespaces = namespaces
        self.serviceAccounts = serviceAccounts
        self.clientBlocks = clientBlocks
        self.times = times
        self.http = http
        self.mcp = mcp
    }
}

/// One rule of a policy.
package struct Rule: Hashable, Sendable {
    package var name: RuleName { storage.name }
    package var action: RuleAction { storage.action }
    package var match: RuleMatch { storage.match }
    package var terms: RuleTerms { storage.terms }
    /// The ports that hold, the ones that the language implies among them; `nil` for any.
    package var ports: [ClosedRange<UInt16>]? { storage.ports }
    /// The protocols that hold, those among them that the language implies; `nil` for any.
    var protocols: ProtocolSet? { storage.protocols }
    /// True where the rule asks for what traffic has no part in: who the workload is, and what time it is.
    var asksForCircumstances: Bool { storage.asksForCircumstances }
    /// The hosts in the form in which they are found; `nil` where they are few, and compared one by one.
    var hostTable: HostTable<[Int]>? { storage.hostTable }
    /// A rule is copied for every question, and its parts are many: one reference is cheaper.
    private let storage: Storage

    private final class Storage: Sendable {
        let name: RuleName
        let action: RuleAction
        let match: RuleMatch
        let terms: RuleTerms
        let ports: [ClosedRange<UInt16>]?
        let protocols: ProtocolSet?
        let asksForCircumstances: Bool
        let hostTable: HostTable<[Int]>?

        init(_ name: RuleName, _ action: RuleAction, _ match: RuleMatch, _ terms: RuleTerms) {
            self.name = name
            self.action = action
            self.match = match
            self.terms = terms
            // A name is allowed for the web unless the rule says more; a deny is as wide as it can be.
            let impliesWeb = match.ports == nil && match.hosts != nil && action != .deny
            ports = impliesWeb ? [80...80, 443...443] : match.ports
            protocols = Self.protocols(action, match)
            hostTable = match.hosts.flatMap { $0.count > 16 ? HostTable([(patterns: $0, place: 0)]) : nil }
            asksForCircumstances =
                match.uids != nil || match.namespaces != nil || match.serviceAccounts != nil
                || match.clientBlocks != nil || match.times != nil
        }

        /// A server name is said in TLS alone, and only TLS and plain HTTP can be looked into.
        private static func protocols(_ action: RuleAction, _ match: RuleMatch) -> ProtocolSet? {
            var possible = match.protocols.map { ProtocolSet($0) } ?? .all
            if match.sni != nil { possible.formIntersection(.tls) }
            if action == .inspect { possible.formIntersection([.tls, .http]) }
            return possible == .all ? nil : possible
        }
    }

    package init(_ name: RuleName, _ action: RuleAction, _ match: RuleMatch, _ terms: RuleTerms = RuleTerms()) {
        storage = Storage(name, action, match, terms)
    }

    package static func == (one: Rule, other: Rule) -> Bool {
        one.storage === other.storage
            || one.name == other.name && one.action == other.action && one.match == other.match
                && one.terms == other.terms
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(action)
        hasher.combine(match)
        hasher.combine(terms)
    }
}
