/// Why a TLS handshake, or a session, failed.
package enum TLSFailure: Error, Hashable, Sendable {
    /// The peer sent a fatal alert of this number (RFC 8446, section 6).
    case alert(UInt8)
    /// The peer went away in the midst of the handshake.
    ///
    /// `behindCertificate`: a server's certificate had been sent to it.
    case closed(behindCertificate: Bool)
    /// The socket failed, with this `errno`.
    case socket(Int32)
    /// The peer's certificate is not to be trusted.
    case untrusted(CertificateFault)
    /// The peer asks for a certificate of ours, and there is none for it.
    case wantsCertificate
    /// Both sides have no version of TLS in common.
    case version
    /// Both sides have no cipher, group or signature in common.
    case parameters
    /// The application protocols that are offered are none of ours.
    case applicationProtocol
    /// The peer breaks the protocol, or speaks another.
    case protocolViolation
    /// OpenSSL failed where it has no reason to: no memory.
    case failed
}

/// What is wrong with the certificate of a server.
package enum CertificateFault: String, Hashable, Sendable {
    case expired = "expired"
    case notYetValid = "not_yet_valid"
    case wrongHost = "wrong_host"
    case selfSigned = "self_signed"
    case unknownIssuer = "unknown_issuer"
    case revoked = "revoked"
    /// A key or a signature that is too short or too old to be trusted.
    case weak = "weak"
    /// Not a certificate for servers, or one that no authority may have signed.
    case notPermitted = "not_permitted"
    case other = "invalid"
}
