import AuditTrail

extension Secret {
    /// The forms in which a secret is known again, each once: as it is; in base 64 of both alphabets, wherever it begins in
    /// what is coded; percent-encoded; and as strings of JSON escape it.
    ///
    /// In base 64 the digits that other octets have a part in are left out.
    var forms: [[UInt8]] {
        var forms = [octets, escapedForJSON(withSlashes: false), escapedForJSON(withSlashes: true)]
        for letters in [Array("0123456789ABCDEF".utf8), Array("0123456789abcdef".utf8)] {
            forms.append(octets.flatMap { $0.isUnreserved ? [$0] : percentEncoded($0, letters) })
            forms.append(octets.flatMap { percentEncoded($0, letters) })
        }
        for offset in 0..<3 {
            let digits = base64Digits(behind: offset)
            forms.append(digits)
            forms.append(digits.map(\.inURLAlphabet))
        }
        var seen: Set<[UInt8]> = []
        return forms.filter { seen.insert($0).inserted }
    }

    /// The digits of base 64 that nothing but the secret decides, where `offset` octets stand before it in a group of three.
    private func base64Digits(behind offset: Int) -> [UInt8] {
        let text = Array(String(base64: [UInt8](repeating: 0, count: offset) + octets).utf8)
        let first = (offset * 8 + 5) / 6
        let last = (offset + octets.count) * 8 / 6
        return Array(text[first..<last])
    }

    private func escapedForJSON(withSlashes: Bool) -> [UInt8] {
        octets.flatMap { octet in
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), octet]
            case UInt8(ascii: "/") where withSlashes: [UInt8(ascii: "\\"), octet]
            default: [octet]
            }
        }
    }
}

private func percentEncoded(_ octet: UInt8, _ digits: [UInt8]) -> [UInt8] {
    [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
}

extension UInt8 {
    /// Never encoded in a URL (RFC 3986, section 2.3).
    fileprivate var isUnreserved: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// The digit of base 64 in the alphabet for URLs (RFC 4648, section 5).
    fileprivate var inURLAlphabet: UInt8 {
        switch self {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: self
        }
    }
}
