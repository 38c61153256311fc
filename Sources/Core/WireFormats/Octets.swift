/// True for the octets of a token (RFC 9110, section 5.6.2), which methods and field names are.
@inline(__always)
func isTokenOctet(_ byte: UInt8) -> Bool {
    // One bit for each octet of ASCII: !#$%&'*+-. and digits below 64; letters and ^_`|~ above.
    switch byte >> 6 {
    case 0: 0x03ff_6cfa_0000_0000 >> UInt64(byte & 63) & 1 == 1
    case 1: 0x57ff_ffff_c7ff_fffe >> UInt64(byte & 63) & 1 == 1
    default: false
    }
}

/// True for the letters of ASCII.
func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

/// True for space and tab, the white space of a field line.
func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

/// True for carriage return and line feed.
func isLineEnd(_ octet: UInt8) -> Bool {
    octet == UInt8(ascii: "\r") || octet == UInt8(ascii: "\n")
}

/// True for what some servers skip before a request, and take for the spaces of its first line: all that Unicode calls white
/// space, read as Latin-1.
func isWhiteSpaceToSome(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x09...0x0d, 0x1c...0x20, 0x85, 0xa0: true
    default: false
    }
}

/// What a hexadecimal digit stands for, in either case; `nil` where it is none.
package func hexadecimalValue(_ octet: UInt8) -> UInt8? {
    switch octet {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
    default: nil
    }
}

/// The letter in lower case, any other octet as it is.
@inline(__always)
func lowerCased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

/// The range without the spaces and tabs at its ends.
func trimmed(_ range: Range<Int>, in bytes: Span<UInt8>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isBlank(bytes[start]) { start += 1 }
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return start..<end
}

/// True where the octets in `range` are this text, which is in lower case, in any case.
func isText(_ text: String, in range: Range<Int>, of bytes: Span<UInt8>) -> Bool {
    let octets = text.utf8.span
    guard range.count == octets.count else { return false }
    let found = bytes.extracting(range)
    for index in 0..<octets.count where lowerCased(found[index]) != octets[index] { return false }
    return true
}

/// True where the bytes begin with these.
func begins(_ bytes: Span<UInt8>, with known: Span<UInt8>) -> Bool {
    let count = known.count
    guard count <= bytes.count else { return false }
    let first = bytes.extracting(0..<count)
    // All of them are looked at, and many at a time: it takes less than to stop at the first that differs.
    var difference: UInt8 = 0
    for index in 0..<count { difference |= first[index] ^ known[index] }
    return difference == 0
}

/// A copy of the bytes.
func array(of bytes: Span<UInt8>) -> [UInt8] {
    let count = bytes.count
    // Room for these alone: making an array of a repeated value asks the runtime for its type each time.
    var copy: [UInt8] = []
    copy.append(contentsOf: repeatElement(0, count: count))
    var octets = copy.mutableSpan
    for index in 0..<count { octets[index] = bytes[index] }
    return copy
}
