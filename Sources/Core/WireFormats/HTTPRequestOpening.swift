/// What a text that begins with a letter turned out to be.
enum HTTPVerdict: Equatable {
    case request(HTTPOpening)
    case proxyRequest(ProxyRequestKind)
    case http2Preface
}

/// Reads an HTTP/2 preface or the head of an HTTP/1 request from the start of a connection.
func readHTTP(
    _ bytes: Span<UInt8>,
    examined: Int,
    limits: SniffLimits
) throws(MalformedOpening) -> Reading<HTTPVerdict> {
    switch readPreface(bytes) {
    case .needMore(let total): return .needMore(total: total)
    case .value: return .value(.http2Preface)
    case .notThis: break
    }
    let isAtLimit = bytes.count >= limits.headBytes
    guard isAtLimit || mayDecide(bytes, examined: examined) else { return .needMore(total: bytes.count + 1) }
    let reading = try readHead(bytes.extracting(0..<min(bytes.count, limits.headBytes)), limits: limits)
    if case .needMore = reading, isAtLimit { throw .headTooLong }
    return reading
}

/// Reads the request line, then the fields; a request for a proxy is known by its line alone.
private func readHead(_ bytes: Span<UInt8>, limits: SniffLimits) throws(MalformedOpening) -> Reading<HTTPVerdict> {
    let line: HTTPRequestLine
    switch try HTTPRequestLine.read(bytes, limits: limits) {
    case .needMore(let total): return .needMore(total: total)
    case .notThis: return .notThis
    case .value(let value): line = value
    }
    switch line.target {
    case .proxy(let kind):
        return .value(.proxyRequest(kind))
    case .own(let form):
        return try HTTPHead.read(bytes, from: line.end, minorVersion: line.minorVersion, limits: limits).map { head in
            .request(
                HTTPOpening(
                    method: line.method,
                    target: form,
                    minorVersion: line.minorVersion,
                    host: head.host,
                    headBytes: head.end
                )
            )
        }
    }
}

/// Recognises the client preface of HTTP/2 (RFC 9113, section 3.4).
private func readPreface(_ bytes: Span<UInt8>) -> Reading<Void> {
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8
    for (index, octet) in preface.enumerated() {
        guard index < bytes.count else { return .needMore(total: bytes.count + 1) }
        guard bytes[index] == octet else { return .notThis }
    }
    return .value(())
}

/// False where the bytes after the `examined` first cannot change an answer that was `needMore`: no line ends in them.
///
/// Thus a head that comes octet by octet is read once a line, not once an octet. The first few octets, in which the
/// protocol is recognised, always count.
private func mayDecide(_ bytes: Span<UInt8>, examined: Int) -> Bool {
    guard examined >= 64, examined <= bytes.count else { return true }
    // One back: a carriage return that was last is judged by what follows it.
    for index in examined - 1..<bytes.count where bytes[index] < 0x20 && bytes[index] != UInt8(ascii: "\t") {
        return true
    }
    return false
}
