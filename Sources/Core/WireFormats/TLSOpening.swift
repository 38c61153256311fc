/// Reads a TLS ClientHello from the start of a connection.
///
/// What follows it in records of its own, early data for instance, is not looked at.
func readClientHello(_ bytes: Span<UInt8>, limits: SniffLimits) throws(MalformedOpening) -> Reading<ClientHello> {
    // Handshake, major version 3: what servers go by. DTLS and everything else differ here.
    if bytes.count > 0, bytes[0] != 22 { return .notThis }
    guard bytes.count > 1 else { return .needMore(total: bytes.count + 1) }
    guard bytes[1] == 3 else { return .notThis }
    var walk = HandshakeWalk(limit: limits.helloBytes)
    switch try walk.findBody(in: bytes) {
    case .needMore(let total):
        return .needMore(total: total)
    case .notThis:
        return .notThis
    case .value(.whole(let range)):
        let body = ByteWindow(range, shortage: .helloLength)
        return .value(try ClientHello(body: body, in: bytes, limits: limits))
    case .value(.scattered(let end, let length)):
        let gathered = gatherBody(of: bytes, end: end, length: length)
        let body = ByteWindow(gathered.indices, shortage: .helloLength)
        return .value(try ClientHello(body: body, in: gathered.span, limits: limits))
    }
}

/// Recognises a hello of SSL 2.0, or one that asks for more in SSL 2.0's clothes (RFC 5246, appendix E.2).
///
/// A length with the top bit set, message type 1, and version 2 or 3.x; servers that still take it look at the same five
/// octets.
func readSSLv2Hello(_ bytes: Span<UInt8>) throws(MalformedOpening) -> Reading<OpeningReading> {
    if bytes.count > 2, bytes[2] != 1 { return .notThis }
    if bytes.count > 3, bytes[3] != 0, bytes[3] != 3 { return .notThis }
    guard bytes.count > 4 else { return .needMore(total: bytes.count + 1) }
    guard bytes[3] == 3 ? bytes[4] <= 4 : bytes[4] == 2 else { return .notThis }
    throw .sslv2Hello
}
