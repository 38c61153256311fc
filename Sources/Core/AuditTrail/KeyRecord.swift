/// A key that signs checkpoints from here on, and the signature of the key before it.
package struct KeyRecord: Hashable, Sendable {
    /// What every key's identifier begins with; the SHA-256 of the SubjectPublicKeyInfo follows in 64 digits.
    package static let identifierOpening = "ed25519:"

    /// The identifier of this key.
    package var key: String
    /// The SubjectPublicKeyInfo in DER (RFC 8410, section 4).
    package var publicKey: [UInt8]
    /// The identifier of the key before; nil is the first of the chain.
    package var signedBy: String?
    /// Ed25519 over `signedBytes` by the key before; nil with the first.
    package var signature: [UInt8]?

    package init(key: String, publicKey: [UInt8], signedBy: String? = nil, signature: [UInt8]? = nil) {
        self.key = key
        self.publicKey = publicKey
        self.signedBy = signedBy
        self.signature = signature
    }

    /// What the key before signs: lines of ASCII, none of which can hold a newline.
    ///
    /// The place in the chain is part of it, so that a key cannot be published again elsewhere.
    ///
    /// - Parameters:
    ///   - key: The identifier of the new key.
    ///   - signedBy: That of the key that signs.
    ///   - sequence: The number of the record's line.
    ///   - previous: `sha256:` and 64 digits of the line before.
    /// - Returns: The bytes.
    package static func signedBytes(key: String, signedBy: String, sequence: UInt64, previous: String) -> [UInt8] {
        let lines = ["penstock-audit-key-v1", key, signedBy, "\(sequence)", previous]
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }
}

extension KeyRecord: RecordBody {
    package static var kind: RecordKind { .key }

    /// Writes the members.
    package func write(into members: inout JSONMembers) {
        members.text("key", key)
        members.text("public_key", String(base64: publicKey))
        members.text("signed_by", orNull: signedBy)
        members.text("signature", orNull: signature.map { String(base64: $0) })
    }
}
