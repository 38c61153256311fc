/// The parts of a request's target (RFC 9112, section 3.2).
struct HTTP1Target {
    var form: HTTP1Request.TargetForm
    /// What the target itself says of the authority.
    var authority: HTTPHost?
    var path: Range<Int>
    var query: Range<Int>?

    /// Takes apart a target, which is visible ASCII without `#`, in the form that its method allows.
    init(_ target: Range<Int>, method: Range<Int>, in bytes: Span<UInt8>) throws(HTTP1Violation) {
        path = target.upperBound..<target.upperBound
        // However it is spelled: servers exist that take any case, and what it asks for is never a resource.
        if isText("connect", in: method, of: bytes) {
            form = .authority
            let host = try readAuthority(target, in: bytes)
            guard host.port != nil else { throw .requestTarget }
            authority = host
        } else if bytes[target.lowerBound] == UInt8(ascii: "/") {
            form = .origin
            (path, query) = Self.pathAndQuery(target, in: bytes)
        } else if target.count == 1, bytes[target.lowerBound] == UInt8(ascii: "*") {
            guard isExactly("OPTIONS", method, in: bytes) else { throw .requestTarget }
            form = .asterisk
        } else {
            let (scheme, start) = try Self.readScheme(target, in: bytes)
            form = .absolute(scheme)
            var end = start
            while end < target.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
            authority = try readAuthority(start..<end, in: bytes)
            (path, query) = Self.pathAndQuery(end..<target.upperBound, in: bytes)
        }
    }

    private static func pathAndQuery(_ range: Range<Int>, in bytes: Span<UInt8>) -> (Range<Int>, Range<Int>?) {
        for index in range where bytes[index] == UInt8(ascii: "?") {
            return (range.lowerBound..<index, index + 1..<range.upperBound)
        }
        return (range, nil)
    }

    /// The scheme before `://`, and where the authority begins.
    private static func readScheme(
        _ target: Range<Int>,
        in bytes: Span<UInt8>
    ) throws(HTTP1Violation) -> (HTTP1Request.Scheme, authority: Int) {
        var end = target.lowerBound
        while end < target.upperBound, isSchemeOctet(bytes[end]) { end += 1 }
        let start = end + 3
        guard end > target.lowerBound, start <= target.upperBound, isExactly("://", end..<start, in: bytes) else {
            throw .requestTarget
        }
        let scheme = target.lowerBound..<end
        if isText("http", in: scheme, of: bytes) { return (.http, start) }
        if isText("https", in: scheme, of: bytes) { return (.https, start) }
        throw .targetScheme
    }
}

/// Reads the authority of a target, or the value of Host, which has no user information (RFC 9110, sections 4.2.4, 7.2).
func readAuthority(_ range: Range<Int>, in bytes: Span<UInt8>) throws(HTTP1Violation) -> HTTPHost {
    for index in range {
        if bytes[index] == UInt8(ascii: "@") { throw .userInformation }
        if bytes[index] == UInt8(ascii: "%") { throw .encodedAuthority }
    }
    guard let host = HTTPHost(value: bytes.extracting(range)), host.port != 0 else { throw .hostPort }
    switch host {
    case .name, .address: return host
    case .absent, .malformed: throw .hostMalformed
    }
}

/// True where the octets in `range` are this text, case and all.
func isExactly(_ text: String, _ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    let octets = text.utf8.span
    guard range.count == octets.count else { return false }
    for offset in 0..<octets.count where bytes[range.lowerBound + offset] != octets[offset] { return false }
    return true
}

private func isSchemeOctet(_ octet: UInt8) -> Bool {
    switch octet {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
    default: isLetter(octet)
    }
}
