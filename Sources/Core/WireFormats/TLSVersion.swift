/// A protocol version as TLS writes it: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3.
package struct TLSVersion: RawRepresentable, Hashable, Comparable, Sendable {
    package var rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    package static let tls10 = TLSVersion(rawValue: 0x0301)
    package static let tls12 = TLSVersion(rawValue: 0x0303)
    package static let tls13 = TLSVersion(rawValue: 0x0304)

    package static func < (one: TLSVersion, other: TLSVersion) -> Bool {
        one.rawValue < other.rawValue
    }

    /// One of the sixteen values that stand for nothing, sent to keep servers tolerant (RFC 8701, section 2).
    var isGREASE: Bool {
        rawValue & 0x0f0f == 0x0a0a && rawValue >> 8 == rawValue & 0xff
    }
}
