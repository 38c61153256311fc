import LinuxBindings

/// A socket as /proc/net/tcp and tcp6 show it.
struct TCPTableRow: Hashable {
    /// What the daemon looks for among the states of a socket.
    enum State: String {
        case opening = "02"
        case halfOpen = "03"
        case listening = "0A"
    }

    var localPort: UInt16
    /// Address and port of the own end, as the kernel writes them.
    var local: String
    /// The same of the other end.
    var peer: String
    var user: UInt32
    /// The number of the socket, as `fstat` has it.
    var inode: UInt64

    /// All sockets of this network namespace in a state; what cannot be read is left out.
    static func all(_ state: State) -> [TCPTableRow] {
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path -> [TCPTableRow] in
            guard let content = try? readFile(path, limit: 16 << 20) else { return [] }
            return content.split(separator: UInt8(ascii: "\n")).dropFirst().compactMap { TCPTableRow($0, state) }
        }
    }

    private init?(_ line: ArraySlice<UInt8>, _ state: State) {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard fields.count > 9, fields[3].elementsEqual(state.rawValue.utf8),
            let colon = fields[1].lastIndex(of: UInt8(ascii: ":")),
            let port = UInt16(String(decoding: fields[1][(colon + 1)...], as: UTF8.self), radix: 16),
            let user = UInt32(String(decoding: fields[7], as: UTF8.self)),
            let inode = UInt64(String(decoding: fields[9], as: UTF8.self))
        else { return nil }
        localPort = port
        local = String(decoding: fields[1], as: UTF8.self)
        peer = String(decoding: fields[2], as: UTF8.self)
        self.user = user
        self.inode = inode
    }
}

/// Who listens on a port: the UIDs that the kernel names for it, for a message.
func holders(ofPort port: UInt16) -> [UInt32] {
    Set(TCPTableRow.all(.listening).filter { $0.localPort == port }.map(\.user)).sorted()
}

/// How many SYNs were sent again in this network namespace (`TCPSynRetrans`); 0 where the kernel does not say.
func repeatedOpenings() -> UInt64 {
    guard let content = try? readFile("/proc/net/netstat", limit: 1 << 16) else { return 0 }
    let lines = content.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: "TcpExt: ".utf8) }
    guard lines.count == 2 else { return 0 }
    let names = lines[0].split(separator: UInt8(ascii: " "))
    let values = lines[1].split(separator: UInt8(ascii: " "))
    guard let place = names.firstIndex(where: { $0.elementsEqual("TCPSynRetrans".utf8) }),
        values.indices.contains(place)
    else { return 0 }
    return UInt64(String(decoding: values[place], as: UTF8.self)) ?? 0
}
