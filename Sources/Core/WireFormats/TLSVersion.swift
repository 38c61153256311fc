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

    /// `1.3`, as people write it; a version that has no name there in hexadecimal digits, `0x0300`.
    package var text: String {
        guard rawValue >> 8 == 3, (1...4).contains(rawValue & 0xff) else {
            let digits = String(rawValue, radix: 16)
            return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
        }
        return "1.\((rawValue & 0xff) - 1)"
    }

    /// One of the sixteen values that stand for nothing, sent to keep servers tolerant (RFC 8701, section 2).
    var isGREASE: Bool {
        rawValue & 0x0f0f == 0x0a0a && rawValue >> 8 == rawValue & 0xff
    }
}
