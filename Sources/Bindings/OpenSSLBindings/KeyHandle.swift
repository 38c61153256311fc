import COpenSSL

/// The owner of an `EVP_PKEY`.
@safe final class KeyHandle: Sendable {
    /// Nothing changes a key once it is here, and OpenSSL lets several threads use one.
    nonisolated(unsafe) let key: OpaquePointer

    /// Takes over a key that nobody else will free.
    init(adopting key: OpaquePointer) { unsafe self.key = key }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Has OpenSSL start without its configuration file, which the environment could name (`OPENSSL_CONF`), and without the
    /// texts of errors, which nobody here asks for.
    ///
    /// The names of digests are loaded when they are first looked for: to refuse them for good (`NO_ADD_ALL_DIGESTS`) would let
    /// no certificate be verified. Every call after the first does nothing.
    static func prepare() {
        let leftOut = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS
        _ = OPENSSL_init_crypto(UInt64(leftOut), nil)
    }

    /// Reads the first PEM block of `text` by the function of OpenSSL for the kind that is wanted.
    ///
    /// The queue of errors is left empty.
    static func reading(
        pem text: [UInt8],
        algorithm: Int32 = EVP_PKEY_ED25519,
        _ read: (OpaquePointer) -> OpaquePointer?
    ) throws(SigningError) -> KeyHandle {
        prepare()
        let found = unsafe text.withUnsafeBytes { bytes in
            unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)).flatMap { source in
                defer { unsafe BIO_free(source) }
                return unsafe read(source)
            }
        }
        ERR_clear_error()
        guard let key = unsafe found else { throw .notAKey }
        let handle = unsafe KeyHandle(adopting: key)
        guard unsafe EVP_PKEY_get_id(key) == algorithm else { throw .otherAlgorithm }
        return handle
    }

    /// What `write` writes to a memory file of OpenSSL's.
    static func collecting(_ write: (OpaquePointer) -> Int32) throws(SigningError) -> [UInt8] {
        guard let sink = unsafe BIO_new(BIO_s_mem()) else { throw .failed }
        defer { unsafe BIO_free(sink) }
        guard unsafe write(sink) == 1 else { throw .failed }
        var bytes = [UInt8](repeating: 0, count: unsafe Int(clamping: BIO_ctrl_pending(sink)))
        let count = unsafe BIO_read(sink, &bytes, Int32(clamping: bytes.count))
        guard count == bytes.count else { throw .failed }
        return bytes
    }
}
