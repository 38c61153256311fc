/// The interfaces of this network namespace, by name; empty where that cannot be read.
package func networkDevices() -> Set<String> {
    guard let table = try? readFile("/proc/net/dev", limit: 1 << 20) else { return [] }
    let lines = table.split(separator: UInt8(ascii: "\n")).dropFirst(2)
    let names = lines.compactMap { $0.split(separator: UInt8(ascii: ":"), maxSplits: 1).first }
    return Set(names.map { String(decoding: $0.drop { $0 == UInt8(ascii: " ") }, as: UTF8.self) })
}
