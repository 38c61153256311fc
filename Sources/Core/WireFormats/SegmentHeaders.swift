/// What our rules have written into the first segment of a connection: where it came from before it was redirected.
package struct OriginNote: Hashable, Sendable {
    /// The port of the client's own socket.
    package let port: UInt16
    /// Whose that socket is, as `UserHash` has it.
    package let userHash: UInt32

    /// Reads the headers of a TCP segment, from that of IP on: the urgent pointer is the port, the acknowledgement number the user.
    ///
    /// RFC 791, section 3.1; RFC 8200, section 4; RFC 9293, section 3.1. `nil` where they are no headers of IPv4 or IPv6 and TCP, end
    /// too early, or hold no port.
    package init?(ofSegment headers: Span<UInt8>) {
        guard let start = transportStart(headers), headers.count - start >= 20 else { return nil }
        port = UInt16(headers[start + 18]) << 8 | UInt16(headers[start + 19])
        userHash = (start + 8..<start + 12).reduce(0) { $0 << 8 | UInt32(headers[$1]) }
        guard port != 0 else { return nil }
    }
}

/// Where the header of TCP begins.
private func transportStart(_ headers: Span<UInt8>) -> Int? {
    guard headers.count >= 20 else { return nil }
    switch headers[0] >> 4 {
    case 4:
        let length = Int(headers[0] & 15) * 4
        return headers[9] == 6 && length >= 20 ? length : nil
    case 6:
        var kind = headers[6]
        var start = 40
        // Extension headers, each with the kind of the next and its own length.
        while kind != 6 {
            guard headers.count - start >= 8 else { return nil }
            switch kind {
            case 0, 43, 60:
                kind = headers[start]
                start += (Int(headers[start + 1]) + 1) * 8
            default: return nil
            }
        }
        return start
    default: return nil
    }
}
