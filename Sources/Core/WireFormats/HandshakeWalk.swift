/// A walk over a client's first TLS records to the end of the handshake message in them.
///
/// Message and records may end anywhere (RFC 8446, sections 4 and 5.1): a record may bring one octet of the message.
struct HandshakeWalk {
    private static let recordHeader = 5
    private static let messageHeader = 4
    /// The most content of one record: 2^14 octets.
    private static let longestRecord = 16384

    /// The most bytes that the records may take up.
    let limit: Int
    /// Where the next record begins.
    private var position = 0
    /// How many octets of the message the records before `position` brought, its header among them.
    private var gathered = 0
    private var header: UInt32 = 0
    private var headerOctets = 0

    /// Starts before the first record.
    init(limit: Int) {
        self.limit = limit
    }

    /// Where the body of a whole message is.
    enum Body: Equatable {
        /// In one record, at these positions.
        case whole(Range<Int>)
        /// Spread over records that end here: `gatherBody` copies it.
        case scattered(end: Int, length: Int)
    }

    /// Takes record after record until the message is complete.
    mutating func findBody(in bytes: Span<UInt8>) throws(MalformedOpening) -> Reading<Body> {
        while true {
            guard let record = try contentOfNextRecord(in: bytes) else { return .needMore(total: try leastTotal()) }
            try readHeader(in: record, of: bytes)
            let first = position == 0
            position = record.upperBound
            gathered += record.count
            guard gathered <= length || headerOctets < Self.messageHeader else { throw .helloTrailingBytes }
            let total = try leastTotal()
            guard position <= bytes.count else { return .needMore(total: total) }
            guard headerOctets == Self.messageHeader, gathered == length else { continue }
            return .value(
                first
                    ? .whole(record.lowerBound + Self.messageHeader..<record.upperBound)
                    : .scattered(end: position, length: length - Self.messageHeader)
            )
        }
    }

    /// The message's length with its header; while the header is not whole, the header's.
    private var length: Int {
        Self.messageHeader + (headerOctets == Self.messageHeader ? Int(header & 0xff_ffff) : 0)
    }

    /// The place of the next record's content, which may end behind the bytes; `nil` while its header is not whole.
    private func contentOfNextRecord(in bytes: Span<UInt8>) throws(MalformedOpening) -> Range<Int>? {
        // 22 is handshake. The minor version is not looked at: it must be ignored (RFC 8446, section 5.1).
        if position < bytes.count, bytes[position] != 22 { throw .recordInterleaved }
        if position + 1 < bytes.count, bytes[position + 1] != 3 { throw .recordInterleaved }
        guard position + Self.recordHeader <= bytes.count else { return nil }
        let length = Int(bytes[position + 3]) << 8 | Int(bytes[position + 4])
        guard length > 0 else { throw .recordEmpty }
        guard length <= Self.longestRecord else { throw .recordTooLong }
        return position + Self.recordHeader..<position + Self.recordHeader + length
    }

    /// Takes what of the message's header is in this record.
    private mutating func readHeader(in record: Range<Int>, of bytes: Span<UInt8>) throws(MalformedOpening) {
        for index in record {
            guard headerOctets < Self.messageHeader, index < bytes.count else { return }
            header = header << 8 | UInt32(bytes[index])
            headerOctets += 1
            if headerOctets == 1, header != 1 { throw .notClientHello }
        }
    }

    /// How many bytes there must be at least: what is missing of the message, and a header for each further record.
    ///
    /// Asked for no sooner, a client that sends single octets does not get its records walked for each of them.
    private func leastTotal() throws(MalformedOpening) -> Int {
        let missing = max(length - gathered, 0)
        let records = (missing + Self.longestRecord - 1) / Self.longestRecord
        let total = position + missing + records * Self.recordHeader
        guard total <= limit else { throw .helloTooLong }
        return total
    }
}

/// Copies the body of a message out of the records that `HandshakeWalk` has found sound up to `end`.
func gatherBody(of bytes: Span<UInt8>, end: Int, length: Int) -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(length)
    var skip = 4
    var position = 0
    while position + 5 <= end {
        let next = position + 5 + (Int(bytes[position + 3]) << 8 | Int(bytes[position + 4]))
        for index in position + 5..<next {
            if skip > 0 { skip -= 1 } else { body.append(bytes[index]) }
        }
        position = next
    }
    return body
}
