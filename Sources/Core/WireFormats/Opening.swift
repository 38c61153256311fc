/// Says what the bytes are that a client has sent so far, all of them from its first.
///
/// It is asked again with more bytes while the answer is `needMore`; any other answer stays, whatever follows. It keeps
/// nothing between two questions. `examined` is how many of the bytes were there at the last `needMore`, 0 if there was
/// none: it saves reading them again, and a number that is wrong may delay an answer but never change it.
package func readOpening(_ bytes: Span<UInt8>, examined: Int = 0, limits: SniffLimits) -> OpeningReading {
    do throws(MalformedOpening) {
        return switch try readByFirstOctet(bytes, examined: examined, limits: limits) {
        case .needMore(let total): .needMore(total: total)
        case .value(let opening): opening
        case .notThis: .opaque
        }
    } catch {
        return .malformed(error)
    }
}

/// No two of the protocols begin with the same octet.
private func readByFirstOctet(
    _ bytes: Span<UInt8>,
    examined: Int,
    limits: SniffLimits
) throws(MalformedOpening) -> Reading<OpeningReading> {
    guard bytes.count > 0 else { return .needMore(total: 1) }
    return switch bytes[0] {
    case 22: try readClientHello(bytes, limits: limits).map(OpeningReading.tls)
    case 0x85, 0xa0:
        switch try readSSLv2Hello(bytes) {
        case .notThis: try readBehindWhiteSpace(bytes, examined: examined, limits: limits)
        case let reading: reading
        }
    case 0x80...0xff: try readSSLv2Hello(bytes)
    case 4: readSOCKS4Request(bytes).map(OpeningReading.proxyRequest)
    case 5: readSOCKS5Greeting(bytes).map(OpeningReading.proxyRequest)
    case let first where isWhiteSpaceToSome(first):
        try readBehindWhiteSpace(bytes, examined: examined, limits: limits)
    // Any octet of a token: servers differ in what they take for a method.
    case let first where isTokenOctet(first):
        switch readGitRequest(bytes, examined: examined) {
        case .value: .notThis
        // Whatever else it may be would be told by these octets as well.
        case .needMore(let total): .needMore(total: total)
        case .notThis: try readHTTP(bytes, examined: examined, limits: limits).map(OpeningReading.init)
        }
    default: .notThis
    }
}

/// Looks for a request behind white space, which some servers skip (RFC 9112, section 2.2); here it is malformed.
private func readBehindWhiteSpace(
    _ bytes: Span<UInt8>,
    examined: Int,
    limits: SniffLimits
) throws(MalformedOpening) -> Reading<OpeningReading> {
    var start = 0
    while start < bytes.count, isWhiteSpaceToSome(bytes[start]) {
        start += 1
        guard start <= limits.leadingBytes else { throw .leadingEmptyLine }
    }
    guard start < bytes.count else { return .needMore(total: start + 1) }
    guard isTokenOctet(bytes[start]) else { return .notThis }
    let rest = bytes.extracting(start..<bytes.count)
    switch try readHTTP(rest, examined: max(examined - start, 0), limits: limits) {
    case .needMore(let total): return .needMore(total: start + total)
    case .value: throw .leadingEmptyLine
    case .notThis: return .notThis
    }
}

extension OpeningReading {
    fileprivate init(_ verdict: HTTPVerdict) {
        self =
            switch verdict {
            case .request(let opening): .http(opening)
            case .proxyRequest(let kind): .proxyRequest(kind)
            case .http2Preface: .http2Preface
            }
    }
}
