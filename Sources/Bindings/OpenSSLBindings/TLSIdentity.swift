import COpenSSL

/// A certificate of ours for servers that ask for one, with its key.
package struct TLSIdentity: Sendable {
    /// The certificate, and those behind it up to a root, in the order in which they are sent.
    package let chain: [Certificate]
    let key: KeyHandle

    /// Reads a key that belongs to the first certificate of `chain`, in PEM without a passphrase, of any kind that TLS can sign
    /// with.
    ///
    /// - Throws: `.noCertificate`; `.noKey`: no key in PEM, or an encrypted one; `.otherKey`: not the certificate's.
    package init(chain: [Certificate], key text: [UInt8]) throws(CertificateError) {
        guard let first = chain.first else { throw .noCertificate }
        KeyHandle.prepare()
        let found = unsafe text.withUnsafeBytes { bytes in
            unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)).flatMap { source in
                defer { unsafe BIO_free(source) }
                // Without this OpenSSL would ask for the passphrase on the terminal.
                return unsafe PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
            }
        }
        defer { ERR_clear_error() }
        guard let key = unsafe found else { throw .noKey }
        let handle = unsafe KeyHandle(adopting: key)
        guard unsafe X509_check_private_key(first.handle.certificate, handle.key) == 1 else { throw .otherKey }
        self.chain = chain
        self.key = handle
    }

    func show(in session: OpaquePointer) throws(TLSFailure) {
        guard let first = chain.first,
            unsafe SSL_use_certificate(session, first.handle.certificate) == 1,
            unsafe SSL_use_PrivateKey(session, key.key) == 1
        else { throw .failed }
        for authority in chain.dropFirst() {
            guard unsafe copenssl_use_chain(session, authority.handle.certificate) == 1 else { throw .failed }
        }
    }
}
