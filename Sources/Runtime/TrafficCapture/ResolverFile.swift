import NetworkTypes

/// The name servers of a resolver file (resolv.conf(5)).
package struct ResolverFile: Hashable, Sendable {
    /// In the order of the text; at most three count for the C library, all count here.
    package var servers: [IPAddress] = []
    /// Values of `nameserver` that are no plain address of one server, such as one with a zone.
    package var unreadable: [String] = []

    /// Reads the octets of the file; whatever is not a `nameserver` line is passed over.
    package init(_ bytes: [UInt8]) {
        for line in bytes.split(whereSeparator: { $0 == UInt8(ascii: "\n") }) {
            let words = line.split(whereSeparator: {
                [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")].contains($0)
            })
            guard words.count >= 2, words[0].elementsEqual("nameserver".utf8) else { continue }
            let value = String(decoding: words[1], as: UTF8.self)
            if let address = IPAddress(value), address.isOneMachines {
                servers.append(address)
            } else {
                unreadable.append(value)
            }
        }
    }
}
