/// The Host that was last read: on a connection that is kept it is nearly always the same, and need not be parsed anew.
struct HTTP1HostMemory: Sendable {
    private var octets: [UInt8] = []
    private var host = HTTPHost.absent

    /// Reads the value of Host, or recalls what it meant.
    mutating func read(_ range: Range<Int>, in bytes: Span<UInt8>) throws(HTTP1Violation) -> HTTPHost {
        let value = bytes.extracting(range)
        if host != .absent, isSame(value) { return host }
        host = try readAuthority(range, in: bytes)
        octets = array(of: value)
        return host
    }

    private func isSame(_ value: Span<UInt8>) -> Bool {
        guard value.count == octets.count else { return false }
        for index in value.indices where value[index] != octets[index] { return false }
        return true
    }
}
