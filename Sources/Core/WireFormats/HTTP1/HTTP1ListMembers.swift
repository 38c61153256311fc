/// Calls back with each member of a comma-separated list, without the white space around it; empty ones are left out.
///
/// RFC 9110, section 5.6.1.2, has recipients pass over empty members.
func forEachMember(
    of range: Range<Int>,
    in bytes: Span<UInt8>,
    _ body: (Range<Int>) throws(HTTP1Violation) -> Void
) throws(HTTP1Violation) {
    var start = range.lowerBound
    while start <= range.upperBound {
        var end = start
        while end < range.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
        let member = trimmed(start..<end, in: bytes)
        if !member.isEmpty { try body(member) }
        start = end + 1
    }
}

/// True where the octets in `range` are a token (RFC 9110, section 5.6.2).
func isToken(_ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    for index in range where !isTokenOctet(bytes[index]) { return false }
    return !range.isEmpty
}
