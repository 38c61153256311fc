/// Why a certificate, or the key of one, cannot be had.
package enum CertificateError: Error, Hashable, Sendable {
    /// There is no certificate in PEM.
    case noCertificate
    /// The certificate at this place of a PEM text, counted from 1, is none that OpenSSL can read.
    case damaged(Int)
    /// More certificates than the limit.
    case tooMany(Int)
    /// No PRIVATE KEY in PEM, or an encrypted one.
    case noKey
    /// The key belongs to another certificate.
    case otherKey
    /// The key is not one of P-256.
    case otherAlgorithm
    /// The authority's name constraints do not permit the name.
    case notPermitted
    /// The authority ends before the certificate could begin.
    case outlived
    /// OpenSSL failed where it has no reason to: no memory, no randomness.
    case failed
}

extension CertificateError: CustomStringConvertible {
    /// What is wrong, in a few words.
    package var description: String {
        switch self {
        case .noCertificate: "no certificate in PEM"
        case .damaged(let place): "certificate \(place) cannot be read"
        case .tooMany(let limit): "more than \(limit) certificates"
        case .noKey: "no private key in PEM, or one with a passphrase"
        case .otherKey: "the key is not the certificate's"
        case .otherAlgorithm: "the key is not a P-256 key"
        case .notPermitted: "the authority's name constraints do not permit the name"
        case .outlived: "the authority expires before the certificate could begin"
        case .failed: "OpenSSL failed"
        }
    }
}
