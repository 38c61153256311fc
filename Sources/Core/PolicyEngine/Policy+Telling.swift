extension Policy {
    /// Judges what a question tells of in the phases of the data path: the connection first, then the request, where it is read.
    ///
    /// What is said inside a connection that nobody looks into counts for nothing, whatever is wrong with it.
    ///
    /// - Parameters:
    ///   - facts: what is known of the connection; in the end, of what was judged last.
    ///   - told: what the question tells of the request, or what is wrong with that; `nil` where it tells nothing.
    ///   - ask: puts facts to this policy.
    /// - Returns: the decision.
    /// - Throws: what is wrong with a request that is read, or that may be.
    package func answer(
        _ facts: inout Facts,
        telling told: Result<RequestFacts?, RequestFault>,
        asking ask: (inout Facts) -> Decision
    ) throws(RequestFault) -> Decision {
        switch facts.opening {
        case .known(.tls, _):
            return canIntercept ? try answerInside(&facts, telling: told, asking: ask) : ask(&facts)
        case .known(.h2c, _), .known(.opaque, _): return ask(&facts)
        case .known(.http, _), .asked, .silent:
            // Nothing is read there.
            if facts.isOwnListener { return ask(&facts) }
            facts.request = try told.get()
            return ask(&facts)
        }
    }

    private func answerInside(
        _ facts: inout Facts,
        telling told: Result<RequestFacts?, RequestFault>,
        asking ask: (inout Facts) -> Decision
    ) throws(RequestFault) -> Decision {
        facts.isFinal = false
        let connection = ask(&facts)
        facts.isFinal = true
        if connection.verdict == .allow, connection.reason == .perRequest {
            facts.request = try told.get() ?? RequestFacts(method: nil, path: nil, fields: nil)
            return ask(&facts)
        }
        guard connection.verdict == .undetermined else { return connection }
        // Whether it would be read is not known: what is wrong with it may count for nothing.
        facts.request = (try? told.get()).flatMap { $0 }
        return ask(&facts)
    }
}
