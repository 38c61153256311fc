import AuditTrail
import OpenSSLBindings

extension Ed25519PublicKey {
    /// What the audit trail calls the key: `ed25519:` and the SHA-256 of its SubjectPublicKeyInfo in 64 digits.
    package var identifier: String {
        let digest = SHA256Digest(of: subjectPublicKeyInfo.span)
        return KeyRecord.identifierOpening + String(decoding: digest.hexadecimal, as: UTF8.self)
    }
}
