import AuditSigning
import AuditTrail
import OpenSSLBindings

/// The keys that sign a chain: those that somebody named, and those that the chain publishes.
///
/// One key signs at a time. It takes over from the one before by that one's signature; from then on the old key signs
/// nothing any more, whoever may have it.
struct KeyRing: Sendable {
    /// What a record comes to.
    enum Answer: Hashable, Sendable {
        /// A key that is trusted, or at least the chain's own, vouches.
        case vouched
        /// Nobody knows the key; in the middle of a chain that is no fault.
        case unchecked
        case fault(ChainFault.Kind, String)
    }

    /// Keys that were named, by identifier.
    private let pinned: [String: Ed25519PublicKey]
    /// Whether the chain is read from its first record, so that every key must be in it.
    private let isWhole: Bool
    private var current: Ed25519PublicKey?
    /// Whether the current key was named, or goes back to one that was.
    private(set) var isTrusted = false

    init(pinned: [Ed25519PublicKey], isWhole: Bool) {
        self.pinned = Dictionary(pinned.map { ($0.identifier, $0) }, uniquingKeysWith: { first, _ in first })
        self.isWhole = isWhole
    }

    var isPinned: Bool { !pinned.isEmpty }

    /// Takes a key that is published.
    mutating func publish(_ record: KeyRecord, sequence: UInt64, previous: String) -> Answer {
        guard let key = record.published else {
            return .fault(.badSignature, "the key is none, or not the one it names")
        }
        if let current {
            guard record.signedBy != nil || pinned[record.key] != nil else {
                return .fault(.unknownKey, "the key \(record.key) was not signed by the key before it")
            }
            if pinned[record.key] == nil, !record.isSigned(by: current, sequence: sequence, previous: previous) {
                return .fault(.badSignature, "the key before did not sign the key \(record.key)")
            }
        } else if let signer = record.signedBy {
            // The chain is entered behind the key that signed this one.
            if let before = pinned[signer] {
                guard record.isSigned(by: before, sequence: sequence, previous: previous) else {
                    return .fault(.badSignature, "the key \(signer) did not sign the key \(record.key)")
                }
                isTrusted = true
            } else if isWhole {
                return .fault(.unknownKey, "the key \(signer), which signed this one, was never published")
            }
        }
        current = key
        if pinned[record.key] != nil { isTrusted = true }
        return .vouched
    }

    /// Checks a checkpoint's signature; `time` is that of its line.
    func check(_ record: CheckpointRecord, time: String) -> Answer {
        guard let key = current ?? pinned[record.key] else {
            guard isWhole || isPinned else { return .unchecked }
            return .fault(.unknownKey, "the key \(record.key) was neither published nor named")
        }
        guard record.key == key.identifier else {
            return .fault(.unknownKey, "the key \(record.key) is not the one that signs here")
        }
        guard record.isSigned(by: key, time: time) else {
            return .fault(.badSignature, "the signature is not that of the key \(record.key)")
        }
        return .vouched
    }

    /// Whether a checkpoint of this key counts for whoever named keys.
    func isTrusted(_ identifier: String) -> Bool { isTrusted || pinned[identifier] != nil }
}
