/// The name of a header that a policy changes.
///
/// Two are equal whatever their case.
package struct HeaderName: Hashable, Sendable, CustomStringConvertible {
    /// As the policy writes it, and as it is sent.
    package let text: String
    /// In lower case.
    package let canonical: String

    /// `nil` for what is no token (RFC 9110, section 5.1).
    package init?(_ text: String) {
        guard isToken(Array(text.utf8).span) else { return nil }
        self.text = text
        canonical = text.lowercased()
    }

    package var description: String { text }

    package static func == (one: HeaderName, other: HeaderName) -> Bool { one.canonical == other.canonical }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(canonical)
    }
}

/// A header that a rule writes, in the place of all that the agent sent by that name.
package struct HeaderSetting: Hashable, Sendable {
    package var name: HeaderName
    /// Printable ASCII, without spaces around it.
    package var value: String

    package init(name: HeaderName, value: String) {
        self.name = name
        self.value = value
    }
}

/// `headers`: what a rule changes in the heads of the requests that it allows.
package struct HeaderChanges: Hashable, Sendable {
    /// In the order of the text; no two of the same name.
    package var set: [HeaderSetting]
    /// None of them is set as well.
    package var remove: [HeaderName]

    package init(set: [HeaderSetting] = [], remove: [HeaderName] = []) {
        self.set = set
        self.remove = remove
    }
}
