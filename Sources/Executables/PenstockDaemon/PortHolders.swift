import LinuxBindings
import NetworkTypes

/// Who listens on a port: the UIDs that /proc/net/tcp and tcp6 name for it.
///
/// For a message only: what cannot be read is left out.
func holders(ofPort port: UInt16) -> [UInt32] {
    var users: Set<UInt32> = []
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        guard let content = try? readFile(path, limit: 16 << 20) else { continue }
        for line in content.split(separator: UInt8(ascii: "\n")).dropFirst() {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 7, fields[3].elementsEqual("0A".utf8),
                let colon = fields[1].lastIndex(of: UInt8(ascii: ":")),
                UInt16(String(decoding: fields[1][(colon + 1)...], as: UTF8.self), radix: 16) == port,
                let user = UInt32(String(decoding: fields[7], as: UTF8.self))
            else { continue }
            users.insert(user)
        }
    }
    return users.sorted()
}
