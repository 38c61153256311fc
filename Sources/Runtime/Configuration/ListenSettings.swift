import NetworkTypes
import SourceDocuments

/// Where the daemon listens.
package struct ListenSettings: Hashable, Sendable {
    /// Where the kernel hands over what the agent opens, on 127.0.0.1 and ::1.
    package var transparentPort: UInt16 = 15880
    /// The explicit proxy, on 127.0.0.1 and ::1.
    package var explicitPort: UInt16 = 15881
    /// The governance API, on 127.0.0.1 and ::1.
    package var apiPort: UInt16 = 8081
    /// Health and metrics.
    package var health = SocketAddress(.v4(IPv4Address(bits: 0)), port: 15890)
    /// The Unix socket for administration.
    package var adminPath = "/run/penstock/admin.sock"

    /// Every port above, whether its listener is built or not.
    package var ports: [UInt16] { [transparentPort, explicitPort, apiPort, health.port] }

    package init() {}
}

extension ListenSettings {
    /// Reads `listen`; what is given and not built yet goes to `unbuilt`.
    static func read(_ reader: inout MappingReader, unbuilt: inout [String]) -> ListenSettings? {
        var settings = ListenSettings()
        var taken: [UInt16: String] = [:]
        settings.transparentPort = port("transparent", settings.transparentPort, &reader, &taken)
        settings.explicitPort = port("explicit", settings.explicitPort, &reader, &taken)
        settings.apiPort = port("api", settings.apiPort, &reader, &taken)
        settings.health = health(settings.health, &reader, &taken)
        let admin = reader.mapping("admin") { reader -> String? in
            reader.path("path", socket: true) ?? settings.adminPath
        }
        if let admin {
            settings.adminPath = admin
            unbuilt.append("listen.admin")
        }
        return settings
    }

    private static func port(
        _ key: String,
        _ standard: UInt16,
        _ reader: inout MappingReader,
        _ taken: inout [UInt16: String]
    ) -> UInt16 {
        var place = reader.location
        let given = reader.mapping(key) { reader -> UInt16? in
            place = reader.location(of: "port")
            return reader.port("port") ?? standard
        }
        take(given ?? standard, for: key, at: place, &reader, &taken)
        return given ?? standard
    }

    private static func health(
        _ standard: SocketAddress,
        _ reader: inout MappingReader,
        _ taken: inout [UInt16: String]
    ) -> SocketAddress {
        var place = reader.location
        let given = reader.mapping("health") { reader -> SocketAddress? in
            place = reader.location(of: "port")
            let address = reader.value("address") { node, subject throws(SourceProblem) in try node.address(subject) }
            return SocketAddress(address ?? standard.address, port: reader.port("port") ?? standard.port)
        }
        let health = given ?? standard
        take(health.port, for: "health", at: place, &reader, &taken)
        return health
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
