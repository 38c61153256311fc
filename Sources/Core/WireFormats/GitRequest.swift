/// Recognises a request of Git's own protocol (gitprotocol-pack(5), "Git Transport"): the length in four hexadecimal digits, a
/// service, a path and NUL.
///
/// Its beginning could be a method and a target. Only one with NUL before any line's end is classed so, which is a request to no
/// server of HTTP. `examined` is how many octets were looked at before.
func readGitRequest(_ bytes: Span<UInt8>, examined: Int) -> Reading<Void> {
    guard let length = lengthOfLine(bytes) else { return .notThis }
    var known = 0
    for service in services {
        let count = min(service.count, bytes.count - digits)
        guard (0..<max(0, count)).allSatisfy({ bytes[digits + $0] == service[$0] }) else { continue }
        guard count == service.count else { return .needMore(total: bytes.count + 1) }
        known = digits + service.count
        break
    }
    guard known > 0 else { return .notThis }
    var index = max(known, examined)
    while index < min(length, bytes.count) {
        if bytes[index] == 0 { return .value(()) }
        guard bytes[index] >= 0x20, bytes[index] != 0x7f else { return .notThis }
        index += 1
    }
    return index < length ? .needMore(total: index + 1) : .notThis
}

private let digits = 4
private let services = ["git-upload-pack ", "git-receive-pack ", "git-upload-archive "].map { Array($0.utf8) }

/// What the digits say, as far as they have come; `nil` where they are none.
private func lengthOfLine(_ bytes: Span<UInt8>) -> Int? {
    var length = 0
    for index in 0..<digits {
        guard index < bytes.count else { return .max }
        guard let digit = hexadecimalValue(bytes[index]) else { return nil }
        length = length << 4 | Int(digit)
    }
    return length
}
