extension Span<UInt8> {
    /// Whether every byte may stand between quotes as it is.
    ///
    /// Nearly every text is so, and is then copied whole.
    var isPlain: Bool {
        var isPlain = true
        // Without a way out, so that many bytes are looked at in one step.
        for index in indices where !mayStandAsItIs(self[index]) { isPlain = false }
        return isPlain
    }
}

private func mayStandAsItIs(_ byte: UInt8) -> Bool {
    byte &- 0x20 <= 0x5E && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
}

/// A text between quotes, cut where it is longer than the limit; the cut shows as an ellipsis.
func escaped(_ text: String, limits: RecordLimits) -> [UInt8] {
    let isTooLong = text.utf8.count > limits.textBytes
    // Three bytes of what is kept are the ellipsis that says so.
    var room = isTooLong ? limits.textBytes - 3 : limits.textBytes
    var bytes = [UInt8(ascii: "\"")]
    for scalar in text.unicodeScalars {
        room -= UTF8.width(scalar)
        guard room >= 0 else { break }
        bytes.append(escaped: scalar)
    }
    if isTooLong { bytes.append(escaped: "\u{2026}") }
    bytes.append(UInt8(ascii: "\""))
    return bytes
}

extension [UInt8] {
    fileprivate mutating func append(escaped scalar: Unicode.Scalar) {
        if scalar == "\"" || scalar == "\\" {
            append(UInt8(ascii: "\\"))
            append(UInt8(truncatingIfNeeded: scalar.value))
        } else if scalar.isASCII, mayStandAsItIs(UInt8(truncatingIfNeeded: scalar.value)) {
            append(UInt8(truncatingIfNeeded: scalar.value))
        } else {
            // One UTF-16 unit, or the surrogate pair (RFC 8259, section 7).
            for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { append(escapedUnit: unit) }
        }
    }

    private mutating func append(escapedUnit unit: UInt16) {
        append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] { append(hexadecimalDigit(UInt8(truncatingIfNeeded: unit >> shift) & 15)) }
    }
}

private func hexadecimalDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
}
