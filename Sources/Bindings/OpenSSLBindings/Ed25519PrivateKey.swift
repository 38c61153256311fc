import COpenSSL

/// A private key of Ed25519 (RFC 8032).
///
/// Concurrency: it belongs to one thread.
package struct Ed25519PrivateKey {
    private let handle: KeyHandle
    /// Its public half.
    package let publicKey: Ed25519PublicKey

    /// Makes a new one, from the kernel's randomness.
    package init() throws(SigningError) {
        KeyHandle.prepare()
        guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil) else { throw .failed }
        defer {
            unsafe EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_keygen(context, &key) == 1,
            let key = unsafe key
        else { throw .failed }
        try self.init(unsafe KeyHandle(adopting: key))
    }

    /// Reads the first PRIVATE KEY of a PEM text; an encrypted one is none.
    package init(pem text: [UInt8]) throws(SigningError) {
        let handle = try unsafe KeyHandle.reading(pem: text) { source in
            // Without this OpenSSL would ask for the password on the terminal.
            unsafe PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
        }
        try self.init(handle)
    }

    private init(_ handle: KeyHandle) throws(SigningError) {
        self.handle = handle
        publicKey = try Ed25519PublicKey(of: handle)
    }

    /// The key as a PEM text, not encrypted: it is for a file that nobody else may read.
    package func pem() throws(SigningError) -> [UInt8] {
        try unsafe KeyHandle.collecting { unsafe PEM_write_bio_PrivateKey($0, handle.key, nil, nil, 0, nil, nil) }
    }

    /// The signature for `message`: 64 bytes, always the same for the same message.
    package func signature(for message: [UInt8]) throws(SigningError) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { throw .failed }
        defer {
            unsafe EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, handle.key) == 1,
            unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1, count == signature.count
        else { throw .failed }
        return signature
    }
}
