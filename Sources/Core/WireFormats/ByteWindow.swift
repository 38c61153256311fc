/// A stretch of borrowed bytes that shrinks as fields are taken from its front.
///
/// It holds positions only; the bytes are lent to each call, and must be the ones that it was made for. Whatever does not
/// fit throws `shortage`.
struct ByteWindow {
    private(set) var start: Int
    let end: Int
    /// What it means when a field does not fit.
    let shortage: MalformedOpening

    init(_ range: Range<Int>, shortage: MalformedOpening) {
        start = range.lowerBound
        end = range.upperBound
        self.shortage = shortage
    }

    var count: Int { end - start }
    var isEmpty: Bool { start >= end }

    mutating func uint8(in bytes: Span<UInt8>) throws(MalformedOpening) -> UInt8 {
        guard count >= 1 else { throw shortage }
        defer { start += 1 }
        return bytes[start]
    }

    mutating func uint16(in bytes: Span<UInt8>) throws(MalformedOpening) -> UInt16 {
        guard count >= 2 else { throw shortage }
        defer { start += 2 }
        return UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
    }

    /// Takes the next `length` bytes as a window of their own.
    mutating func window(_ length: Int) throws(MalformedOpening) -> ByteWindow {
        guard length >= 0, count >= length else { throw shortage }
        defer { start += length }
        return ByteWindow(start..<start + length, shortage: shortage)
    }

    /// Takes a vector with a length of one octet before it.
    mutating func vector8(in bytes: Span<UInt8>) throws(MalformedOpening) -> ByteWindow {
        try window(Int(uint8(in: bytes)))
    }

    /// Takes a vector with a length of two octets before it.
    mutating func vector16(in bytes: Span<UInt8>) throws(MalformedOpening) -> ByteWindow {
        try window(Int(uint16(in: bytes)))
    }

    /// States that all has been taken.
    func finish() throws(MalformedOpening) {
        guard isEmpty else { throw shortage }
    }

    /// The same stretch, where a field that does not fit means something else.
    func meaning(_ shortage: MalformedOpening) -> ByteWindow {
        ByteWindow(start..<end, shortage: shortage)
    }

    /// A copy of what is left.
    func copy(of bytes: Span<UInt8>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for index in start..<end { copy.append(bytes[index]) }
        return copy
    }
}
