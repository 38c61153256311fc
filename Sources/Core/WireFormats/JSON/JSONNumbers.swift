/// Where the number that begins at `start` ends (RFC 8259, section 6).
func endOfNumber(at start: Int, _ bytes: Span<UInt8>) throws(JSONViolation) -> Int {
    var position = start
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let integer = position
    try bytes.skipDigits(&position)
    if bytes[integer] == UInt8(ascii: "0"), position > integer + 1 { throw JSONViolation(.badNumber, at: integer) }
    if bytes.holds(UInt8(ascii: "."), at: position) {
        position += 1
        try bytes.skipDigits(&position)
    }
    guard bytes.holds(UInt8(ascii: "e"), at: position) || bytes.holds(UInt8(ascii: "E"), at: position) else {
        return position
    }
    position += 1
    if bytes.holds(UInt8(ascii: "+"), at: position) || bytes.holds(UInt8(ascii: "-"), at: position) { position += 1 }
    try bytes.skipDigits(&position)
    return position
}

extension Span<UInt8> {
    /// Goes past the digits, of which there must be one.
    fileprivate func skipDigits(_ position: inout Int) throws(JSONViolation) {
        guard position < count else { throw JSONViolation(.unexpectedEnd, at: position) }
        let start = position
        while position < count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self[position]) { position += 1 }
        guard position > start else { throw JSONViolation(.badNumber, at: position) }
    }

    fileprivate func holds(_ byte: UInt8, at position: Int) -> Bool {
        position < count && self[position] == byte
    }
}
