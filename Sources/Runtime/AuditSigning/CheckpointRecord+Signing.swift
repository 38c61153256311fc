import AuditTrail
import OpenSSLBindings

extension CheckpointRecord {
    /// Signs what stands before a checkpoint.
    ///
    /// - Parameters:
    ///   - covers: What it vouches for.
    ///   - time: Of the checkpoint's own line, in microseconds since 1970-01-01T00:00:00Z.
    ///   - key: The key that was published last.
    /// - Throws: `.failed`.
    package init(signing covers: CheckpointCover, at time: Int64, with key: Ed25519PrivateKey) throws(SigningError) {
        let identifier = key.publicKey.identifier
        var timestamp: [UInt8] = []
        timestamp.append(timestamp: time)
        let signed = Self.signedBytes(
            covers: covers,
            key: identifier,
            time: String(decoding: timestamp, as: UTF8.self)
        )
        self.init(covers: covers, key: identifier, signature: try key.signature(for: signed))
    }

    /// Whether `key` signed this checkpoint; `time` is that of its line, as it stands there.
    package func isSigned(by key: Ed25519PublicKey, time: String) -> Bool {
        key.identifier == self.key
            && key.isValid(signature, for: Self.signedBytes(covers: covers, key: self.key, time: time))
    }
}
