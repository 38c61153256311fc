import COpenSSL

/// A SHA-256: 32 bytes.
package struct SHA256Digest: Hashable, Sendable {
    /// Always 32.
    package static let byteCount = 32

    package let bytes: [UInt8]

    /// A hash that was made elsewhere; nil where it has not 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// The hash of these bytes (FIPS 180-4).
    package init(of content: borrowing Span<UInt8>) {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        var context = SHA256_CTX()
        // None of the three can fail: they compute, and hold nothing but the context.
        unsafe SHA256_Init(&context)
        unsafe content.withUnsafeBufferPointer { buffer in
            _ = unsafe SHA256_Update(&context, buffer.baseAddress, buffer.count)
        }
        unsafe SHA256_Final(&digest, &context)
        bytes = digest
    }

    /// What OpenSSL computed: 32 bytes.
    init(finished digest: [UInt8]) { bytes = digest }

    /// 64 lower-case hexadecimal digits, in ASCII.
    package var hexadecimal: [UInt8] {
        // Stored by index: appending each would check each time whether the array is shared.
        var digits = [UInt8](repeating: 0, count: 2 * bytes.count)
        for (index, byte) in bytes.enumerated() {
            digits[2 * index] = hexadecimalDigit(byte >> 4)
            digits[2 * index + 1] = hexadecimalDigit(byte & 15)
        }
        return digits
    }
}

extension SHA256Digest: CustomStringConvertible {
    /// `sha256:` and 64 lower-case hexadecimal digits.
    package var description: String { "sha256:" + String(decoding: hexadecimal, as: UTF8.self) }
}

private func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
}
