import NetworkTypes
import SourceDocuments

/// What the operator asked for, each value well formed, not yet judged as a whole.
package struct CaptureSettings: Hashable, Sendable {
    package var table = "penstock"
    package var mechanism = CaptureMechanism.redirect
    /// Cgroups that alone are captured and fenced; empty: everything.
    package var cgroups: [String] = []
    /// What is above those cgroups is others' as well, and is not fenced.
    package var allowsSharedParents = false
    /// Interfaces behind which others are governed; empty: this namespace's own traffic is.
    package var gatewayInterfaces: [String] = []
    package var ports = DaemonPorts()
    package var daemon = Owner(user: 10880, group: 10880)
    /// Ports on which the workload may be reached from outside.
    package var inboundPorts: [UInt16] = []
    /// The resolvers that may be asked; `nil`: the name servers of the system's resolver file.
    package var resolvers: [IPAddress]?
    package var bypasses: [Bypass] = []
    package var exemptions: [Owner] = []
    package var allowsMetadata = false
    /// The first of the connection marks; see `FlowMarks`.
    package var markBase: UInt32 = 0x7065_6e00
    /// For `CaptureMechanism.tproxy` alone.
    package var routing = RoutePlan()
    /// Where what is no default was said.
    package var sources: [CaptureFlag: SettingSource] = [:]

    package init() {}
}

/// Where a setting was said.
package enum SettingSource: Hashable, Sendable {
    case commandLine
    /// The places of its value, or of each item of its list.
    case file([SourceLocation])
}

/// The ports on which the daemon listens.
package struct DaemonPorts: Hashable, Sendable {
    /// Where captured connections are redirected to.
    package var proxy: UInt16 = 15880
    package var explicit: UInt16 = 15881
    package var dns: UInt16 = 15853
    package var api: UInt16 = 8081
    /// The only one that may be reached from outside the pod without being asked for: kubelets probe it.
    package var health: UInt16 = 15890

    package init() {}

    package var all: [UInt16] { named.map(\.port) }

    /// Each with the flag that it is given by.
    var named: [(flag: CaptureFlag, port: UInt16)] {
        [(.proxyPort, proxy), (.explicitPort, explicit), (.dnsPort, dns), (.apiPort, api), (.healthPort, health)]
    }
}

/// Who owns a socket: a user and a group, of which both must match.
package struct Owner: Hashable, Sendable, CustomStringConvertible {
    package var user: UInt32
    package var group: UInt32

    package init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    /// Reads `UID:GID`, both in decimal.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let user = decimal(parts[0]), let group = decimal(parts[1]) else { return nil }
        self.init(user: user, group: group)
    }

    package var description: String { "\(user):\(group)" }
}

/// A destination whose TCP connections are neither captured nor refused: nobody governs them.
package struct Bypass: Hashable, Sendable, CustomStringConvertible {
    package var block: CIDR
    package var port: UInt16

    package init(block: CIDR, port: UInt16) {
        self.block = block
        self.port = port
    }

    /// Reads `CIDR:PORT`; an IPv6 block may stand in brackets: `[2001:db8::/32]:443`, `2001:db8::/32:443`.
    ///
    /// An IPv6 block without brackets needs its `/LENGTH`: in `2001:db8::1:443` nobody could tell the port.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"), let port = portNumber(text[text.index(after: colon)...]) else {
            return nil
        }
        var place = text[..<colon]
        if place.first == "[" {
            guard place.last == "]" else { return nil }
            place = place.dropFirst().dropLast()
        } else if place.contains(":"), !place.contains("/") {
            return nil
        }
        guard let block = try? CIDR(place) else { return nil }
        self.init(block: block, port: port)
    }

    package var description: String {
        block.base.family == .ipv4 ? "\(block):\(port)" : "[\(block)]:\(port)"
    }

    /// True where a connection to this address would be let by.
    package func covers(_ target: SocketAddress) -> Bool {
        port == target.port && block.contains(target.address)
    }
}

/// Reads a 32-bit number in decimal, without a sign, a leading zero or a space.
func decimal(_ text: some StringProtocol) -> UInt32? {
    let bytes = text.utf8
    guard (1...10).contains(bytes.count), bytes.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        bytes.count == 1 || bytes.first != UInt8(ascii: "0")
    else { return nil }
    return UInt32(text)
}
