import COpenSSL

/// An X.509 certificate (RFC 5280).
package struct Certificate: Sendable {
    let handle: CertificateHandle
    /// As it is signed and sent: DER.
    package let der: [UInt8]
    /// The first second in which it is valid, since 1970-01-01T00:00:00Z.
    package let notBefore: Int64
    /// The last second in which it is valid.
    package let notAfter: Int64

    /// Takes a certificate that is whole.
    init(_ handle: CertificateHandle) throws(CertificateError) {
        defer { ERR_clear_error() }
        let size = unsafe i2d_X509(handle.certificate, nil)
        guard size > 0 else { throw .failed }
        var der = [UInt8](repeating: 0, count: Int(size))
        let written = unsafe der.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            return unsafe i2d_X509(handle.certificate, &next)
        }
        guard written == size, let from = unsafe seconds(X509_get0_notBefore(handle.certificate)),
            let until = unsafe seconds(X509_get0_notAfter(handle.certificate))
        else { throw .failed }
        self.handle = handle
        self.der = der
        notBefore = from
        notAfter = until
    }

    /// The SHA-256 of the certificate: what tells it from every other.
    package var fingerprint: SHA256Digest { SHA256Digest(of: der.span) }

    /// The subject as a text of RFC 2253, without control characters: `CN=Penstock`.
    package var subject: String {
        unsafe text { sink in
            unsafe X509_NAME_print_ex(sink, X509_get_subject_name(handle.certificate), 0, copenssl_rfc2253) >= 0
        }
    }

    /// The serial number in hexadecimal digits.
    package var serial: String {
        unsafe text { unsafe i2a_ASN1_INTEGER($0, X509_get0_serialNumber(handle.certificate)) > 0 }
    }

    /// The name constraints as OpenSSL writes them, one a line; empty where there are none.
    package var nameConstraints: String {
        let index = unsafe X509_get_ext_by_NID(handle.certificate, NID_name_constraints, -1)
        guard index >= 0, let found = unsafe X509_get_ext(handle.certificate, index) else { return "" }
        return unsafe text { unsafe X509V3_EXT_print($0, found, 0, 0) == 1 }
    }

    /// Whether it may sign certificates: CA:TRUE, and a key usage that says so.
    package var isAuthority: Bool {
        defer { ERR_clear_error() }
        let usage = unsafe X509_get_key_usage(handle.certificate)
        return unsafe X509_check_ca(handle.certificate) == 1 && usage & UInt32(KU_KEY_CERT_SIGN) != 0
    }

    /// Whether what it signs can stand for servers: it has no extended key usage, or one that does not leave them out.
    package var isForServers: Bool {
        defer { ERR_clear_error() }
        let usage = unsafe X509_get_extended_key_usage(handle.certificate)
        return usage & UInt32(XKU_SSL_SERVER | XKU_ANYEKU) != 0
    }

    /// Whether it says by what its key is known (RFC 5280, section 4.2.1.2): what it signs can name that then.
    var hasKeyIdentifier: Bool {
        defer { ERR_clear_error() }
        return unsafe X509_get0_subject_key_id(handle.certificate) != nil
    }

    /// Whether its own key signed it.
    package var isSelfSigned: Bool {
        defer { ERR_clear_error() }
        return unsafe X509_self_signed(handle.certificate, 1) == 1
    }

    /// Whether this is the private half of its key.
    package func belongs(to key: P256PrivateKey) -> Bool {
        defer { ERR_clear_error() }
        return unsafe X509_check_private_key(handle.certificate, key.handle.key) == 1
    }

    /// Whether `seconds` since 1970-01-01T00:00:00Z lie within its time.
    package func isValid(at seconds: Int64) -> Bool { (notBefore...max(notBefore, notAfter)).contains(seconds) }

    /// Whether the name constraints of `authority` permit what it stands for (RFC 5280, section 4.2.1.10).
    func isPermitted(by authority: Certificate) throws(CertificateError) -> Bool {
        defer { ERR_clear_error() }
        let certificate = unsafe authority.handle.certificate
        guard unsafe X509_get_ext_by_NID(certificate, NID_name_constraints, -1) >= 0 else { return true }
        guard let found = unsafe X509_get_ext_d2i(certificate, NID_name_constraints, nil, nil) else { throw .failed }
        let constraints = unsafe found.assumingMemoryBound(to: NAME_CONSTRAINTS.self)
        defer { unsafe NAME_CONSTRAINTS_free(constraints) }
        // Without this OpenSSL has not read the alternative names yet, and would find nothing to object to.
        guard unsafe X509_check_purpose(handle.certificate, -1, 0) == 1 else { throw .failed }
        return unsafe NAME_CONSTRAINTS_check(handle.certificate, constraints) == X509_V_OK
    }

    private func text(_ write: (OpaquePointer) -> Bool) -> String {
        let bytes = try? unsafe KeyHandle.collecting { unsafe write($0) ? 1 : 0 }
        ERR_clear_error()
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}

extension Certificate: Hashable {
    package static func == (one: Certificate, other: Certificate) -> Bool { one.der == other.der }

    package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

/// Seconds since 1970-01-01T00:00:00Z.
private func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    guard let time = unsafe time, let epoch = unsafe ASN1_TIME_set(nil, 0) else { return nil }
    defer { unsafe ASN1_TIME_free(epoch) }
    var days: Int32 = 0
    var rest: Int32 = 0
    guard unsafe ASN1_TIME_diff(&days, &rest, epoch, time) == 1 else { return nil }
    return Int64(days) * 86_400 + Int64(rest)
}
