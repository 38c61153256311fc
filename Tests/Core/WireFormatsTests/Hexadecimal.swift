/// The octets of hexadecimal digits, white space between them or not; lines that begin with `#` are comments.
func octets(_ text: String) -> [UInt8] {
    let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
    let digits = lines.joined().filter { !$0.isWhitespace }
    return stride(from: 0, to: digits.count, by: 2).compactMap { offset in
        let start = digits.index(digits.startIndex, offsetBy: offset)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
    }
}
