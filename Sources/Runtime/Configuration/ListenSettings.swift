import NetworkTypes
import SourceDocuments

/// Where the daemon listens.
package struct ListenSettings: Hashable, Sendable {
    /// Where the kernel hands over what the agent opens.
    package var transparentPort: UInt16 = 15880
    /// Where it does: for a gateway, the addresses of the interfaces by which others come.
    package var transparentAddresses = Self.loopback
    /// Whether the kernel hands it over by TPROXY, and not by rewriting its destination.
    package var isTransparentRouted = false
    /// The explicit proxy.
    package var explicitPort: UInt16 = 15881
    package var explicitAddresses = Self.loopback
    /// The governance API, on 127.0.0.1 and ::1.
    package var apiPort: UInt16 = 8081
    /// Where health and metrics are served: each address of its own, one at least.
    package var healthAddresses: [IPAddress] = [.v4(IPv4Address(bits: 0)), .v6(IPv6Address(high: 0, low: 0))]
    /// Health and metrics.
    package var healthPort: UInt16 = 15890
    /// The Unix socket for administration.
    package var adminPath = "/run/penstock/admin.sock"
    /// Whether the file says where the Unix socket is, so that it must be there.
    package var isAdminNeeded = false
    /// Who may use it; empty: the daemon's own user and group.
    package var adminPeers: [AdminOwner] = []

    /// A user and a group, as `UID:GID` writes them.
    package struct AdminOwner: Hashable, Sendable {
        package var user: UInt32
        package var group: UInt32

        /// Reads `UID:GID`, both in decimal; UID 0 is refused.
        package init?(_ text: some StringProtocol) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let isPlain = parts.allSatisfy { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            guard parts.count == 2, isPlain, let user = UInt32(parts[0]), let group = UInt32(parts[1]), user != 0 else {
                return nil
            }
            self.user = user
            self.group = group
        }
    }

    /// Every port above, whether its listener is built or not.
    package var ports: [UInt16] { [transparentPort, explicitPort, apiPort, healthPort] }

    /// Where captured connections come, address by address.
    package var transparent: [SocketAddress] {
        transparentAddresses.map { SocketAddress($0, port: transparentPort) }
    }

    /// The explicit proxy, address by address.
    package var explicit: [SocketAddress] { explicitAddresses.map { SocketAddress($0, port: explicitPort) } }

    /// Health and metrics, address by address.
    package var health: [SocketAddress] { healthAddresses.map { SocketAddress($0, port: healthPort) } }

    /// Where agents of this network namespace reach the daemon: 127.0.0.1 and ::1.
    package static let loopback: [IPAddress] = [.v4(IPv4Address(127, 0, 0, 1)), .v6(IPv6Address(high: 0, low: 1))]

    package init() {}
}

extension ListenSettings {
    /// Reads `listen`.
    static func read(_ reader: inout MappingReader) -> ListenSettings? {
        var settings = ListenSettings()
        var taken: [UInt16: String] = [:]
        settings.readTransparent(&reader, &taken)
        settings.readExplicit(&reader, &taken)
        settings.apiPort = port("api", settings.apiPort, &reader, &taken)
        settings.readHealth(&reader, &taken)
        settings.readAdmin(&reader)
        return settings
    }

    private mutating func readAdmin(_ reader: inout MappingReader) {
        let given = reader.mapping("admin") { reader -> (path: String?, peers: [AdminOwner])? in
            (reader.path("path", socket: true), Self.peers(&reader))
        }
        guard let given else { return }
        isAdminNeeded = true
        adminPath = given.path ?? adminPath
        adminPeers = given.peers
    }

    private static func peers(_ reader: inout MappingReader) -> [AdminOwner] {
        let listed = reader.list("peers", of: "users with their groups") { node, subject throws(SourceProblem) in
            try node.owner(subject)
        }
        return listed.map { reader.notEmpty($0, "peers") ?? [] } ?? []
    }

    private mutating func readTransparent(_ reader: inout MappingReader, _ taken: inout [UInt16: String]) {
        var isRouted: Bool?
        var addresses: [IPAddress]?
        transparentPort = Self.port("transparent", transparentPort, &reader, &taken) {
            isRouted = $0.boolean("tproxy")
            addresses = Self.singleAddresses(&$0)
            guard isRouted == true, $0.has("addresses") else { return }
            let fault =
                "`addresses` and `tproxy: true`: TPROXY hands connections over on 127.0.0.1 and ::1, to nobody elsewhere"
            $0.note(SourceProblem(fault, at: $0.keyLocation(of: "addresses"), remedy: "remove `addresses`"))
        }
        isTransparentRouted = isRouted ?? isTransparentRouted
        transparentAddresses = addresses ?? transparentAddresses
    }

    private mutating func readExplicit(_ reader: inout MappingReader, _ taken: inout [UInt16: String]) {
        var addresses: [IPAddress]?
        explicitPort = Self.port("explicit", explicitPort, &reader, &taken) { addresses = Self.singleAddresses(&$0) }
        explicitAddresses = addresses ?? explicitAddresses
    }

    /// Not every address there is: by each that is named others come to the daemon.
    private static func singleAddresses(_ reader: inout MappingReader) -> [IPAddress]? {
        guard reader.has("addresses") else { return nil }
        let named = reader.list("addresses", of: "IP addresses") { node, subject throws(SourceProblem) in
            let address = try node.address(subject)
            guard address.isOneMachines else {
                throw SourceProblem(
                    "\(subject) is \(address), which is no address of a single interface",
                    at: node.location,
                    remedy: "name the addresses that the interfaces of --gateway have"
                )
            }
            return (address: address, place: node.location)
        }
        return distinct(named ?? [], "addresses", &reader)
    }

    /// Each address once, and one at least.
    private static func distinct(
        _ named: [(address: IPAddress, place: SourceLocation)],
        _ key: String,
        _ reader: inout MappingReader
    ) -> [IPAddress]? {
        var seen: Set<IPAddress> = []
        for (address, place) in named where !seen.insert(address).inserted {
            reader.note(SourceProblem("\(address) is in `\(key)` already", at: place))
        }
        return reader.notEmpty(named.map(\.address), key)
    }

    private static func port(
        _ key: String,
        _ standard: UInt16,
        _ reader: inout MappingReader,
        _ taken: inout [UInt16: String],
        alsoReading rest: (inout MappingReader) -> Void = { _ in }
    ) -> UInt16 {
        var place = reader.location
        let given = reader.mapping(key) { reader -> UInt16? in
            place = reader.location(of: "port")
            rest(&reader)
            return reader.port("port") ?? standard
        }
        take(given ?? standard, for: key, at: place, &reader, &taken)
        return given ?? standard
    }

    private mutating func readHealth(_ reader: inout MappingReader, _ taken: inout [UInt16: String]) {
        var place = reader.location
        let standard = healthPort
        let given = reader.mapping("health") { reader -> (addresses: [IPAddress]?, port: UInt16)? in
            place = reader.location(of: "port")
            return (Self.addresses(&reader), reader.port("port") ?? standard)
        }
        healthAddresses = given?.addresses ?? healthAddresses
        healthPort = given?.port ?? standard
        Self.take(healthPort, for: "health", at: place, &reader, &taken)
    }

    /// One address, or a list of them: what is named is listened on, and nothing else.
    private static func addresses(_ reader: inout MappingReader) -> [IPAddress]? {
        guard case .sequence? = reader.node("address")?.content else {
            return reader.value("address") { node, subject throws(SourceProblem) in [try node.address(subject)] }
        }
        let named = reader.list("address", of: "IP addresses") { node, subject throws(SourceProblem) in
            (address: try node.address(subject), place: node.location)
        }
        return distinct(named ?? [], "address", &reader)
    }

    /// Two listeners cannot share a port, a default among them.
    private static func take(
        _ port: UInt16,
        for key: String,
        at place: SourceLocation,
        _ reader: inout MappingReader,
        _ taken: inout [UInt16: String]
    ) {
        guard let holder = taken[port] else {
            taken[port] = key
            return
        }
        reader.note(
            SourceProblem(
                "`listen.\(key)` has port \(port), which `listen.\(holder)` has",
                at: place,
                remedy: "give each listener a port of its own"
            )
        )
    }
}
