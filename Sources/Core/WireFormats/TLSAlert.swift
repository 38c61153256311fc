/// TLS alerts that are sent before there are any keys.
package enum TLSAlert {
    /// A fatal access_denied (RFC 8446, section 6.2): a record of type 21 with level 2 and description 49.
    ///
    /// Its version is TLS 1.2, as all records of TLS 1.3 after the first hello carry (RFC 8446, section 5.1).
    package static let accessDenied: [UInt8] = [21, 0x03, 0x03, 0, 2, 2, 49]

    /// The same for a client that may know no version above TLS 1.0 or 1.1, and gets the one that its hello names
    /// (RFC 5246, appendix E.1).
    package static func accessDenied(answering hello: ClientHello) -> [UInt8] {
        let version = min(max(hello.legacyVersion, .tls10), .tls12).rawValue
        var alert = accessDenied
        alert[2] = UInt8(truncatingIfNeeded: version)
        return alert
    }
}
