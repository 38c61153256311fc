/// The facts that a TLS ClientHello shows (RFC 8446, section 4.1.2).
package struct ClientHello: Hashable, Sendable {
    /// The version field itself, which TLS 1.3 freezes at TLS 1.2.
    package var legacyVersion: TLSVersion
    /// The highest version in supported_versions, GREASE aside; `nil` without that extension.
    package var highestSupportedVersion: TLSVersion?
    /// The lowest one there, GREASE aside; `nil` without that extension.
    package var lowestSupportedVersion: TLSVersion?
    package var serverName: ServerName = .absent
    /// The protocols of the ALPN list, in its order: as text where printable, else as `0x` and hexadecimal digits.
    package var protocolNames: [String] = []
    /// Encrypted Client Hello, or its forerunner ESNI, is present, so the name seen here need not be the one meant.
    ///
    /// Browsers send it without a key too (RFC 9849, section 6.2), and that cannot be told apart: that is its purpose.
    package var offersEncryptedClientHello = false
    /// The client sends early data, a request before any answer, on its heels (RFC 8446, section 4.2.10).
    package var offersEarlyData = false

    package init(legacyVersion: TLSVersion, highestSupportedVersion: TLSVersion? = nil) {
        self.legacyVersion = legacyVersion
        self.highestSupportedVersion = highestSupportedVersion
    }

    /// True where the client takes nothing older than TLS 1.3.
    package var isTLS13Only: Bool { (lowestSupportedVersion ?? .tls10) >= .tls13 }

    /// The highest version that the client offers.
    package var highestVersion: TLSVersion {
        highestSupportedVersion ?? legacyVersion
    }
}

extension ClientHello {
    /// Reads the body of the handshake message: all of `body`, neither more nor less.
    init(body: ByteWindow, in bytes: Span<UInt8>, limits: SniffLimits) throws(MalformedOpening) {
        var body = body
        legacyVersion = TLSVersion(rawValue: try body.uint16(in: bytes))
        guard legacyVersion.rawValue >> 8 == 3 else { throw .helloVersion }
        _ = try body.window(32)
        let session = try body.vector8(in: bytes)
        let cipherSuites = try body.vector16(in: bytes)
        let compression = try body.vector8(in: bytes)
        guard session.count <= 32, cipherSuites.count >= 2, cipherSuites.count.isMultiple(of: 2), !compression.isEmpty
        else { throw .helloLength }
        // Before TLS 1.3 a hello may end here (RFC 5246, section 7.4.1.2).
        guard !body.isEmpty else { return }
        let extensions = try body.vector16(in: bytes)
        try body.finish()
        try read(extensions: extensions, in: bytes, limits: limits)
    }
}
