/// Why a side closes a WebSocket connection (RFC 6455, section 7.4.1).
package enum WebSocketClose: UInt16, Sendable {
    case goingAway = 1001
    case policyViolation = 1008

    /// The frame by which a server says so.
    package var ofServer: [UInt8] { [0x88, 2] + octets }

    /// The frame by which a client says so, masked (RFC 6455, section 5.3).
    package func ofClient(mask: UInt32) -> [UInt8] {
        let key = (0..<4).map { UInt8(truncatingIfNeeded: mask >> (24 - 8 * $0)) }
        return [0x88, 0x82] + key + zip(octets, key).map { $0 ^ $1 }
    }

    private var octets: [UInt8] { [UInt8(rawValue >> 8), UInt8(truncatingIfNeeded: rawValue)] }
}
