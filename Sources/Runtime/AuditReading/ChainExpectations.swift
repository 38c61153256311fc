import AuditTrail
import OpenSSLBindings

/// What whoever checks a chain knows of it from elsewhere.
package struct ChainExpectations: Sendable {
    /// The hash of the line before the first, in 32 bytes; nil: the chain has to begin with its first record.
    package var head: [UInt8]?
    /// What has to be in the chain.
    package var required: [RequiredLine]
    /// Keys that are known to be the daemon's; none: those that the chain publishes are taken for it.
    package var keys: [Ed25519PublicKey]

    package init(head: [UInt8]? = nil, required: [RequiredLine] = [], keys: [Ed25519PublicKey] = []) {
        self.head = head
        self.required = required
        self.keys = keys
    }
}

/// A line that has to be in the chain.
package struct RequiredLine: Hashable, Sendable {
    /// Its hash, in 32 bytes.
    package let hash: [UInt8]
    /// Its number, where it is known.
    package let sequence: UInt64?

    /// A line of which only the hash is known.
    package init(hash: [UInt8]) {
        self.hash = hash
        sequence = nil
    }

    /// A line that was kept elsewhere, such as a checkpoint that was shipped; nil where it is none of ours.
    package init?(line: [UInt8]) {
        guard let record = try? StoredRecord(line.span) else { return nil }
        hash = SHA256Digest(of: line.span).bytes
        sequence = record.frame.sequence
    }
}
