import AuditTrail
import OpenSSLBindings

/// What whoever checks a chain knows of it from elsewhere.
package struct ChainExpectations: Sendable {
    /// The 64 digits of the line before the first; nil: the chain has to begin with its first record.
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
    /// Its 64 digits.
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
        hash = SHA256Digest(of: line.span).hexadecimal
        sequence = record.frame.sequence
    }
}

/// Reads a hash as a command line has it: `sha256:` and 64 digits, or the digits alone; nil where it is none.
package func hashDigits(_ text: String) -> [UInt8]? {
    let opening = "sha256:"
    let digits = Array((text.hasPrefix(opening) ? text.dropFirst(opening.count) : text[...]).utf8)
    let isHexadecimal = digits.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    return digits.count == 64 && isHexadecimal ? digits : nil
}
