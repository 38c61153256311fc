import AuditTrail
import OpenSSLBindings

extension KeyRecord {
    /// Publishes the first key of a chain: nothing vouches for it but whoever pins it.
    package init(first key: Ed25519PublicKey) {
        self.init(key: key.identifier, publicKey: key.subjectPublicKeyInfo)
    }

    /// Publishes a key that takes over from another.
    ///
    /// - Parameters:
    ///   - key: The new key.
    ///   - before: The key that signed checkpoints until now.
    ///   - sequence: The number that the record's line will have.
    ///   - previous: `sha256:` and 64 digits of the line before it.
    /// - Throws: `.failed`.
    package init(
        _ key: Ed25519PublicKey,
        after before: Ed25519PrivateKey,
        sequence: UInt64,
        previous: String
    ) throws(SigningError) {
        let signer = before.publicKey.identifier
        let signed = Self.signedBytes(
            key: key.identifier,
            signedBy: signer,
            sequence: sequence,
            previous: previous
        )
        self.init(
            key: key.identifier,
            publicKey: key.subjectPublicKeyInfo,
            signedBy: signer,
            signature: try before.signature(for: signed)
        )
    }

    /// The key itself; nil where it is none, or where the identifier is another's.
    package var published: Ed25519PublicKey? {
        guard let key = Ed25519PublicKey(subjectPublicKeyInfo: publicKey), key.identifier == self.key else {
            return nil
        }
        return key
    }

    /// Whether `before` signed this record in this place of the chain.
    package func isSigned(by before: Ed25519PublicKey, sequence: UInt64, previous: String) -> Bool {
        guard let signature, signedBy == before.identifier else { return false }
        let signed = Self.signedBytes(key: key, signedBy: before.identifier, sequence: sequence, previous: previous)
        return before.isValid(signature, for: signed)
    }
}
