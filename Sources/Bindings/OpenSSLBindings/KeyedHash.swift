import COpenSSL

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key.
///
/// What the key costs is paid once; each hash then takes no memory of its own but the result.
package struct KeyedHash: Sendable {
    private static let blockBytes = 64

    private var inner = SHA256_CTX()
    private var outer = SHA256_CTX()

    /// Takes the key; one longer than 64 bytes stands for its SHA-256.
    package init(key: [UInt8]) {
        let short = key.count > Self.blockBytes ? SHA256Digest(of: key.span).bytes : key
        let block = short + [UInt8](repeating: 0, count: Self.blockBytes - short.count)
        Self.begin(&inner, with: block.map { $0 ^ 0x36 })
        Self.begin(&outer, with: block.map { $0 ^ 0x5c })
    }

    /// The hash of these bytes.
    package func digest(of content: borrowing Span<UInt8>) -> SHA256Digest {
        var digest = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
        var context = inner
        // None of these can fail: they compute, and hold nothing but the context.
        unsafe content.withUnsafeBufferPointer { buffer in
            _ = unsafe SHA256_Update(&context, buffer.baseAddress, buffer.count)
        }
        unsafe SHA256_Final(&digest, &context)
        context = outer
        unsafe SHA256_Update(&context, digest, digest.count)
        unsafe SHA256_Final(&digest, &context)
        return SHA256Digest(finished: digest)
    }

    private static func begin(_ context: inout SHA256_CTX, with block: [UInt8]) {
        unsafe SHA256_Init(&context)
        unsafe SHA256_Update(&context, block, block.count)
    }
}
