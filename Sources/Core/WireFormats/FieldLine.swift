/// Where one field line stands (RFC 9112, section 5).
struct FieldLine {
    var name: Range<Int>
    /// Without the white space around it.
    var value: Range<Int>
    /// Behind its line feed.
    var end: Int
}

/// What begins at the start of a line behind the first.
enum FieldLineReading {
    case needMore
    case line(FieldLine)
    /// The empty line, and where it ends.
    case endOfSection(Int)
}

/// What is wrong with a field line.
enum FieldLineFault: Error {
    case bareLineFeed
    case bareCarriageReturn
    case controlOctet
    case obsFold
    case whitespaceBeforeColon
    case badName
}

/// Reads the line that begins at `start`, which may be the empty one that ends its section.
///
/// The only reader of field lines: sniffer, heads and trailers all come here. With `takesBlankBeforeColon` what a server put between
/// name and colon is of neither (RFC 9112, section 5.1).
func readFieldLine(
    _ bytes: Span<UInt8>,
    from start: Int,
    takesBlankBeforeColon: Bool = false
) throws(FieldLineFault) -> FieldLineReading {
    guard start < bytes.count else { return .needMore }
    if isBlank(bytes[start]) { throw .obsFold }
    if bytes[start] == UInt8(ascii: "\r") {
        guard let end = try endOfLine(bytes, at: start) else { return .needMore }
        return .endOfSection(end)
    }
    guard let (name, colon) = try readName(bytes, from: start, takesBlankBeforeColon),
        let (value, end) = try readValue(bytes, from: colon + 1)
    else { return .needMore }
    return .line(FieldLine(name: name, value: value, end: end))
}

/// A field name, and the colon behind it; `nil` while that has not come.
private func readName(
    _ bytes: Span<UInt8>,
    from start: Int,
    _ takesBlankBeforeColon: Bool
) throws(FieldLineFault) -> (Range<Int>, colon: Int)? {
    var index = start
    // Nearly all octets of names are letters, which one comparison tells.
    while index < bytes.count, (bytes[index] | 0x20) &- 0x61 < 26 || isTokenOctet(bytes[index]) { index += 1 }
    guard index < bytes.count else { return nil }
    let octet = bytes[index]
    if octet == UInt8(ascii: ":") {
        guard index > start else { throw .badName }
        return (start..<index, index)
    }
    if isBlank(octet) {
        let name = start..<index
        while index < bytes.count, isBlank(bytes[index]) { index += 1 }
        guard index < bytes.count else { return nil }
        guard bytes[index] == UInt8(ascii: ":") else { throw .badName }
        guard takesBlankBeforeColon else { throw .whitespaceBeforeColon }
        return (name, index)
    }
    if octet < 0x20 || octet == 0x7f, try endOfLine(bytes, at: index) == nil { return nil }
    throw .badName
}

/// The value without the white space around it, and the end of its line; `nil` while that has not come.
private func readValue(_ bytes: Span<UInt8>, from start: Int) throws(FieldLineFault) -> (Range<Int>, end: Int)? {
    let index = endOfFieldText(bytes, from: start)
    guard index < bytes.count, let end = try endOfLine(bytes, at: index) else { return nil }
    return (trimmed(start..<index, in: bytes), end)
}

/// The first octet from `start` on that is no text: neither visible, nor blank, nor beyond ASCII.
func endOfFieldText(_ bytes: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while true {
        // Nearly all octets are visible ASCII, for which one comparison is enough.
        while index < bytes.count, bytes[index] &- 0x20 < 0x5f { index += 1 }
        guard index < bytes.count, bytes[index] >= 0x80 || bytes[index] == UInt8(ascii: "\t") else { return index }
        index += 1
    }
}

/// The end of the line whose carriage return should stand at `index`; `nil` while its line feed has not come.
func endOfLine(_ bytes: Span<UInt8>, at index: Int) throws(FieldLineFault) -> Int? {
    guard bytes[index] == UInt8(ascii: "\r") else {
        throw bytes[index] == UInt8(ascii: "\n") ? .bareLineFeed : .controlOctet
    }
    guard index + 1 < bytes.count else { return nil }
    guard bytes[index + 1] == UInt8(ascii: "\n") else { throw .bareCarriageReturn }
    return index + 2
}

/// True where octets from `start` on can end a line or spoil it; thus a line that comes octet by octet is read but once.
func hasControl(_ bytes: Span<UInt8>, from start: Int) -> Bool {
    endOfFieldText(bytes, from: start) < bytes.count
}
