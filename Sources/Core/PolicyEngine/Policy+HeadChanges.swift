/// What is changed in a request that is let through.
package struct HeadChanges: Hashable, Sendable {
    package var headers: HeaderChanges
    /// Empty wherever a secret must not go.
    package var credentials: [Credential]

    package init(headers: HeaderChanges = HeaderChanges(), credentials: [Credential] = []) {
        self.headers = headers
        self.credentials = credentials
    }
}

extension Policy {
    /// What the rule that lets a request through changes in it; `nil` where it goes as it came.
    ///
    /// What is let through although it would be denied goes as it came. Credentials are for what is sent over TLS, whatever
    /// the rule says. The facts are compared with the rule once more: a decision that another policy made, whose rule of the
    /// same name was for another place, changes nothing.
    package func headChanges(for decision: Decision, _ facts: Facts) -> HeadChanges? {
        guard compiled.traits.changesHeads, decision.verdict == .allow, !decision.wouldDeny,
            case .rule(let name) = decision.basis, let place = compiled.places[name]
        else { return nil }
        let terms = rules[place].terms
        guard terms.changesHeads, rules[place].likelihood(facts, canIntercept: canIntercept) == .yes else { return nil }
        return HeadChanges(
            headers: terms.headers ?? HeaderChanges(),
            credentials: decision.treatment == .intercept ? terms.credentials : []
        )
    }

    /// The placeholders of all credentials, each once.
    package var placeholders: [Placeholder] { compiled.traits.placeholders }
}
