import COpenSSL

/// A private key on the curve P-256 (FIPS 186-4), for ECDSA.
///
/// Several threads may use one.
package struct P256PrivateKey: Sendable {
    let handle: KeyHandle

    /// Makes a new one, from the kernel's randomness.
    package init() throws(CertificateError) {
        KeyHandle.prepare()
        guard let key = unsafe copenssl_generate_p256() else {
            ERR_clear_error()
            throw .failed
        }
        handle = unsafe KeyHandle(adopting: key)
    }

    /// Reads the first private key of a PEM text: `PRIVATE KEY` (PKCS#8) or `EC PRIVATE KEY`, without a passphrase.
    package init(pem text: [UInt8]) throws(CertificateError) {
        let handle: KeyHandle
        do throws(SigningError) {
            handle = try unsafe KeyHandle.reading(pem: text, algorithm: EVP_PKEY_EC) { source in
                // Without this OpenSSL would ask for the passphrase on the terminal.
                unsafe PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
            }
        } catch {
            switch error {
            case .notAKey: throw .noKey
            case .otherAlgorithm: throw .otherAlgorithm
            case .failed: throw .failed
            }
        }
        var group = [CChar](repeating: 0, count: 64)
        var count = 0
        let isNamed = unsafe EVP_PKEY_get_group_name(handle.key, &group, group.count, &count) == 1
        ERR_clear_error()
        let name = String(decoding: group.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        // OpenSSL knows the curve by the older name.
        guard isNamed, name == "prime256v1" || name == "P-256" else { throw .otherAlgorithm }
        self.handle = handle
    }

    /// The key as a PEM text, not encrypted: it is for a file that nobody else may read.
    package func pem() throws(CertificateError) -> [UInt8] {
        do throws(SigningError) {
            return try unsafe KeyHandle.collecting {
                unsafe PEM_write_bio_PrivateKey($0, handle.key, nil, nil, 0, nil, nil)
            }
        } catch {
            throw .failed
        }
    }
}
