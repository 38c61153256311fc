import COpenSSL

/// A certificate that is being put together; signing makes it whole.
struct CertificateDraft {
    private let handle: CertificateHandle

    /// Version 3, with a random serial number of 128 bits (RFC 5280, section 4.1.2.2).
    init(validFrom start: Int64, through end: Int64, for key: P256PrivateKey) throws(CertificateError) {
        KeyHandle.prepare()
        guard let certificate = unsafe X509_new() else { throw .failed }
        handle = unsafe CertificateHandle(adopting: certificate)
        guard unsafe X509_set_version(certificate, Int(X509_VERSION_3)) == 1,
            unsafe X509_set_pubkey(certificate, key.handle.key) == 1,
            unsafe ASN1_TIME_set(X509_getm_notBefore(certificate), Int(start)) != nil,
            unsafe ASN1_TIME_set(X509_getm_notAfter(certificate), Int(end)) != nil,
            unsafe Self.drawSerial(of: certificate)
        else { throw .failed }
    }

    private static func drawSerial(of certificate: OpaquePointer) -> Bool {
        guard let number = unsafe BN_new() else { return false }
        defer { unsafe BN_free(number) }
        return unsafe BN_rand(number, 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1
            && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
    }

    /// Sets one attribute of the subject: `CN`, `O`.
    func setSubject(_ attribute: String, _ text: String) throws(CertificateError) {
        let name = unsafe X509_get_subject_name(handle.certificate)
        let bytes = Array(text.utf8)
        guard
            unsafe X509_NAME_add_entry_by_txt(
                name,
                attribute,
                MBSTRING_UTF8,
                bytes,
                Int32(clamping: bytes.count),
                -1,
                0
            ) == 1
        else { throw .failed }
    }

    /// Takes the subject of another certificate.
    func takeSubject(of other: Certificate) throws(CertificateError) {
        let name = unsafe X509_get_subject_name(other.handle.certificate)
        guard unsafe X509_set_subject_name(handle.certificate, name) == 1 else { throw .failed }
    }

    /// Takes an extension of another certificate as it is there, if it is there.
    func takeExtension(_ identifier: Int32, of other: Certificate) throws(CertificateError) {
        let index = unsafe X509_get_ext_by_NID(other.handle.certificate, identifier, -1)
        guard index >= 0 else { return }
        guard unsafe X509_add_ext(handle.certificate, X509_get_ext(other.handle.certificate, index), -1) == 1 else {
            throw .failed
        }
    }

    /// Adds an extension, in the words of OpenSSL's configuration.
    ///
    /// - Parameters:
    ///   - identifier: The NID.
    ///   - value: It must hold nothing that a stranger wrote and nobody checked.
    ///   - issuer: Whose key identifier `authorityKeyIdentifier` names; nil: this certificate is its own issuer.
    /// - Throws: `.failed`.
    func add(_ identifier: Int32, _ value: String, issuer: Certificate? = nil) throws(CertificateError) {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(
            &context,
            issuer?.handle.certificate ?? handle.certificate,
            handle.certificate,
            nil,
            nil,
            0
        )
        guard let made = unsafe X509V3_EXT_conf_nid(nil, &context, identifier, value) else { throw .failed }
        defer { unsafe X509_EXTENSION_free(made) }
        guard unsafe X509_add_ext(handle.certificate, made, -1) == 1 else { throw .failed }
    }

    /// Names the issuer and signs, by ECDSA with SHA-256: the certificate is whole.
    func sign(by issuer: Certificate?, with key: P256PrivateKey) throws(CertificateError) -> Certificate {
        defer { ERR_clear_error() }
        let from = unsafe issuer?.handle.certificate ?? handle.certificate
        guard unsafe X509_set_issuer_name(handle.certificate, X509_get_subject_name(from)) == 1,
            unsafe X509_sign(handle.certificate, key.handle.key, EVP_sha256()) > 0
        else { throw .failed }
        return try Certificate(handle)
    }
}
