/// Recognises the whole greeting of a SOCKS 5 client: version, count, methods (RFC 1928, section 3).
///
/// Only a plausible one is classed so: at least one method, none twice, none of them 0xff, which is the server's refusal.
func readSOCKS5Greeting(_ bytes: Span<UInt8>) -> Reading<ProxyRequestKind> {
    guard bytes.count > 1 else { return .needMore(total: bytes.count + 1) }
    let count = Int(bytes[1])
    guard count > 0 else { return .notThis }
    var seen: [UInt8] = []
    for index in 2..<min(2 + count, bytes.count) {
        guard bytes[index] != 0xff, !seen.contains(bytes[index]) else { return .notThis }
        seen.append(bytes[index])
    }
    return bytes.count < 2 + count ? .needMore(total: bytes.count + 1) : .value(.socks5)
}

/// Recognises the whole request of a SOCKS 4 or 4A client: version, command, port, address, user, and in 4A a name.
///
/// Only a plausible one is classed so: CONNECT or BIND, and texts of visible octets with their NUL within 255.
func readSOCKS4Request(_ bytes: Span<UInt8>) -> Reading<ProxyRequestKind> {
    if bytes.count > 1, bytes[1] != 1, bytes[1] != 2 { return .notThis }
    guard bytes.count > 8 else { return .needMore(total: bytes.count + 1) }
    // 4A marks a name by the address 0.0.0.x, x not 0.
    let hasName = bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] != 0
    let user = endOfText(bytes, from: 8)
    guard hasName, case .value(let next) = user else { return user.map { _ in .socks4 } }
    return endOfText(bytes, from: next).map { _ in .socks4 }
}

/// The position behind the NUL of a text that begins at `start`.
private func endOfText(_ bytes: Span<UInt8>, from start: Int) -> Reading<Int> {
    var index = start
    while index < bytes.count, index <= start + 255 {
        if bytes[index] == 0 { return .value(index + 1) }
        guard bytes[index] >= 0x20, bytes[index] != 0x7f else { return .notThis }
        index += 1
    }
    return index > start + 255 ? .notThis : .needMore(total: index + 1)
}
