/// The header fields of a request, as far as the sniffer looks: their form, and Host (RFC 9112, section 5).
struct HTTPHead {
    var host: HTTPHost = .absent
    /// Where the empty line ends that ends the head.
    var end: Int
}

extension HTTPHead {
    /// Reads field lines from `start`, the end of the request line.
    static func read(
        _ bytes: Span<UInt8>,
        from start: Int,
        minorVersion: Int,
        limits: SniffLimits
    ) throws(MalformedOpening) -> Reading<HTTPHead> {
        var head = HTTPHead(end: start)
        var hosts = 0
        for count in 0... {
            guard head.end < bytes.count else { break }
            let line = head.end
            switch bytes[line] {
            case UInt8(ascii: "\r"):
                guard line + 1 < bytes.count else { return .needMore(total: bytes.count + 1) }
                guard bytes[line + 1] == UInt8(ascii: "\n") else { throw .controlOctet }
                guard hosts == 1 || minorVersion == 0 else { throw .hostMissing }
                head.end = line + 2
                return .value(head)
            case UInt8(ascii: "\n"): throw .bareLineFeed
            case UInt8(ascii: " "), UInt8(ascii: "\t"): throw .obsFold
            default: break
            }
            guard count < limits.headFields else { throw .fieldsTooMany }
            guard let colon = try endOfName(bytes, from: line), let end = try endOfValue(bytes, from: colon + 1) else {
                break
            }
            if isHost(bytes.extracting(line..<colon)) {
                hosts += 1
                guard hosts == 1 else { throw .hostDuplicated }
                head.host = try HTTPHost(value: bytes.extracting(trimmed(colon + 1..<end, in: bytes)))
            }
            head.end = end + 2
        }
        return .needMore(total: bytes.count + 1)
    }
}

/// The colon behind a field name; `nil` while it has not come.
private func endOfName(_ bytes: Span<UInt8>, from start: Int) throws(MalformedOpening) -> Int? {
    var index = start
    while index < bytes.count {
        if bytes[index] == UInt8(ascii: ":") {
            guard index > start else { throw .fieldLine }
            return index
        }
        guard isTokenOctet(bytes[index]) else { throw bytes[index] < 0x20 ? .controlOctet : .fieldLine }
        index += 1
    }
    return nil
}

/// The carriage return that ends a field value; `nil` while it or its line feed has not come.
private func endOfValue(_ bytes: Span<UInt8>, from start: Int) throws(MalformedOpening) -> Int? {
    for index in start..<max(start, bytes.count) {
        switch bytes[index] {
        case UInt8(ascii: "\r"):
            guard index + 1 < bytes.count else { return nil }
            guard bytes[index + 1] == UInt8(ascii: "\n") else { throw .controlOctet }
            return index
        case UInt8(ascii: "\n"): throw .bareLineFeed
        case UInt8(ascii: "\t"), 0x20...0x7e, 0x80...0xff: continue
        default: throw .controlOctet
        }
    }
    return nil
}

private func isHost(_ name: Span<UInt8>) -> Bool {
    name.count == 4 && name[0] | 0x20 == UInt8(ascii: "h") && name[1] | 0x20 == UInt8(ascii: "o")
        && name[2] | 0x20 == UInt8(ascii: "s") && name[3] | 0x20 == UInt8(ascii: "t")
}

/// The range without the spaces and tabs at its ends.
private func trimmed(_ range: Range<Int>, in bytes: Span<UInt8>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isBlank(bytes[start]) { start += 1 }
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return start..<end
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

/// The octets of a token (RFC 9110, section 5.6.2).
private func isTokenOctet(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"): true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^")...UInt8(ascii: "`"): true
    case UInt8(ascii: "|"), UInt8(ascii: "~"): true
    default: isLetter(byte)
    }
}
