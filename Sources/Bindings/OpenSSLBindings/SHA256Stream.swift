import COpenSSL

/// A SHA-256 (FIPS 180-4) of bytes that come piece by piece.
package struct SHA256Stream {
    private var context = SHA256_CTX()

    /// Starts without a byte.
    package init() { unsafe SHA256_Init(&context) }

    /// Takes more bytes.
    package mutating func add(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            _ = unsafe SHA256_Update(&context, buffer.baseAddress, buffer.count)
        }
    }

    /// The hash of all that was added.
    package func finish() -> SHA256Digest {
        var context = context
        var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        unsafe SHA256_Final(&digest, &context)
        return SHA256Digest(finished: digest)
    }
}
