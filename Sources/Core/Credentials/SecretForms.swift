import AuditTrail

extension Secret {
    /// The texts in which a secret is known again: as it is, and in base 64 of both alphabets, wherever it begins in what is
    /// coded.
    ///
    /// In base 64 the digits that other octets have a part in are left out. How single octets are spelled, percent-encoded
    /// or escaped, is the business of ``Needles``.
    var forms: [[UInt8]] {
        var forms = [octets]
        for offset in 0..<3 {
            let digits = base64Digits(behind: offset)
            forms.append(digits)
            forms.append(digits.map(\.inURLAlphabet))
        }
        return forms
    }

    /// The digits of base 64 that nothing but the secret decides, where `offset` octets stand before it in a group of three.
    private func base64Digits(behind offset: Int) -> [UInt8] {
        let text = Array(String(base64: [UInt8](repeating: 0, count: offset) + octets).utf8)
        let first = (offset * 8 + 5) / 6
        let last = (offset + octets.count) * 8 / 6
        return Array(text[first..<last])
    }
}

extension UInt8 {
    /// The digit of base 64 in the alphabet for URLs (RFC 4648, section 5).
    fileprivate var inURLAlphabet: UInt8 {
        switch self {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: self
        }
    }
}
