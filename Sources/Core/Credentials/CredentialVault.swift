import PolicyEngine

/// The secrets that a policy puts into requests, and what finds them again in answers.
///
/// Immutable; it is replaced together with its policy.
package final class CredentialVault: Sendable {
    private let secrets: [SecretName: Secret]
    /// All forms of all secrets: an answer to any request with a credential is rid of every one.
    package let needles: Needles
    /// Finds placeholders, wherever they stand.
    package let placeholders: Needles

    /// No secret.
    package static let empty = CredentialVault([:], placeholders: [])

    package init(_ secrets: [SecretName: Secret], placeholders: [Placeholder]) {
        self.secrets = secrets
        needles = Needles(secrets.values.flatMap(\.forms))
        self.placeholders = Needles(placeholders.map { Array($0.text.utf8) })
    }

    /// How many secrets there are.
    package var count: Int { secrets.count }

    /// `nil` where it is not configured.
    package func secret(_ name: SecretName) -> Secret? { secrets[name] }

    /// True where both hold the same.
    package func holdsTheSame(as other: CredentialVault) -> Bool { secrets == other.secrets }
}

extension CredentialVault: CustomStringConvertible, CustomReflectable {
    package var description: String { "(secrets: \(secrets.count))" }
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
