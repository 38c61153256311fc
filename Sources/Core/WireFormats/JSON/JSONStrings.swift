/// Where the escape whose backslash is at `start` ends (RFC 8259, section 7); of a surrogate pair, the second half with it.
func endOfEscape(at start: Int, _ bytes: Span<UInt8>) throws(JSONViolation) -> Int {
    guard start + 1 < bytes.count else { throw JSONViolation(.unexpectedEnd, at: bytes.count) }
    guard bytes[start + 1] == UInt8(ascii: "u") else {
        guard simpleEscape(bytes[start + 1]) != nil else { throw JSONViolation(.badEscape, at: start) }
        return start + 2
    }
    let unit = try hexadecimal(at: start, bytes)
    if UTF16.isTrailSurrogate(unit) { throw JSONViolation(.loneSurrogate, at: start) }
    guard UTF16.isLeadSurrogate(unit) else { return start + 6 }
    let second = start + 6
    guard second < bytes.count else { throw JSONViolation(.unexpectedEnd, at: bytes.count) }
    guard bytes[second] == UInt8(ascii: "\\") else { throw JSONViolation(.loneSurrogate, at: start) }
    guard second + 1 < bytes.count else { throw JSONViolation(.unexpectedEnd, at: bytes.count) }
    guard bytes[second + 1] == UInt8(ascii: "u") else { throw JSONViolation(.loneSurrogate, at: start) }
    guard UTF16.isTrailSurrogate(try hexadecimal(at: second, bytes)) else {
        throw JSONViolation(.loneSurrogate, at: start)
    }
    return second + 6
}

/// The text between the quotes of a string that was read before, as UTF-8.
func unescaped(_ content: Span<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(content.count)
    var position = 0
    while position < content.count {
        guard content[position] == UInt8(ascii: "\\"),
            // It was found whole when it was read.
            let end = try? endOfEscape(at: position, content)
        else {
            text.append(content[position])
            position += 1
            continue
        }
        if let byte = simpleEscape(content[position + 1]) {
            text.append(byte)
        } else {
            text.append(utf8Of: content, units: position..<end)
        }
        position = end
    }
    return text
}

extension [UInt8] {
    /// Appends the scalar that one `\uXXXX`, or two, stand for.
    fileprivate mutating func append(utf8Of content: Span<UInt8>, units: Range<Int>) {
        var words: [UInt16] = []
        for start in stride(from: units.lowerBound, to: units.upperBound, by: 6) {
            if let word = try? hexadecimal(at: start, content) { words.append(word) }
        }
        append(contentsOf: String(decoding: words, as: UTF16.self).utf8)
    }
}

/// What a backslash and one letter stand for; nil where they stand for nothing, or the letter is `u`.
private func simpleEscape(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
}

/// The number in the four digits behind the `\u` at `start`.
private func hexadecimal(at start: Int, _ bytes: Span<UInt8>) throws(JSONViolation) -> UInt16 {
    var value: UInt16 = 0
    for position in start + 2..<start + 6 {
        guard position < bytes.count else { throw JSONViolation(.unexpectedEnd, at: bytes.count) }
        guard let digit = hexadecimalValue(bytes[position]) else { throw JSONViolation(.badEscape, at: start) }
        value = value << 4 | UInt16(digit)
    }
    return value
}
