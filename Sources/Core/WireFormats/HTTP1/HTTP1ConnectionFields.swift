/// What Connection, Upgrade and TE say of the connection (RFC 9110, sections 7.6.1, 7.8 and 10.1.4).
struct HTTP1ConnectionFields {
    var closes = false
    var keepsAlive = false
    var namesUpgrade = false
    var namesTE = false
    var acceptsTrailers = false
    /// Upgrade names a protocol other than h2c.
    var hasUpgrade = false
    var namesH2C = false
    /// The names of fields that Connection makes fields of this hop.
    private var nominated: [Range<Int>] = []
    private var members = 0

    /// Whether Connection may name Transfer-Encoding: large content networks do so in their answers.
    ///
    /// It is of one hop anyway, and what it says has been obeyed; in a request it would be an attempt to hide it.
    private let mayNameCoding: Bool

    /// Reads the fields, and takes from the lines those of this hop alone.
    init(
        _ lines: inout ContiguousArray<HTTP1FieldLine>,
        in bytes: Span<UInt8>,
        most: Int,
        isResponse: Bool = false
    ) throws(HTTP1Violation) {
        mayNameCoding = isResponse
        for line in lines {
            switch line.known {
            case .connection: try readConnection(line.value, in: bytes, most: most)
            case .upgrade: try readUpgrade(line.value, in: bytes)
            case .te:
                try forEachMember(of: line.value, in: bytes) { member throws(HTTP1Violation) in
                    if isText("trailers", in: member, of: bytes) { acceptsTrailers = true }
                }
            case .other, .host, .contentLength, .transferEncoding, .expect, .trailer, .keepAlive, .proxy,
                .http2Settings, .altSvc, .endToEnd:
                break
            }
        }
        guard !nominated.isEmpty else { return }
        for index in lines.indices where isNominated(lines[index].name, in: bytes) { lines[index].isForwarded = false }
    }

    /// Whether the sender keeps the connection after a message of this version (RFC 9112, section 9.3).
    func persists(minorVersion: Int) -> Bool {
        !closes && (minorVersion == 1 || keepsAlive)
    }

    private mutating func readConnection(
        _ value: Range<Int>,
        in bytes: Span<UInt8>,
        most: Int
    ) throws(HTTP1Violation) {
        try forEachMember(of: value, in: bytes) { member throws(HTTP1Violation) in
            guard isToken(member, in: bytes) else { throw .connectionMalformed }
            members += 1
            guard members <= most else { throw .connectionOptionsTooMany }
            if isText("close", in: member, of: bytes) {
                closes = true
            } else if isText("keep-alive", in: member, of: bytes) {
                keepsAlive = true
            } else if isText("upgrade", in: member, of: bytes) {
                namesUpgrade = true
            } else if isText("te", in: member, of: bytes) {
                namesTE = true
            } else {
                let known = HTTP1KnownField(member, in: bytes)
                guard known.mayBeNominated || known == .transferEncoding && mayNameCoding else {
                    throw .connectionNominatesForbidden
                }
                nominated.append(member)
            }
        }
    }

    private mutating func readUpgrade(_ value: Range<Int>, in bytes: Span<UInt8>) throws(HTTP1Violation) {
        try forEachMember(of: value, in: bytes) { member throws(HTTP1Violation) in
            guard isProtocol(member, in: bytes) else { throw .upgradeMalformed }
            let isH2C = isText("h2c", in: protocolName(member, in: bytes), of: bytes)
            if isH2C { namesH2C = true } else { hasUpgrade = true }
        }
    }

    private func isNominated(_ name: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        for other in nominated where haveSameText(name, other, in: bytes) { return true }
        return false
    }
}

/// True for `name` and for `name/version`, both tokens (RFC 9110, section 7.8).
private func isProtocol(_ member: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    let name = protocolName(member, in: bytes)
    guard name.upperBound < member.upperBound else { return isToken(name, in: bytes) }
    return isToken(name, in: bytes) && isToken(name.upperBound + 1..<member.upperBound, in: bytes)
}

/// What stands before the slash, if there is one.
private func protocolName(_ member: Range<Int>, in bytes: Span<UInt8>) -> Range<Int> {
    for index in member where bytes[index] == UInt8(ascii: "/") { return member.lowerBound..<index }
    return member
}

/// True where the octets of the two ranges are the same but for case.
private func haveSameText(_ one: Range<Int>, _ other: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    guard one.count == other.count else { return false }
    for offset in 0..<one.count
    where lowerCased(bytes[one.lowerBound + offset]) != lowerCased(bytes[other.lowerBound + offset]) {
        return false
    }
    return true
}
