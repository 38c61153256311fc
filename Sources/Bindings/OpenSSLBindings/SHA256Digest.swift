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
        var digits = [UInt8](repeating: 0, count: 2 * bytes.count)
        Self.write(bytes.span, over: &digits)
        return digits
    }

    /// Writes the hash of these bytes over 64 digits that are there, as `hexadecimal` has it: a chain of many lines needs no
    /// memory for each.
    package static func writeHexadecimal(of content: borrowing Span<UInt8>, over digits: inout [UInt8]) {
        precondition(digits.count == 2 * byteCount, "a hash has 64 digits")
        var digest = [32 of UInt8](repeating: 0)
        var context = SHA256_CTX()
        unsafe SHA256_Init(&context)
        unsafe content.withUnsafeBufferPointer { buffer in
            _ = unsafe SHA256_Update(&context, buffer.baseAddress, buffer.count)
        }
        var bytes = digest.mutableSpan
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
            _ = unsafe SHA256_Final(buffer.baseAddress, &context)
        }
        write(digest.span, over: &digits)
    }

    private static func write(_ bytes: Span<UInt8>, over digits: inout [UInt8]) {
        // Stored by index: appending each would check each time whether the array is shared.
        var out = digits.mutableSpan
        for index in bytes.indices {
            let digits = hexadecimalDigits(bytes[index])
            out[2 * index] = UInt8(truncatingIfNeeded: digits >> 8)
            out[2 * index + 1] = UInt8(truncatingIfNeeded: digits)
        }
    }
}

extension SHA256Digest: CustomStringConvertible {
    /// `sha256:` and 64 lower-case hexadecimal digits.
    package var description: String { "sha256:" + String(decoding: hexadecimal, as: UTF8.self) }
}

/// A byte in two lower-case digits, the first in the upper byte: both are worked out at once.
@inline(__always)
private func hexadecimalDigits(_ byte: UInt8) -> UInt32 {
    let digits = (UInt32(byte) << 4 | UInt32(byte)) & 0x0F0F
    // 1 in each byte whose digit is a letter, which stands 39 places behind where a digit would.
    let letters = (digits &+ 0x7676) >> 7 & 0x0101
    return digits &+ 0x3030 &+ letters &* 39
}
