import COpenSSL

/// The owner of an `X509` that nothing changes any more.
@safe final class CertificateHandle: Sendable {
    /// OpenSSL guards what it computes and keeps inside one on its own: several threads may read it.
    nonisolated(unsafe) let certificate: OpaquePointer

    /// Takes over a certificate that nobody else will free.
    init(adopting certificate: OpaquePointer) { unsafe self.certificate = certificate }

    deinit { unsafe X509_free(certificate) }
}
