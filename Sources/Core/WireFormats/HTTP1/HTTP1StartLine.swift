/// Where the parts of a request line stand (RFC 9112, section 3).
struct HTTP1RequestLine: HTTP1StartLine {
    var method: Range<Int>
    var target: Range<Int>
    var minorVersion: Int
    /// Behind the line feed.
    var end: Int
}

/// Where the parts of a status line stand (RFC 9112, section 4).
struct HTTP1StatusLine: HTTP1StartLine {
    var status: Int
    var reason: Range<Int>
    var minorVersion: Int
    /// Behind the line feed.
    var end: Int
}

extension HTTP1RequestLine {
    static let takesBlankBeforeColon = false

    /// Reads `method SP target SP HTTP/1.x CRLF`, exactly; `nil` while its end has not come.
    static func read(_ bytes: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Violation) -> HTTP1RequestLine? {
        var space = 0
        while space < bytes.count, isTokenOctet(bytes[space]) { space += 1 }
        guard space <= limits.methodBytes else { throw .methodTooLong }
        guard space < bytes.count else { return nil }
        guard space > 0, bytes[space] == UInt8(ascii: " ") else { return try refuseMethod(bytes, at: space) }
        var end = space + 1
        while end < bytes.count, (0x21...0x7e).contains(bytes[end]), bytes[end] != UInt8(ascii: "#") { end += 1 }
        guard end < bytes.count else { return nil }
        guard end > space + 1, bytes[end] == UInt8(ascii: " ") else {
            return try refuseTarget(bytes, at: end, isEmpty: end == space + 1)
        }
        guard let line = try readVersion(bytes, from: end + 1) else { return nil }
        return HTTP1RequestLine(
            method: 0..<space,
            target: space + 1..<end,
            minorVersion: line.minorVersion,
            end: line.end
        )
    }

    /// Says what is wrong with an octet that ends no method; `nil` while that cannot be told.
    private static func refuseMethod(_ bytes: Span<UInt8>, at index: Int) throws(HTTP1Violation) -> HTTP1RequestLine? {
        let octet = bytes[index]
        if index == 0, isLineEnd(octet) { throw .leadingEmptyLine }
        // Sound as the end of a line, it ends this one too early.
        if isControl(octet), try endOfStartLine(bytes, at: index) == nil { return nil }
        throw .requestLine
    }

    /// Says what is wrong with an octet that ends no target; `nil` while that cannot be told.
    private static func refuseTarget(
        _ bytes: Span<UInt8>,
        at index: Int,
        isEmpty: Bool
    ) throws(HTTP1Violation) -> HTTP1RequestLine? {
        let octet = bytes[index]
        if octet == UInt8(ascii: "#") { throw .fragmentInTarget }
        if octet >= 0x80 { throw .targetNotASCII }
        if isControl(octet), try endOfStartLine(bytes, at: index) == nil { return nil }
        // A line that ends behind its target is one of HTTP/0.9.
        throw isEmpty || octet == UInt8(ascii: " ") ? .requestLine : .httpVersion
    }

    private static func readVersion(
        _ bytes: Span<UInt8>,
        from start: Int
    ) throws(HTTP1Violation) -> (minorVersion: Int, end: Int)? {
        let index = endOfFieldText(bytes, from: start)
        guard index < bytes.count, let end = try endOfStartLine(bytes, at: index) else { return nil }
        guard let minorVersion = versionDigit(start..<index, of: bytes) else {
            for octet in start..<index where isBlank(bytes[octet]) { throw .requestLine }
            throw .httpVersion
        }
        return (minorVersion, end)
    }
}

extension HTTP1StatusLine {
    static let takesBlankBeforeColon = true

    /// Reads `HTTP/1.x SP status [SP reason] CRLF`; `nil` while its end has not come.
    ///
    /// The space before a reason that is empty may be left out, as some servers do: nothing reads that differently.
    static func read(_ bytes: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Violation) -> HTTP1StatusLine? {
        let prefix = "HTTP/".utf8.span
        for index in 0..<prefix.count {
            guard index < bytes.count else { return nil }
            guard bytes[index] == prefix[index] else { throw isLineEnd(bytes[0]) ? .leadingEmptyLine : .statusLine }
        }
        let index = endOfFieldText(bytes, from: prefix.count)
        guard index < bytes.count, let end = try endOfStartLine(bytes, at: index) else { return nil }
        guard index >= 8 else { throw .statusLine }
        guard let minorVersion = versionDigit(0..<8, of: bytes) else { throw .httpVersion }
        // Behind the version a space and three digits, up to the twelfth octet.
        guard index >= 12, bytes[8] == UInt8(ascii: " ") else { throw .statusLine }
        var status = 0
        for digit in 9..<12 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[digit]) else { throw .statusLine }
            status = status * 10 + Int(bytes[digit] - UInt8(ascii: "0"))
        }
        guard index == 12 || bytes[12] == UInt8(ascii: " ") else { throw .statusLine }
        // Those beyond 599 mean nothing, and servers say them (LinkedIn 999): they are passed on (RFC 9110, section 15).
        guard status >= 100 else { throw .statusCode }
        return HTTP1StatusLine(
            status: status,
            reason: min(13, index)..<index,
            minorVersion: minorVersion,
            end: end
        )
    }
}

private func isControl(_ octet: UInt8) -> Bool {
    octet < 0x20 || octet == 0x7f
}

private func endOfStartLine(_ bytes: Span<UInt8>, at index: Int) throws(HTTP1Violation) -> Int? {
    do throws(FieldLineFault) {
        return try endOfLine(bytes, at: index)
    } catch {
        throw HTTP1Violation(error)
    }
}

/// The last digit of `HTTP/1.0` or `HTTP/1.1`, exactly.
private func versionDigit(_ range: Range<Int>, of bytes: Span<UInt8>) -> Int? {
    let start = range.lowerBound
    guard range.count == 8 else { return nil }
    guard isExactly("HTTP/1.", start..<start + 7, in: bytes) else { return nil }
    switch bytes[start + 7] {
    case UInt8(ascii: "0"): return 0
    case UInt8(ascii: "1"): return 1
    default: return nil
    }
}
