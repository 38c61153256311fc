import COpenSSL

/// Makes SHA-256 hashes, one after the other, with one fetched algorithm and one context of its own.
@safe package struct SHA256Hasher: ~Copyable {
    private let algorithm: OpaquePointer
    private let context: OpaquePointer

    /// Fetches the algorithm; that takes a lock inside of OpenSSL, so make one hasher and keep it.
    package init() throws(OpenSSLError) {
        ERR_clear_error()
        guard let algorithm = unsafe EVP_MD_fetch(nil, "SHA256", nil) else {
            throw OpenSSLError(draining: "EVP_MD_fetch")
        }
        guard let context = unsafe EVP_MD_CTX_new() else {
            unsafe EVP_MD_free(algorithm)
            throw OpenSSLError(draining: "EVP_MD_CTX_new")
        }
        unsafe self.algorithm = unsafe algorithm
        unsafe self.context = unsafe context
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
        unsafe EVP_MD_free(algorithm)
    }

    /// The hash of these bytes alone.
    package mutating func hash(_ bytes: borrowing Span<UInt8>) throws(OpenSSLError) -> SHA256Digest {
        try start()
        try update(bytes)
        return try finish()
    }

    /// Begins a hash that is made in pieces; what was begun before is dropped.
    package mutating func start() throws(OpenSSLError) {
        ERR_clear_error()
        guard unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            throw OpenSSLError(draining: "EVP_DigestInit_ex2")
        }
    }

    /// Adds a piece.
    package mutating func update(_ bytes: borrowing Span<UInt8>) throws(OpenSSLError) {
        let context = unsafe self.context
        let done = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        }
        guard done == 1 else { throw OpenSSLError(draining: "EVP_DigestUpdate") }
    }

    /// Ends the hash; `start` comes before the next.
    package mutating func finish() throws(OpenSSLError) -> SHA256Digest {
        var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        guard unsafe EVP_DigestFinal_ex(context, &digest, nil) == 1 else {
            throw OpenSSLError(draining: "EVP_DigestFinal_ex")
        }
        return SHA256Digest(bytes: digest)
    }
}
