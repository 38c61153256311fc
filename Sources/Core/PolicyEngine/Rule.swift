import NetworkTypes

/// What a rule does with what it matches.
package enum RuleAction: String, Hashable, Sendable, CaseIterable {
    case allow
    case deny
    /// Allows, and never looks inside.
    case tunnel
}

/// What a rule matches: every key that is there must hold, and any item of its list may.
///
/// An empty list holds for nothing.
package struct RuleMatch: Hashable, Sendable {
    package var hosts: [HostPattern]?
    package var cidrs: [CIDR]?
    package var ports: [ClosedRange<UInt16>]?
    package var protocols: Set<ApplicationProtocol>?
    package var uids: Set<UInt32>?
    /// What it asks of a plain HTTP request; no other protocol holds it.
    package var http: RequestMatch?

    package init(
        hosts: [HostPattern]? = nil,
        cidrs: [CIDR]? = nil,
        ports: [ClosedRange<UInt16>]? = nil,
        protocols: Set<ApplicationProtocol>? = nil,
        uids: Set<UInt32>? = nil,
        http: RequestMatch? = nil
    ) {
        self.hosts = hosts
        self.cidrs = cidrs
        self.ports = ports
        self.protocols = protocols
        self.uids = uids
        self.http = http
    }
}

/// One rule of a policy.
package struct Rule: Hashable, Sendable {
    package let name: RuleName
    package let action: RuleAction
    package let match: RuleMatch
    /// The ports that hold, the ones that the language implies among them; `nil` for any.
    package let ports: [ClosedRange<UInt16>]?

    package init(_ name: RuleName, _ action: RuleAction, _ match: RuleMatch) {
        self.name = name
        self.action = action
        self.match = match
        // A name is allowed for the web unless the rule says more; a deny is as wide as it can be.
        let impliesWeb = match.ports == nil && match.hosts != nil && action != .deny
        ports = impliesWeb ? [80...80, 443...443] : match.ports
    }
}
