/// The methods that rules and the registry name, to tell those that differ from one of them in case alone.
///
/// Case counts in methods (RFC 9110, section 9.1), and many servers take `delete` for `DELETE` all the same: what a rule says
/// of the one would be got round by the other.
struct MethodCases: Sendable {
    private let named: Set<String>
    private let namedInCapitals: Set<String>

    /// Takes what rules ask for; `nil` where none asks for methods.
    init?(_ rules: some Sequence<Rule>) {
        let lists = rules.compactMap { $0.match.http?.methods }
        guard !lists.isEmpty else { return nil }
        named = Set(lists.joined().map(\.text))
        namedInCapitals = Set(named.map { $0.uppercased() })
    }

    /// True where a server may take the method for another one, which is named or registered.
    func isAmbiguous(_ method: RequestMethod) -> Bool {
        guard !registeredMethods.contains(method.text), !named.contains(method.text) else { return false }
        let capitals = method.text.uppercased()
        return registeredMethods.contains(capitals) || namedInCapitals.contains(capitals)
    }
}

extension RequestMethod {
    /// The registered method that this one differs from in case alone; `nil` where there is none.
    package var registeredSpelling: RequestMethod? {
        let capitals = text.uppercased()
        guard capitals != text, registeredMethods.contains(capitals) else { return nil }
        return RequestMethod(capitals)
    }
}

/// The HTTP Method Registry of IANA, without `*`, which no request says.
let registeredMethods: Set<String> = [
    "ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "CONNECT", "COPY", "DELETE", "GET", "HEAD", "LABEL",
    "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "OPTIONS",
    "ORDERPATCH", "PATCH", "POST", "PRI", "PROPFIND", "PROPPATCH", "PUT", "QUERY", "REBIND", "REPORT", "SEARCH",
    "TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
]
