import NetworkTypes

/// What a ClientHello's server_name extension says (RFC 6066, section 3).
package enum ServerName: Hashable, Sendable {
    /// No such extension.
    case absent
    case name(HostName)
    /// One host_name of `octets` octets that is no host name; an IP address literal among them.
    case malformed(HostName.Malformed, octets: Int)
    /// More than one entry: servers differ in which one they take.
    case several(count: Int)
    /// A list without entries.
    case emptyList
    /// One entry, but its type is not host_name.
    case otherType(UInt8)
}

extension ServerName {
    /// Reads the content of the extension.
    init(extension content: ByteWindow, in bytes: Span<UInt8>) throws(MalformedOpening) {
        var content = content.meaning(.serverNameLength)
        var list = try content.vector16(in: bytes)
        try content.finish()
        var count = 0
        var only = ServerName.emptyList
        while !list.isEmpty {
            let type = try list.uint8(in: bytes)
            let entry = try list.vector16(in: bytes)
            count += 1
            if count == 1 { only = ServerName(type: type, entry: entry, in: bytes) }
        }
        self = count > 1 ? .several(count: count) : only
    }

    private init(type: UInt8, entry: ByteWindow, in bytes: Span<UInt8>) {
        guard type == 0 else {
            self = .otherType(type)
            return
        }
        do throws(HostName.Malformed) {
            self = .name(try HostName(octets: entry.copy(of: bytes)))
        } catch {
            self = .malformed(error, octets: entry.count)
        }
    }
}
