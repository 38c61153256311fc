import COpenSSL
import Glibc

extension TLSSession {
    /// What an answer of `SSL_get_error` means; `nil` where the peer's next word is awaited.
    func failure(_ code: Int32) -> TLSFailure? {
        defer { emptyErrors() }
        switch code {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return nil
        case SSL_ERROR_WANT_X509_LOOKUP: return .wantsCertificate
        case SSL_ERROR_ZERO_RETURN: return .closed(behindCertificate: hasSentCertificate)
        default: break
        }
        // A client that closes before it has read all of our certificate's flight resets the connection.
        if let failure = wireFailure.map(TLSFailure.socket) {
            return hasSentCertificate && failure.isReset ? .closed(behindCertificate: true) : failure
        }
        let error = ERR_peek_error()
        guard error != 0 else { return .closed(behindCertificate: hasSentCertificate) }
        return failure(reason: ERR_GET_REASON(error))
    }

    private func failure(reason: Int32) -> TLSFailure {
        // The reasons behind this number are the alerts of the peer (SSL_AD_REASON_OFFSET).
        let alerts: Int32 = 1000
        switch reason {
        case SSL_R_UNEXPECTED_EOF_WHILE_READING: return .closed(behindCertificate: hasSentCertificate)
        case SSL_R_CERTIFICATE_VERIFY_FAILED: return .untrusted(certificateFault)
        // Not SSL_R_WRONG_VERSION_NUMBER: what came is no record of TLS, such as an answer in plain text.
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_NO_PROTOCOLS_AVAILABLE:
            return .version
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
            SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
            SSL_R_DH_KEY_TOO_SMALL, SSL_R_EE_KEY_TOO_SMALL:
            return .parameters
        case SSL_R_NO_APPLICATION_PROTOCOL: return .applicationProtocol
        case alerts...(alerts + 255): return .alert(UInt8(reason - alerts))
        default: return .protocolViolation
        }
    }

    /// A client that goes away now does so with our certificate in its hands.
    private var hasSentCertificate: Bool {
        guard isServing, !isResumed else { return false }
        switch unsafe SSL_get_state(session) {
        case TLS_ST_SW_SRVR_DONE, TLS_ST_SW_FINISHED, TLS_ST_EARLY_DATA, TLS_ST_SR_FINISHED, TLS_ST_SR_CHANGE:
            return true
        default: return false
        }
    }

    private var certificateFault: CertificateFault {
        switch Int32(clamping: unsafe SSL_get_verify_result(session)) {
        case X509_V_ERR_CERT_HAS_EXPIRED: .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .wrongHost
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: .selfSigned
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            .unknownIssuer
        case X509_V_ERR_CERT_REVOKED: .revoked
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK,
            X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM:
            .weak
        case X509_V_ERR_INVALID_PURPOSE, X509_V_ERR_INVALID_CA, X509_V_ERR_PERMITTED_VIOLATION,
            X509_V_ERR_EXCLUDED_VIOLATION, X509_V_ERR_PATH_LENGTH_EXCEEDED:
            .notPermitted
        default: .other
        }
    }
}

extension TLSFailure {
    /// The peer has reset the connection.
    package var isReset: Bool {
        guard case .socket(let code) = self else { return false }
        return code == ECONNRESET || code == EPIPE
    }
}
