/// What a rule says beside its action and its match.
package struct RuleTerms: Hashable, Sendable {
    /// `mode: audit`: what the rule would refuse is let through, and recorded as `would: deny` with the rule's name.
    package var isOnTrial: Bool
    /// A deny that looks inside leaves alone what a `tunnel` rule carries.
    package var exceptsTunnels: Bool
    package var rate: RateLimit?
    package var budget: Budget?
    package var limits: ContentLimits?
    /// What it changes in the heads of requests.
    package var headers: HeaderChanges?
    /// The secrets that it puts in.
    package var credentials: [Credential]
    /// By which ways what it allows goes out; `nil`: by those of the policy.
    package var egress: EgressList?

    package init(
        isOnTrial: Bool = false,
        exceptsTunnels: Bool = false,
        rate: RateLimit? = nil,
        budget: Budget? = nil,
        limits: ContentLimits? = nil,
        headers: HeaderChanges? = nil,
        credentials: [Credential] = [],
        egress: EgressList? = nil
    ) {
        self.isOnTrial = isOnTrial
        self.exceptsTunnels = exceptsTunnels
        self.rate = rate
        self.budget = budget
        self.limits = limits
        self.headers = headers
        self.credentials = credentials
        self.egress = egress
    }

    /// True where what the rule allows must be read to carry it out, bodies among it.
    package var looksAtContent: Bool { limits != nil }

    /// True where requests are not sent as they came: somebody must look inside.
    package var changesHeads: Bool { headers != nil || !credentials.isEmpty }
}

/// A stretch of time over which something is counted.
package enum CountingPeriod: String, Hashable, Sendable, CaseIterable {
    case second
    case minute
    case hour
    case day

    package var seconds: Int64 {
        switch self {
        case .second: 1
        case .minute: 60
        case .hour: 3600
        case .day: 86_400
        }
    }
}

/// What has a counter of its own.
package enum CountingScope: String, Hashable, Sendable, CaseIterable {
    /// Each workload: namespace, service account and user.
    case workload
    /// Each host that was asked for; each address where no name is known.
    case host
    /// The rule as a whole.
    case rule
}

/// `rate`: how many connections or requests a rule allows in a period.
package struct RateLimit: Hashable, Sendable {
    /// At least 1.
    package var limit: UInt64
    package var per: CountingPeriod
    package var by: CountingScope

    package init(limit: UInt64, per: CountingPeriod, by: CountingScope = .rule) {
        self.limit = limit
        self.per = per
        self.by = by
    }
}

/// `budget`: how much a rule lets through in a period, or for ever.
package struct Budget: Hashable, Sendable {
    /// Bytes that the agent sends; at least 1.
    package var bytesUp: UInt64?
    /// Connections or requests that are allowed; at least 1.
    package var requests: UInt64?
    /// `nil`: for ever.
    package var per: CountingPeriod?
    package var by: CountingScope

    package init(bytesUp: UInt64?, requests: UInt64?, per: CountingPeriod?, by: CountingScope = .rule) {
        self.bytesUp = bytesUp
        self.requests = requests
        self.per = per
        self.by = by
    }
}

/// `limits`: how large the content of one request, and of its answer, may be once it is decoded.
///
/// Of WebSocket, each message has these limits.
package struct ContentLimits: Hashable, Sendable {
    /// Octets from the agent; at least 1.
    package var requestBytes: UInt64?
    /// Octets to the agent; at least 1.
    package var responseBytes: UInt64?

    package init(requestBytes: UInt64? = nil, responseBytes: UInt64? = nil) {
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
    }
}
