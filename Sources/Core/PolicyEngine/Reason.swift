/// Why a connection or a request was allowed or refused: the closed list of the audit trail.
package enum Reason: String, Hashable, Sendable, CaseIterable {
    /// An `allow` or `tunnel` rule matched.
    case ruleAllow = "rule_allow"
    /// A `deny` rule matched.
    case ruleDeny = "rule_deny"
    /// No rule matched, and the default is `allow`.
    case defaultAllow = "default_allow"
    /// No rule matched, and the default is `deny`.
    case defaultDeny = "default_deny"
    /// The original destination, or every address to be dialled, is special, and no `cidrs` of the rule name it.
    case specialAddress = "special_address"
    /// A `deny` rule names the address that was about to be dialled.
    case deniedAddress = "denied_address"
    /// The name's addresses lie outside the `cidrs` of the rule that allows the name.
    case outsideCIDRs = "outside_cidrs"
    /// The name has no address.
    case unresolvable
    /// The destination is one of the daemon's own listeners.
    case ownListener = "own_listener"
    /// No policy is loaded.
    case noPolicy = "no_policy"
    /// Nobody knows where the connection was going.
    case noOriginalDestination = "no_original_destination"
    /// The opening bytes begin a protocol and then break its rules.
    case malformedOpening = "malformed_opening"
    /// The name that the client asked for is no host name.
    case malformedName = "malformed_name"
    /// A request for a proxy came to the transparent listener.
    case proxyInCapture = "proxy_in_capture"
    /// Plain HTTP: not the connection is judged, but each of its requests.
    ///
    /// It refuses where a connection that was let through as a tunnel turns out to be plain HTTP.
    case perRequest = "per_request"
    /// A request breaks the rules of HTTP.
    case malformedRequest = "malformed_request"
    /// The path of a request could mean one thing here and another to the server.
    case ambiguousPath = "ambiguous_path"
    /// The method of a request differs in case alone from one that is registered, or that a rule names: servers may take it for that.
    case ambiguousMethod = "ambiguous_method"
    /// The name of a header field differs from one that a rule names in what some servers do not tell apart.
    case ambiguousField = "ambiguous_field"
    /// A deny asks for the query of a request, which servers could read in more than one way.
    case ambiguousQuery = "ambiguous_query"
    /// Encrypted Client Hello hides the name that is meant: the one that shows is that of a provider's front for all names.
    case encryptedName = "encrypted_name"
    /// A rule asks for the calls in a request's body, which servers could read in more than one way.
    case malformedCall = "malformed_call"
    /// A name or a port contradicts another: SNI or `Host` the authority of a CONNECT, `Host` an absolute target or the port.
    case nameMismatch = "name_mismatch"
    /// A question of the API is about an action that policy does not know.
    case unknownAction = "unknown_action"
    /// The opening bytes told too little within the limits of size and time.
    case sniffLimit = "sniff_limit"
    /// Too many connections were undecided, and this one was the oldest.
    case undecidedLimit = "undecided_limit"
    /// The decision could not be recorded, so nothing may pass.
    case auditUnavailable = "audit_unavailable"
    /// The user had more decided in a second than it may.
    case decisionRate = "decision_rate"
    /// The rule that would allow it allows no more of the kind in this period.
    case rateExceeded = "rate_exceeded"
    /// The rule that would allow it has nothing left of its budget.
    case budgetExhausted = "budget_exhausted"
    /// The body of a request is larger than the rule that allows it lets pass.
    case requestTooLarge = "request_too_large"
    /// The body of an answer is larger than the rule that allows its request lets pass.
    case responseTooLarge = "response_too_large"
    /// A rule must know what a body says, and it cannot be found out.
    case unreadableContent = "unreadable_content"
    /// A rule has a rate or a budget, and what is spent of it cannot be kept.
    case countersUnavailable = "counters_unavailable"
    /// A fact that a rule asks for is not known.
    case undetermined
    /// The daemon is shutting down.
    case draining
    /// The policy was replaced, and what allowed the connection is gone.
    case policyChanged = "policy_changed"
}
