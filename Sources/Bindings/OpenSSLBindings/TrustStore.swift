import COpenSSL

/// Certificates to be trusted, in the form in which Java reads a trust store: PKCS#12 (RFC 7292) without a private key.
package enum TrustStore {
    /// What marks an entry of Java's as one to trust, and not as the certificate of some key.
    private static let trustedKeyUsage = "2.16.840.1.113894.746875.1.1"
    private static let anyPurpose = "2.5.29.37.0"
    private static let iterations: Int32 = 10_000

    /// Writes a store that is not encrypted, for nothing in it is secret; the password guards it against damage only.
    ///
    /// Java before 8u301 and 11.0.12 does not know the SHA-256 of its checksum.
    ///
    /// - Parameters:
    ///   - entries: Each under a name of its own, in lower case, as Java compares them.
    ///   - password: Java's custom is `changeit`.
    /// - Returns: the store in DER.
    /// - Throws: `.failed`.
    package static func pkcs12(
        _ entries: [(alias: String, certificate: Certificate)],
        password: String
    ) throws(CertificateError) -> [UInt8] {
        KeyHandle.prepare()
        defer { ERR_clear_error() }
        var bags: OpaquePointer?
        var safes: OpaquePointer?
        defer {
            unsafe copenssl_free_bags(bags)
            unsafe copenssl_free_safes(safes)
        }
        guard let purpose = unsafe OBJ_txt2obj(anyPurpose, 1) else { throw .failed }
        defer { unsafe ASN1_OBJECT_free(purpose) }
        for entry in entries {
            guard let bag = unsafe PKCS12_add_cert(&bags, entry.certificate.handle.certificate),
                unsafe PKCS12_add_friendlyname_utf8(bag, entry.alias, Int32(clamping: entry.alias.utf8.count)) == 1,
                unsafe PKCS12_add1_attr_by_txt(
                    bag,
                    trustedKeyUsage,
                    V_ASN1_OBJECT,
                    UnsafePointer<UInt8>(purpose),
                    -1
                ) == 1
            else { throw .failed }
        }
        // -1: as it is, not encrypted.
        guard unsafe PKCS12_add_safe(&safes, bags, -1, 0, nil) == 1,
            let store = unsafe PKCS12_add_safes(safes, 0)
        else { throw .failed }
        defer { unsafe PKCS12_free(store) }
        guard unsafe PKCS12_set_mac(store, password, -1, nil, 0, iterations, EVP_sha256()) == 1 else { throw .failed }
        do throws(SigningError) {
            return try unsafe KeyHandle.collecting { unsafe i2d_PKCS12_bio($0, store) }
        } catch {
            throw .failed
        }
    }
}
