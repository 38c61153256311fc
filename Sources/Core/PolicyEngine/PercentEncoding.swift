/// True where decoding changes nothing, which is what nearly every path is.
func standsForItself(_ octets: Span<UInt8>) -> Bool {
    for index in octets.indices where octets[index] != UInt8(ascii: "/") && !isSegmentOctet(octets[index]) {
        return false
    }
    return true
}

/// The octets that a path means, decoded once (RFC 3986, section 2.1).
func decodePercent(_ octets: Span<UInt8>) throws(PathAmbiguity) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(octets.count)
    var hasOther = false
    var index = 0
    while index < octets.count {
        if octets[index] == UInt8(ascii: "%") {
            let octet = try decodeOctet(octets, at: index)
            hasOther = hasOther || octet >= 0x80
            decoded.append(octet)
            index += 3
        } else {
            try refuseRaw(octets[index])
            decoded.append(octets[index])
            index += 1
        }
    }
    if hasOther, asciiText(decoded.span) == nil { throw .invalidUTF8 }
    return decoded
}

/// Writes every octet in its one spelling.
func encodePercent(_ decoded: Span<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(decoded.count * 3)
    for index in decoded.indices {
        let octet = decoded[index]
        if octet == UInt8(ascii: "/") || isSegmentOctet(octet) {
            text.append(octet)
        } else {
            text += [UInt8(ascii: "%"), hexadecimalDigit(octet >> 4), hexadecimalDigit(octet & 0xf)]
        }
    }
    return String(decoding: text, as: UTF8.self)
}

/// Refuses what a second decoding would make a dot, a slash or a backslash, however deep it lies.
func refuseDoubleEncoding(_ decoded: Span<UInt8>) throws(PathAmbiguity) {
    for start in decoded.indices where decoded[start] == UInt8(ascii: "%") {
        var digits = start + 1
        // `%25` is a percent sign again: what is behind it counts.
        while hexadecimalOctet(decoded, at: digits) == UInt8(ascii: "%") { digits += 2 }
        switch hexadecimalOctet(decoded, at: digits) {
        case UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "\\"): throw .doubleEncoding
        default: continue
        }
    }
}

/// Refuses dot segments, and says whether a segment between two slashes is empty.
///
/// A segment `..;x` counts as one: servers that know path parameters drop them and then climb.
func findEmptySegment(_ decoded: Span<UInt8>) throws(PathAmbiguity) -> Bool {
    var hasEmpty = false
    var start = 1
    for index in 1..<(decoded.count + 1) {
        let isEnd = index == decoded.count
        guard isEnd || decoded[index] == UInt8(ascii: "/") else { continue }
        if isDotSegment(decoded, start..<index) { throw .dotSegment }
        hasEmpty = hasEmpty || (start == index && !isEnd)
        start = index + 1
    }
    return hasEmpty
}

private func isDotSegment(_ decoded: Span<UInt8>, _ segment: Range<Int>) -> Bool {
    var dots = 0
    for index in segment {
        guard decoded[index] == UInt8(ascii: ".") else {
            return decoded[index] == UInt8(ascii: ";") && (1...2).contains(dots)
        }
        dots += 1
    }
    return (1...2).contains(dots)
}

/// What RFC 3986, section 3.3, calls `pchar`, without percent-encodings.
private func isSegmentOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"),
        UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
        UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="),
        UInt8(ascii: ":"), UInt8(ascii: "@"):
        true
    default: false
    }
}

/// Refuses an octet that no path holds as it is.
///
/// Clients do send some that they should encode, such as `|` or `[`; those mean only one thing.
private func refuseRaw(_ octet: UInt8) throws(PathAmbiguity) {
    switch octet {
    case 0...0x20, 0x7f: throw .controlOctet
    case UInt8(ascii: "\\"): throw .backslash
    case UInt8(ascii: "#"): throw .fragment
    case UInt8(ascii: "?"): throw .query
    case 0x80...0xff: throw .notASCII
    default: return
    }
}

private func decodeOctet(_ octets: Span<UInt8>, at index: Int) throws(PathAmbiguity) -> UInt8 {
    guard let octet = hexadecimalOctet(octets, at: index + 1) else { throw .brokenEncoding }
    switch octet {
    case UInt8(ascii: "/"): throw .encodedSlash
    case UInt8(ascii: "\\"): throw .backslash
    case 0..<0x20, 0x7f: throw .controlOctet
    default: return octet
    }
}

/// The octet that two hexadecimal digits at `index` stand for; `nil` where there are none.
func hexadecimalOctet(_ octets: Span<UInt8>, at index: Int) -> UInt8? {
    guard index + 1 < octets.count else { return nil }
    guard let high = hexadecimalValue(octets[index]), let low = hexadecimalValue(octets[index + 1]) else { return nil }
    return high << 4 | low
}

private func hexadecimalValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}

private func hexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
}
