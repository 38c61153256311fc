import NetworkTypes

/// What the machine's `resolv.conf` says of servers; its search domains and options are nobody's business here.
package struct ResolverFile: Hashable, Sendable {
    /// At most three, as the C library takes them (resolv.conf(5)), with port 53.
    package let servers: [SocketAddress]
    /// The numbers, from 1, of `nameserver` lines that name no plain address of one server: one with a zone, `0.0.0.0`, and the like.
    package let unusableLines: [Int]

    /// Reads the `nameserver` lines.
    package init(parsing text: [UInt8]) {
        var servers: [SocketAddress] = []
        var unusable: [Int] = []
        let marks = [UInt8(ascii: "#"), UInt8(ascii: ";")]
        for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let fields = fieldsOfLine(line, commentMarks: marks)
            guard fields.first == "nameserver" else { continue }
            guard let address = fields.dropFirst().first.flatMap({ IPAddress($0) }), address.isOneMachines else {
                unusable.append(index + 1)
                continue
            }
            servers.append(SocketAddress(address, port: 53))
        }
        self.servers = Array(servers.prefix(3))
        unusableLines = unusable
    }
}

/// The words of a line up to a comment.
///
/// Octets that are no UTF-8 come out as U+FFFD, which no word that counts holds.
func fieldsOfLine(_ line: ArraySlice<UInt8>, commentMarks: [UInt8]) -> [String] {
    let blanks = [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")]
    return line.prefix { !commentMarks.contains($0) }
        .split { blanks.contains($0) }
        .map { String(decoding: $0, as: UTF8.self) }
}
