/// What kind of secret a field holds.
package enum HTTP1SecretField: Hashable, Sendable {
    /// What authorizes; by its name in lower case.
    case credentials(String)
    case cookies
}

extension HTTP1FieldSection {
    /// The fields that hold what authorizes a request, in order, with their values.
    ///
    /// Those of this hop alone are among them. docs/audit.md has the same list.
    package func forEachSecret(_ body: (HTTP1SecretField, ArraySlice<UInt8>) -> Void) {
        let span = bytes.span
        for line in lines where !line.value.isEmpty {
            // Length and first letter pick out one candidate at most, so most names are compared with none.
            guard let name = secretFieldName(count: line.name.count, letter: span[line.name.lowerBound] | 0x20),
                isText(name, in: line.name, of: span)
            else { continue }
            body(name == "cookie" ? .cookies : .credentials(name), bytes[line.value])
        }
    }

    /// True where there is one of them.
    package var hasSecrets: Bool {
        var hasAny = false
        forEachSecret { _, _ in hasAny = true }
        return hasAny
    }
}

/// The one name of this length and first letter.
private func secretFieldName(count: Int, letter: UInt8) -> String? {
    switch (count, Unicode.Scalar(letter)) {
    case (6, "c"): "cookie"
    case (7, "a"): "api-key"
    case (9, "x"): "x-api-key"
    case (12, "x"): "x-auth-token"
    case (13, "a"): "authorization"
    case (13, "p"): "private-token"
    case (13, "x"): "x-vault-token"
    case (14, "x"): "x-goog-api-key"
    case (19, "p"): "proxy-authorization"
    case (20, "x"): "x-amz-security-token"
    default: nil
    }
}
