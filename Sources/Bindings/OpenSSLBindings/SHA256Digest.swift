/// A SHA-256: 32 bytes.
package struct SHA256Digest: Hashable, Sendable {
    /// Always 32.
    package static let byteCount = 32

    package let bytes: [UInt8]

    /// Takes what the hasher gave.
    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits, in ASCII.
    package var hexadecimal: [UInt8] {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            digits.append(hexadecimalDigit(byte >> 4))
            digits.append(hexadecimalDigit(byte & 15))
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
