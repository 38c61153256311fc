/// Why a key or a signature cannot be had.
package enum SigningError: Error, Hashable, Sendable {
    /// The bytes are not one key of the expected kind, or more than that.
    case notAKey
    /// It is a key of another algorithm than Ed25519.
    case otherAlgorithm
    /// OpenSSL failed where it has no reason to: no memory, no randomness.
    case failed
}

extension SigningError: CustomStringConvertible {
    /// What is wrong, in a few words.
    package var description: String {
        switch self {
        case .notAKey: "no key in PEM"
        case .otherAlgorithm: "the key is not an Ed25519 key"
        case .failed: "OpenSSL failed"
        }
    }
}
