/// Everything that is known of one HTTP request when it is judged; `nil` for what is not known.
///
/// The data path knows all of it; a question of the API may leave parts out.
package struct RequestFacts: Hashable, Sendable {
    package var method: RequestMethod?
    package var path: CanonicalPath?
    package var fields: RequestFields?
    /// Needed only where `Policy.asksForQuery`; an empty one where the request has no query.
    package var query: RequestQuery?
    /// What its body calls; `nil` while nobody has read it, which is needed only where a decision says so.
    package var calls: RequestCalls?

    package init(
        method: RequestMethod?,
        path: CanonicalPath?,
        fields: RequestFields?,
        query: RequestQuery? = nil,
        calls: RequestCalls? = nil
    ) {
        self.method = method
        self.path = path
        self.fields = fields
        self.query = query
        self.calls = calls
    }
}

/// The header fields of a request that policy asks for, as they are forwarded.
///
/// What is not forwarded counts as absent: a field that `Connection` names is none of the request's.
package struct RequestFields: Hashable, Sendable {
    /// The names that were looked for, in lower case: any other field is not known.
    package let asked: [String]
    /// In the order of the message; a field may occur several times.
    package let occurrences: [RequestField]
    /// The names of those that servers may take for others, as `Policy.fieldSpellings` tells.
    package let lookalikes: [String]

    /// Takes what was found of `Policy.askedFields` and of `Policy.fieldSpellings`.
    package init(of asked: [String], _ occurrences: [RequestField], lookalikes: [String] = []) {
        self.asked = asked
        self.occurrences = occurrences
        self.lookalikes = lookalikes
    }
}

/// One field of a request's header section.
package struct RequestField: Hashable, Sendable {
    /// In lower case.
    package let name: String
    /// Without the whitespace around it (RFC 9110, section 5.5).
    package let value: [UInt8]

    package init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// The method of a request: a token of RFC 9110, section 5.6.2, compared as it is written.
package struct RequestMethod: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Takes the octets of the request line; `nil` unless they are a token.
    package init?(_ octets: Span<UInt8>) {
        guard isToken(octets), let text = asciiText(octets) else { return nil }
        self.text = text
    }

    package init?(_ text: some StringProtocol) {
        self.init(Array(text.utf8).span)
    }

    package var description: String { text }
}

/// True for what can be the name of a method or of a field.
func isToken(_ octets: Span<UInt8>) -> Bool {
    for index in octets.indices where !isTokenOctet(octets[index]) { return false }
    return !octets.isEmpty
}

private func isTokenOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
        UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
        true
    default: false
    }
}

/// Text of octets that are known to be ASCII, with one allocation at most; `nil` where they are no UTF-8.
func asciiText(_ octets: Span<UInt8>) -> String? {
    guard let text = try? UTF8Span(validating: octets) else { return nil }
    return String(copying: text)
}
