/// The extensions that are read, by their numbers in the IANA registry.
private enum ExtensionType {
    static let serverName: UInt16 = 0
    static let protocolNames: UInt16 = 16
    static let preSharedKey: UInt16 = 41
    static let earlyData: UInt16 = 42
    static let supportedVersions: UInt16 = 43
    static let encryptedClientHello: UInt16 = 0xfe0d
    /// What ECH was before it hid the whole hello; never registered, but deployed.
    static let encryptedServerName: UInt16 = 0xffce
}

extension ClientHello {
    /// Reads every extension; none may come twice (RFC 8446, section 4.2).
    mutating func read(
        extensions: ByteWindow,
        in bytes: Span<UInt8>,
        limits: SniffLimits
    ) throws(MalformedOpening) {
        var rest = extensions
        var seen = SeenExtensions()
        while !rest.isEmpty {
            let type = try rest.uint16(in: bytes)
            let content = try rest.vector16(in: bytes)
            try seen.insert(type, limit: limits.helloExtensions)
            if type == ExtensionType.preSharedKey, !rest.isEmpty { throw .preSharedKeyNotLast }
            try read(extension: type, content: content, in: bytes, limits: limits)
        }
    }

    private mutating func read(
        extension type: UInt16,
        content: ByteWindow,
        in bytes: Span<UInt8>,
        limits: SniffLimits
    ) throws(MalformedOpening) {
        switch type {
        case ExtensionType.serverName:
            serverName = try ServerName(extension: content, in: bytes)
        case ExtensionType.protocolNames:
            protocolNames = try readProtocolNames(content, in: bytes, limit: limits.protocolNames)
        case ExtensionType.supportedVersions:
            let versions = try readVersions(content, in: bytes)
            highestSupportedVersion = versions?.upperBound
            lowestSupportedVersion = versions?.lowerBound
        case ExtensionType.earlyData:
            try content.meaning(.earlyDataLength).finish()
            offersEarlyData = true
        case ExtensionType.encryptedClientHello, ExtensionType.encryptedServerName:
            offersEncryptedClientHello = true
        default:
            break  // GREASE (RFC 8701) and all that says nothing about where the connection goes
        }
    }
}

/// The extension types met so far: the low numbers as bits, the few others in a list.
private struct SeenExtensions {
    private var low: UInt64 = 0
    private var high: [UInt16] = []
    private var count = 0

    mutating func insert(_ type: UInt16, limit: Int) throws(MalformedOpening) {
        count += 1
        guard count <= limit else { throw .extensionsTooMany }
        if type < 64 {
            guard low & 1 << UInt64(type) == 0 else { throw .extensionDuplicated }
            low |= 1 << UInt64(type)
        } else {
            guard !high.contains(type) else { throw .extensionDuplicated }
            high.append(type)
        }
    }
}

/// Reads the ALPN list (RFC 7301, section 3.1).
private func readProtocolNames(
    _ content: ByteWindow,
    in bytes: Span<UInt8>,
    limit: Int
) throws(MalformedOpening) -> [String] {
    var content = content.meaning(.protocolNamesLength)
    var list = try content.vector16(in: bytes)
    try content.finish()
    guard !list.isEmpty else { throw .protocolNamesLength }
    var names: [String] = []
    while !list.isEmpty {
        let name = try list.vector8(in: bytes)
        guard !name.isEmpty else { throw .protocolNamesLength }
        guard names.count < limit else { throw .protocolNamesTooMany }
        names.append(printable(name, in: bytes))
    }
    return names
}

/// The lowest and the highest version of a supported_versions list (RFC 8446, section 4.2.1), GREASE aside.
private func readVersions(
    _ content: ByteWindow,
    in bytes: Span<UInt8>
) throws(MalformedOpening) -> ClosedRange<TLSVersion>? {
    var content = content.meaning(.supportedVersionsLength)
    var list = try content.vector8(in: bytes)
    try content.finish()
    guard !list.isEmpty else { throw .supportedVersionsLength }
    var found: ClosedRange<TLSVersion>?
    while !list.isEmpty {
        let version = TLSVersion(rawValue: try list.uint16(in: bytes))
        guard !version.isGREASE else { continue }
        found = found.map { min($0.lowerBound, version)...max($0.upperBound, version) } ?? version...version
    }
    return found
}

/// Bytes as the audit can show them: visible ASCII as it is, anything else as `0x` and hexadecimal digits.
private func printable(_ window: ByteWindow, in bytes: Span<UInt8>) -> String {
    let visible = bytes.extracting(window.start..<window.end)
    for index in visible.indices where !(0x21...0x7e).contains(visible[index]) {
        return "0x"
            + window.copy(of: bytes).map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
    return text(of: visible)
}
