extension Fragment {
    /// A scalar as it is written: in quotes wherever it might be read as something else.
    ///
    /// Where `isQuoted` is true, text always stands in quotes, as in JSON.
    static func written(_ text: String, isQuoted: Bool) -> String {
        isQuoted || isWord(text) || !isPlain(text) ? quoted(text) : text
    }

    /// True where text means itself without quotes, in lines and in brackets.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        // A digit begins a number, which is in quotes already, or an amount.
        let begins =
            isLetter(first) || (0x30...0x39).contains(first) || first == UInt8(ascii: "/") || text.hasPrefix("--")
        guard begins else { return false }
        let isSimple = text.utf8.allSatisfy { byte in
            isLetter(byte) || (0x30...0x39).contains(byte) || "._/:@=+-".utf8.contains(byte)
        }
        return isSimple && !text.hasSuffix(":")
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte | 0x20) && byte < 0x80 }

    /// In double quotes, escaped as JSON and YAML both read it.
    private static func quoted(_ text: String) -> String {
        var written = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": written += "\\\""
            case "\\": written += "\\\\"
            case "\n": written += "\\n"
            case "\u{20}"..."\u{7e}": written.unicodeScalars.append(scalar)
            default: written += escaped(scalar)
            }
        }
        return written + "\""
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }.joined()
    }
}
