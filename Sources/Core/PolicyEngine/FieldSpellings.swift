/// The header fields that rules name, to tell others that a server may take for one of them.
///
/// CGI, and what was made after it, hands a field on under a name in which letters are capitals and whatever else is an underscore
/// (RFC 3875, section 4.1.18): what a rule says of `X-Tenant` would be got round by `X_Tenant`.
package struct FieldSpellings: Sendable {
    private let named: Set<[UInt8]>
    private let folded: Set<[UInt8]>
    private let lengths: Set<Int>

    /// What tells what a body is, where calls in bodies are asked for.
    private static let ofBodies = [
        "content-encoding", "content-type", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id",
    ]

    /// Takes the fields that rules ask for, change, or put secrets in; `nil` where there are none.
    init?(_ rules: some Sequence<Rule>) {
        var names: Set<String> = []
        for rule in rules {
            names.formUnion((rule.match.http?.fields ?? []).map(\.name))
            names.formUnion((rule.terms.headers?.set ?? []).map(\.name.canonical))
            names.formUnion((rule.terms.headers?.remove ?? []).map(\.canonical))
            names.formUnion(rule.terms.credentials.map(\.header.canonical))
            if !rule.terms.credentials.isEmpty { names.formUnion(headersOfScrubbing) }
            if rule.match.mcp != nil { names.formUnion(Self.ofBodies) }
            if rule.terms.limits?.requestBytes != nil { names.insert("content-encoding") }
        }
        guard !names.isEmpty else { return nil }
        named = Set(names.map { Array($0.utf8) })
        folded = Set(named.map { $0.map(asVariable) })
        lengths = Set(named.map(\.count))
    }

    /// True for a field that no rule names, in whatever case, and that a server may take for one that a rule names.
    package func isLookalike(_ name: borrowing Span<UInt8>) -> Bool {
        guard lengths.contains(name.count) else { return false }
        var lowerCased: [UInt8] = []
        for index in name.indices { lowerCased.append(asLowerCase(name[index])) }
        return !named.contains(lowerCased) && folded.contains(lowerCased.map(asVariable))
    }
}

private func asLowerCase(_ octet: UInt8) -> UInt8 {
    UInt8(ascii: "A")...UInt8(ascii: "Z") ~= octet ? octet | 0x20 : octet
}

/// A lower-case letter or a digit as it is, anything else as an underscore.
private func asVariable(_ octet: UInt8) -> UInt8 {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): octet
    default: UInt8(ascii: "_")
    }
}
