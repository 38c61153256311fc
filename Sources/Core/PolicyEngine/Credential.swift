/// What policies call a secret; the daemon's configuration says in which file it is.
package struct SecretName: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Takes lower-case letters, digits, `-`, `_` and `.`, 1 to 64 of them; `nil` for anything else.
    package init?(_ text: String) {
        guard isConfiguredName(text) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// True of lower-case letters, digits, `-`, `_` and `.`, 1 to 64 of them: what the configuration names, and policies refer to.
func isConfiguredName(_ text: String) -> Bool {
    let isPlain = text.utf8.allSatisfy { octet in
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
    return isPlain && (1...64).contains(text.utf8.count)
}

/// What the agent sends where a secret belongs: worth nothing to anybody.
package struct Placeholder: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Takes letters, digits, `-`, `_`, `.` and `~`, 8 to 128 of them, so that it stands in headers as it is; `nil` else.
    package init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                true
            default: false
            }
        }
        // What is short might stand in a header by chance.
        guard isPlain, (8...128).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// An item of `credentials`: a secret that goes into requests in the place of what the agent sent.
package struct Credential: Hashable, Sendable {
    package var placeholder: Placeholder
    package var secret: SecretName
    /// The one header that it stands in.
    package var header: HeaderName

    package init(placeholder: Placeholder, secret: SecretName, header: HeaderName) {
        self.placeholder = placeholder
        self.secret = secret
        self.header = header
    }
}
