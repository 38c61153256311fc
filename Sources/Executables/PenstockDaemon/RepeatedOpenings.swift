import LinuxBindings

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
