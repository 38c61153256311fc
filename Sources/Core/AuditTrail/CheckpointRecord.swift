/// What a checkpoint vouches for: the lines since the checkpoint before, or since the file began, up to its own.
package struct CheckpointCover: Hashable, Sendable {
    package var firstSequence: UInt64
    /// The line just before the checkpoint.
    package var lastSequence: UInt64
    /// `sha256:` and 64 digits of that line: the checkpoint's own `previous`.
    package var lastHash: String

    package init(firstSequence: UInt64, lastSequence: UInt64, lastHash: String) {
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.lastHash = lastHash
    }

    /// How many lines that is.
    package var records: UInt64 {
        lastSequence >= firstSequence ? (lastSequence - firstSequence).addingReportingOverflow(1).partialValue : 0
    }
}

/// Everything before it in the chain was there when it was signed.
///
/// It is made by whoever makes the line: it holds the hash of the line before.
package struct CheckpointRecord: Hashable, Sendable {
    package var covers: CheckpointCover
    /// The identifier of the key: `ed25519:` and 64 digits.
    package var key: String
    /// Ed25519 over `signedBytes`: 64 bytes.
    package var signature: [UInt8]

    package init(covers: CheckpointCover, key: String, signature: [UInt8]) {
        self.covers = covers
        self.key = key
        self.signature = signature
    }

    /// What is signed: lines of ASCII, none of which can hold a newline.
    ///
    /// - Parameters:
    ///   - covers: What the checkpoint vouches for.
    ///   - key: The identifier of the key.
    ///   - time: The `time` of the checkpoint's line.
    /// - Returns: The bytes.
    package static func signedBytes(covers: CheckpointCover, key: String, time: String) -> [UInt8] {
        let lines = [
            "penstock-audit-checkpoint-v1", key, time, "\(covers.firstSequence)", "\(covers.lastSequence)",
            covers.lastHash,
        ]
        return Array(lines.map { $0 + "\n" }.joined().utf8)
    }
}

extension CheckpointRecord: RecordBody {
    package static var kind: RecordKind { .checkpoint }

    /// Writes the members.
    package func write(into members: inout JSONMembers) {
        members.object("covers") { members in
            members.number("first_sequence", covers.firstSequence)
            members.number("last_sequence", covers.lastSequence)
            members.text("last_hash", covers.lastHash)
        }
        members.number("records", covers.records)
        members.text("key", key)
        members.text("signature", String(base64: signature))
    }
}
