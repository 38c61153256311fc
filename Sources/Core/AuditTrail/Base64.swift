/// Base 64 with padding (RFC 4648, section 4).
extension String {
    /// Writes bytes in base 64.
    package init(base64 bytes: [UInt8]) {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start...].prefix(3)
            var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            bits <<= UInt32(8 * (3 - group.count))
            for place in 0..<4 {
                let digit = UInt8(truncatingIfNeeded: bits >> UInt32(18 - 6 * place)) & 63
                text.append(place <= group.count ? base64Digit(digit) : UInt8(ascii: "="))
            }
        }
        self = String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Reads base 64; nil where it is not written in the one way that `String(base64:)` writes it.
    package init?(base64 text: String) {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8.prefix(while: { $0 != UInt8(ascii: "=") }) {
            guard let value = base64Value(character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            // Each character but the first of four completes a byte.
            if count % 4 != 1 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(2 * ((4 - count % 4) % 4)))) }
        }
        // Padding, and bits that no byte needs, have one form only.
        guard String(base64: bytes) == text else { return nil }
        self = bytes
    }
}

private func base64Digit(_ value: UInt8) -> UInt8 {
    switch value {
    case 0..<26: UInt8(ascii: "A") + value
    case 26..<52: UInt8(ascii: "a") + value - 26
    case 52..<62: UInt8(ascii: "0") + value - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
}

private func base64Value(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
}
