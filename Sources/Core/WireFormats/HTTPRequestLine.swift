/// The first line of an HTTP/1 request (RFC 9112, section 3).
struct HTTPRequestLine {
    var method: String
    var target: Target
    var minorVersion: Int
    /// Where the line's line feed ends.
    var end: Int

    enum Target {
        case own(HTTPOpening.TargetForm)
        case proxy(ProxyRequestKind)
    }
}

extension HTTPRequestLine {
    /// Reads the line, which begins with a word of letters.
    ///
    /// A well-known method and a space, or any word before ` /`, commit to HTTP: what is wrong after that is malformed.
    /// Another word is HTTP only once its line ends as a request line does; so other protocols of text pass on.
    static func read(
        _ bytes: Span<UInt8>,
        limits: SniffLimits
    ) throws(MalformedOpening) -> Reading<HTTPRequestLine> {
        var space = 0
        while space < bytes.count, isTokenOctet(bytes[space]) { space += 1 }
        guard space <= limits.headBytes else { return .notThis }
        guard space < bytes.count else { return .needMore(total: bytes.count + 1) }
        guard space > 0 else { return .notThis }
        guard space <= limits.methodBytes else { return try readOverlong(bytes, from: space) }
        let method = text(of: bytes.extracting(0..<space))
        let isKnown = wellKnownMethods.contains(method.uppercased())
        guard bytes[space] == UInt8(ascii: " ") else {
            return try readOddlySpaced(bytes, from: space, isKnown: isKnown)
        }
        guard space + 1 < bytes.count else { return .needMore(total: bytes.count + 1) }
        switch bytes[space + 1] {
        case UInt8(ascii: "/"):
            return try read(bytes, method: method, from: space + 1, committed: true)
        case UInt8(ascii: "*"), UInt8(ascii: "h"), UInt8(ascii: "H"):
            return try read(bytes, method: method, from: space + 1, committed: isKnown)
        default:
            guard !isKnown else { return try read(bytes, method: method, from: space + 1, committed: true) }
            return try readOddlySpaced(bytes, from: space, isKnown: false)
        }
    }

    /// Looks at a word that other white space follows than one space: some servers take any, and as much as there is.
    private static func readOddlySpaced(
        _ bytes: Span<UInt8>,
        from space: Int,
        isKnown: Bool
    ) throws(MalformedOpening) -> Reading<HTTPRequestLine> {
        var target = space
        while target < bytes.count, isWhiteSpaceToSome(bytes[target]), !isLineEnd(bytes[target]) { target += 1 }
        guard target > space else { return .notThis }
        guard !isKnown else { throw .requestLine }
        guard target < bytes.count else { return .needMore(total: bytes.count + 1) }
        // Other protocols of text do not go on like this.
        guard bytes[target] == UInt8(ascii: "/") else { return .notThis }
        throw .requestLine
    }

    /// Looks at what follows a word that is too long for a method: a server may take it for one all the same.
    private static func readOverlong(
        _ bytes: Span<UInt8>,
        from space: Int
    ) throws(MalformedOpening) -> Reading<HTTPRequestLine> {
        guard bytes[space] == UInt8(ascii: " ") || bytes[space] == UInt8(ascii: "\t") else { return .notThis }
        guard space + 1 < bytes.count else { return .needMore(total: bytes.count + 1) }
        switch bytes[space + 1] {
        case UInt8(ascii: "/"), UInt8(ascii: "*"), UInt8(ascii: "h"), UInt8(ascii: "H"): throw .requestLine
        default: return .notThis
        }
    }

    /// Reads the rest of the line, from the target on.
    private static func read(
        _ bytes: Span<UInt8>,
        method: String,
        from start: Int,
        committed: Bool
    ) throws(MalformedOpening) -> Reading<HTTPRequestLine> {
        var end = start
        while end < bytes.count, (0x20...0x7e).contains(bytes[end]) { end += 1 }
        guard end < bytes.count else { return .needMore(total: bytes.count + 1) }
        let isReturn = bytes[end] == UInt8(ascii: "\r")
        if isReturn, end + 1 == bytes.count { return .needMore(total: bytes.count + 1) }
        let lineFeed = isReturn ? end + 1 : end
        guard bytes[lineFeed] == UInt8(ascii: "\n") else {
            guard committed else { return .notThis }
            throw bytes[end] < 0x80 ? .controlOctet : .requestTarget
        }
        let line = bytes.extracting(start..<end)
        guard namesHTTP(line) else {
            // GET without a version is HTTP/0.9; the others are RTSP, SIP and the like.
            guard method == "GET", isVersionless(line) else { return .notThis }
            throw .httpVersion
        }
        guard isReturn else { throw .bareLineFeed }
        return .value(try HTTPRequestLine(method: method, rest: line, end: lineFeed + 1))
    }

    /// Reads `target SP HTTP/1.x`, exactly.
    private init(method: String, rest: Span<UInt8>, end: Int) throws(MalformedOpening) {
        var space = 0
        while space < rest.count, rest[space] != UInt8(ascii: " ") { space += 1 }
        guard space > 0, space < rest.count else { throw .requestLine }
        self.method = method
        self.end = end
        minorVersion = try minorVersionNumber(rest.extracting(space + 1..<rest.count))
        target = try Target(rest.extracting(0..<space), method: method)
    }
}

extension HTTPRequestLine.Target {
    init(_ target: Span<UInt8>, method: String) throws(MalformedOpening) {
        if method.uppercased() == "CONNECT" {
            self = .proxy(.connect)
        } else if target[0] == UInt8(ascii: "/") {
            self = .own(.origin)
        } else if target[0] == UInt8(ascii: "*"), target.count == 1, method == "OPTIONS" {
            self = .own(.asterisk)
        } else if text(of: target).firstIndex(of: ":") != nil {
            self = .proxy(.absoluteForm)
        } else {
            throw .requestTarget
        }
    }
}

/// The methods of RFC 9110, section 9, and PATCH (RFC 5789).
private let wellKnownMethods: Set<String> = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
]

/// True where ` HTTP/` stands anywhere in the line, in any case: then it means to be HTTP, however badly.
private func namesHTTP(_ line: Span<UInt8>) -> Bool {
    let needle: [UInt8] = [0x20, 0x68, 0x74, 0x74, 0x70, 0x2f]  // " http/"
    guard line.count >= needle.count else { return false }
    for start in 0...line.count - needle.count where line[start] == needle[0] {
        if needle.indices.allSatisfy({ line[start + $0] | 0x20 == needle[$0] | 0x20 }) { return true }
    }
    return false
}

private func isVersionless(_ line: Span<UInt8>) -> Bool {
    for index in line.indices where line[index] == UInt8(ascii: " ") { return false }
    return true
}

/// The last digit of `HTTP/1.0` or `HTTP/1.1`.
private func minorVersionNumber(_ word: Span<UInt8>) throws(MalformedOpening) -> Int {
    switch text(of: word) {
    case "HTTP/1.0": return 0
    case "HTTP/1.1": return 1
    case let other:
        throw other.contains(" ") ? .requestLine : .httpVersion
    }
}
